//! The real programs of a soak: the server in an empty folder, which can be killed and started again, and the client.

use std::collections::BTreeSet;
use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::net::SocketAddr;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ExitStatus};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use vigint_core::clock::UtcTime;
use vigint_testkit::programs::{ServerProcess, command, wait_for};

use crate::bench::customer::Customer;

/// How long the client may take to stop: the systemd unit kills it then (`TimeoutStopSec`).
const STOP_LIMIT: Duration = Duration::from_secs(20);
/// How much of what it said is shown when it failed.
const LAST_LINES: usize = 30;

/// The server, when it runs.
pub(super) struct Server {
    program: PathBuf,
    /// Where all is that it said and that it keeps.
    pub(super) folder: PathBuf,
    process: Option<ServerProcess>,
}

impl Server {
    pub(super) async fn start(programs: &Path, folder: PathBuf) -> anyhow::Result<Self> {
        std::fs::create_dir(&folder)?;
        let mut server = Self {
            program: programs.join("vigint-server"),
            folder,
            process: None,
        };
        server.come_back().await?;
        Ok(server)
    }

    /// A customer of its own, and the key.
    pub(super) fn customer(&self, programs: &Path) -> anyhow::Result<Customer> {
        let process = self.process.as_ref().context("the server does not run")?;
        Customer::create(&programs.join("vigint-admin"), process, 1)
    }

    /// Ends it at once, as a power cut does.
    pub(super) fn kill(&mut self) {
        if let Some(process) = self.process.take() {
            process.kill_nine();
        }
    }

    /// Starts it again on what it left, and says where it listens.
    pub(super) async fn come_back(&mut self) -> anyhow::Result<SocketAddr> {
        let (program, folder) = (self.program.clone(), self.folder.clone());
        let starting = tokio::task::spawn_blocking(move || {
            ServerProcess::start_program(&program, &folder, &["serve"])
        });
        let process = starting.await??;
        let address = process.url().trim_start_matches("http://").parse();
        self.process = Some(process);
        address.context("the server does not say where it listens")
    }

    /// Where it listens.
    pub(super) fn address(&self) -> anyhow::Result<SocketAddr> {
        let process = self.process.as_ref().context("the server does not run")?;
        Ok(process.url().trim_start_matches("http://").parse()?)
    }

    pub(super) fn stop(&mut self) -> anyhow::Result<()> {
        let Some(process) = self.process.take() else {
            return Ok(());
        };
        let status = process.stop();
        ensure!(
            status.success(),
            "the server did not stop cleanly: {status}"
        );
        Ok(())
    }
}

/// The running client; killed when dropped.
pub(super) struct Client {
    child: Child,
    /// Where it runs.
    pub(super) folder: PathBuf,
    output: PathBuf,
    errors: PathBuf,
}

impl Client {
    /// Starts it in a new folder inside this one.
    pub(super) fn start(
        program: &Path,
        run: &Path,
        key: &str,
        server_url: &str,
        sources: &str,
    ) -> anyhow::Result<Self> {
        let folder = run.join("client");
        std::fs::create_dir(&folder)?;
        let env = format!("VIGINT_API_KEY={key}\nVIGINT_SERVER_URL={server_url}\n");
        write_private(&folder.join(".env"), &env)?;
        write_private(&folder.join("cameras.toml"), sources)?;
        let (output, errors) = (run.join("client.out"), run.join("client.err"));
        let child = command(program, &folder)
            .args(["run", "--json", "--loop", "--sources", "cameras.toml"])
            .stdout(File::create(&output)?)
            .stderr(File::create(&errors)?)
            .spawn()
            .with_context(|| format!("cannot start {}", program.display()))?;
        Ok(Self {
            child,
            folder,
            output,
            errors,
        })
    }

    pub(super) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// How it ended, if it has.
    pub(super) fn ended(&mut self) -> anyhow::Result<Option<ExitStatus>> {
        Ok(self.child.try_wait()?)
    }

    /// What it said, on both outputs.
    pub(super) fn outputs(&self) -> [PathBuf; 2] {
        [self.output.clone(), self.errors.clone()]
    }

    /// The end of what it complained of.
    pub(super) fn last_words(&self) -> String {
        let said = std::fs::read_to_string(&self.errors).unwrap_or_default();
        let lines: Vec<&str> = said.lines().collect();
        let last = lines.iter().skip(lines.len().saturating_sub(LAST_LINES));
        last.map(|line| format!("{line}\n")).collect()
    }

    /// Asks it to stop, as Ctrl-C does, and waits until it has.
    pub(super) fn stop(&mut self) -> anyhow::Result<ExitStatus> {
        if let Some(status) = self.child.try_wait()? {
            return Ok(status);
        }
        kill_process(Pid::from_child(&self.child), Signal::TERM)
            .context("cannot stop vigint-client")?;
        let status = wait_for(STOP_LIMIT, || self.child.try_wait().transpose());
        Ok(status.context("vigint-client does not end")??)
    }

    /// The sum of a number in all its events of a kind.
    pub(super) fn sum(&self, event: &str, field: &str) -> anyhow::Result<u64> {
        let events = self.events(event)?.into_iter();
        Ok(events.filter_map(|found| found.get(field)?.as_u64()).sum())
    }

    /// The sources of which it has told an analysis after this time.
    pub(super) fn analysed_after(&self, time: UtcTime) -> anyhow::Result<BTreeSet<String>> {
        let is_later = |found: &Value| {
            let at = found.get("at").and_then(Value::as_str);
            at.and_then(|at| at.parse::<UtcTime>().ok()) > Some(time)
        };
        let events = self.events("analysis")?.into_iter().filter(is_later);
        let sources = events.filter_map(|found| Some(found.get("source_id")?.as_str()?.to_owned()));
        Ok(sources.collect())
    }

    fn events(&self, kind: &str) -> anyhow::Result<Vec<Value>> {
        let said = std::fs::read_to_string(&self.output)?;
        let events = said
            .lines()
            .filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let of_kind = |found: &Value| found.get("event").and_then(Value::as_str) == Some(kind);
        Ok(events.filter(of_kind).collect())
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        // It may have ended by itself: then there is nothing to do.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn write_private(path: &Path, text: &str) -> anyhow::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true).mode(0o600);
    let mut file = options
        .open(path)
        .with_context(|| format!("cannot write {}", path.display()))?;
    Ok(file.write_all(text.as_bytes())?)
}
