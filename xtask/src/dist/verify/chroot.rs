//! The client where there is nothing but itself: no library, no shell, no `/etc` but what is put there. It must start,
//! and find a server by its name.

use std::io::Read as _;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use tempfile::TempDir;
use vigint_testkit::name_server::NameServer;
use vigint_testkit::programs::wait_for;

use super::stand_in::StandIn;
use crate::cargo;
use crate::dist::program::Program;
use crate::say;

/// Much longer than any of the program's own limits.
const LIMIT: Duration = Duration::from_secs(60);
/// A name that no real DNS may know (RFC 6761, 6.2).
const SERVER: &str = "vigint-server.test";
/// `resolv.conf` can name no port: a DNS server must be at 53, which on this loopback address nobody else is.
const DNS: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(127, 83, 0, 53)), 53);

/// A folder that is the root of all that a program sees.
struct Chroot {
    folder: TempDir,
    program: Program,
}

/// Says so when it cannot be tried.
pub(super) fn verify(program: Program, path: &Path) -> anyhow::Result<()> {
    if !rustix::process::geteuid().is_root() {
        say::line("NOT TRIED in an empty chroot: this is for root (sudo)");
        return Ok(());
    }
    let chroot = Chroot {
        folder: tempfile::tempdir()?,
        program,
    };
    std::fs::copy(path, chroot.folder.path().join(program.name()))?;
    std::fs::create_dir(chroot.folder.path().join("etc"))?;

    let said = chroot.run(&["--version"], None)?;
    ensure!(
        said.contains(program.name()),
        "in an empty chroot it says '{said}'"
    );
    say::line("starts in an empty chroot");

    let server = StandIn::start()?;
    let url = format!("http://{SERVER}:{}", server.port());
    let check = ["check", "--api-url", &url];
    let said = chroot.run(&check, Some(&server))?;
    ensure!(
        said.contains("/etc/resolv.conf") && server.asked().is_empty(),
        "without resolv.conf and hosts it should name what it lacks, and says: {said}"
    );
    say::line("without /etc/hosts and /etc/resolv.conf it says what it lacks");

    chroot.write("hosts", &format!("127.0.0.1 {SERVER}\n"))?;
    chroot.reaches_by_name(&check, &server)?;
    say::line("reaches a server by its name in /etc/hosts");

    chroot.write("hosts", "")?;
    match NameServer::start(DNS, &[(SERVER, Ipv4Addr::LOCALHOST.into())]) {
        Ok(dns) => {
            chroot.write(
                "resolv.conf",
                &format!("nameserver {}\n", dns.address().ip()),
            )?;
            chroot.reaches_by_name(&check, &server)?;
            ensure!(
                dns.asked().contains(&SERVER.to_owned()),
                "the DNS server was not asked"
            );
            say::line("reaches a server by its name in the DNS");
        }
        Err(error) => say::line(&format!("NOT TRIED with a DNS server: {DNS}: {error}")),
    }
    Ok(())
}

impl Chroot {
    fn write(&self, file: &str, text: &str) -> anyhow::Result<()> {
        let path = self.folder.path().join("etc").join(file);
        std::fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))
    }

    fn reaches_by_name(&self, check: &[&str], server: &StandIn) -> anyhow::Result<()> {
        let said = self.run(check, Some(server))?;
        let host = format!("{SERVER}:{}", server.port());
        ensure!(
            server.asked().contains(&host),
            "it has not asked the server by its name, and says: {said}"
        );
        ensure!(
            said.contains("answers"),
            "it was answered, and says: {said}"
        );
        Ok(())
    }

    /// What it says on both outputs. The server answers meanwhile.
    fn run(&self, arguments: &[&str], server: Option<&StandIn>) -> anyhow::Result<String> {
        let mut command: Command = cargo::command("chroot", &[]);
        let mut child = command
            .arg(self.folder.path())
            .arg(format!("/{}", self.program.name()))
            .args(arguments)
            .env_clear()
            .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .context("cannot run chroot")?;
        // What it says fits into a pipe: it can end without being read.
        let ended = wait_for(LIMIT, || {
            if let Some(server) = server {
                server.answer();
            }
            child.try_wait().transpose()
        });
        if ended.is_none() {
            child.kill()?;
            child.wait()?;
        }
        let mut said = String::new();
        if let Some(mut output) = child.stdout.take() {
            output.read_to_string(&mut said)?;
        }
        if let Some(mut output) = child.stderr.take() {
            output.read_to_string(&mut said)?;
        }
        ensure!(
            ended.is_some(),
            "it has not ended after {LIMIT:?}, and says: {said}"
        );
        Ok(said)
    }
}
