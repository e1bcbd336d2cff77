//! A private cluster, shared by all test processes of a run and gone soon after it.
//!
//! `cargo nextest` runs each test in a process of its own, and setting up a cluster takes seconds: so the
//! first process starts one and the others join it. Each holds a shared lock on `users.lock` while it lives.
//! The shell that started the cluster waits until the run is over and nobody holds that lock, then stops the
//! cluster and removes its data. No test process has to end well for that.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use rustix::process::getuid;
use vigint_core::random::{Random as _, SystemRandom};

use super::programs::Programs;
use super::run_statement;

/// Says `ready` when the cluster can be used, then outlives whoever started it.
/// $1: folder of the programs, $2: port, $3: the process whose end is the end of the run.
const SUPERVISOR: &str = r#"
set -eu
bin=$1 port=$2 run=$3
stop() {
    "$bin/pg_ctl" stop --silent --pgdata=data --mode=immediate || true
    rm -rf data url password
}
rm -rf data url
trap stop EXIT
trap 'exit 1' HUP INT TERM
"$bin/initdb" --pgdata=data --username=vigint --pwfile=password --auth=scram-sha-256 \
    --encoding=UTF8 --no-locale --no-sync >&2
"$bin/pg_ctl" start --silent --wait --timeout=120 --pgdata=data --log=server.log --options="-p $port \
    -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c max_connections=300 \
    -c fsync=off -c synchronous_commit=off -c full_page_writes=off -c autovacuum=off" >&2
echo ready
exec >/dev/null
tail --pid="$run" --sleep-interval=0.2 --follow /dev/null
exec 9<users.lock
flock --exclusive 9
"#;

/// A share in the cluster.
pub(super) struct Cluster {
    url: String,
    /// Shared by every user of the cluster; the one who stops it takes it alone.
    _use: File,
}

impl Cluster {
    pub(super) fn url(&self) -> &str {
        &self.url
    }

    /// Joins the running cluster, or starts one.
    pub(super) fn join(programs: &Programs) -> Self {
        let owner = Owner::of_the_server();
        let home = home(&owner);
        let in_use = lock_file(&home.join("users.lock"));
        in_use.lock_shared().expect("the cluster can be locked");
        let starting = lock_file(&home.join("start.lock"));
        starting
            .lock()
            .expect("the start of the cluster can be locked");
        let url_file = home.join("url");
        let url = std::fs::read_to_string(&url_file)
            .ok()
            .filter(|url| run_statement(programs, url, "SELECT 1").is_ok())
            .unwrap_or_else(|| {
                let url = start(programs, &home, &owner);
                write_privately(&url_file, &url, None);
                url
            });
        Self { url, _use: in_use }
    }
}

/// Whom the server runs as: PostgreSQL refuses to run as root.
struct Owner {
    ids: Option<(u32, u32)>,
}

impl Owner {
    fn of_the_server() -> Self {
        if !getuid().is_root() {
            return Self { ids: None };
        }
        let users = std::fs::read_to_string("/etc/passwd").expect("/etc/passwd can be read");
        let ids_of = |name: &str| {
            let line = users
                .lines()
                .find(|line| line.split(':').next() == Some(name))?;
            let mut fields = line.split(':').skip(2);
            Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
        };
        let ids = ids_of("postgres").or_else(|| ids_of("nobody"));
        assert!(
            ids.is_some(),
            "as root, tests run PostgreSQL as `postgres` or `nobody`, and neither exists"
        );
        Self { ids }
    }

    fn command(&self, program: &str) -> Command {
        let Some((user, group)) = self.ids else {
            return Command::new(program);
        };
        let mut command = Command::new("setpriv");
        command.arg(format!("--reuid={user}"));
        command.arg(format!("--regid={group}"));
        command.args(["--clear-groups", program]);
        command
    }

    fn give(&self, path: &Path) {
        if let Some((user, group)) = self.ids {
            std::os::unix::fs::chown(path, Some(user), Some(group)).expect("root can give away");
        }
    }
}

/// The cluster's folder: not under `target`, which the server's user might not be able to enter.
fn home(owner: &Owner) -> PathBuf {
    let me = getuid().as_raw();
    let home = std::env::temp_dir().join(format!("vigint-test-postgres-{me}"));
    if DirBuilder::new().mode(0o700).create(&home).is_ok() {
        owner.give(&home);
    }
    let user = home
        .metadata()
        .expect("the cluster's folder is there")
        .uid();
    let server_user = owner.ids.map_or(me, |(user, _)| user);
    assert!(
        user == me || user == server_user,
        "{} belongs to somebody else: remove it",
        home.display()
    );
    owner.give(&home);
    home
}

/// Starts a cluster and waits until it can be used. Its URL.
#[allow(
    clippy::zombie_processes,
    reason = "the supervisor outlives this process, so nobody here can wait for it"
)]
fn start(programs: &Programs, home: &Path, owner: &Owner) -> String {
    let mut random = [0; 16];
    SystemRandom.fill(&mut random);
    let password = format!("{:032x}", u128::from_le_bytes(random));
    write_privately(&home.join("password"), &password, Some(owner));
    let port = free_port();
    let log = File::create(home.join("supervisor.log")).expect("a log can be written");
    let mut supervisor = owner
        .command("sh")
        .args(["-c", SUPERVISOR, "vigint-test-postgres"])
        .arg(programs.server_folder.as_ref().expect("asked before"))
        .arg(port.to_string())
        .arg(end_of_run().to_string())
        .current_dir(home)
        // Not of the test's group: what stops a test must not stop everybody's cluster.
        .process_group(0)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(log)
        .spawn()
        .expect("sh (and, as root, setpriv of util-linux) can be run");
    let mut said = String::new();
    let stdout = supervisor.stdout.take().expect("piped");
    BufReader::new(stdout)
        .read_line(&mut said)
        .expect("the supervisor can be heard");
    if said != "ready\n" {
        let read = |name| std::fs::read_to_string(home.join(name)).unwrap_or_default();
        let (supervisor, server) = (read("supervisor.log"), read("server.log"));
        panic!("PostgreSQL is there but does not start:\n{supervisor}\n{server}");
    }
    format!("postgresql://vigint:{password}@127.0.0.1:{port}/postgres")
}

/// The process whose end is the end of the run: cargo, when a test was started by it; else this test.
fn end_of_run() -> u32 {
    let parent = std::os::unix::process::parent_id();
    let name = std::fs::read_to_string(format!("/proc/{parent}/comm")).unwrap_or_default();
    if name.starts_with("cargo") {
        parent
    } else {
        std::process::id()
    }
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    listener.local_addr().expect("it has an address").port()
}

fn lock_file(path: &Path) -> File {
    OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .open(path)
        .expect("a lock file can be made")
}

fn write_privately(path: &Path, text: &str, owner: Option<&Owner>) {
    // A file left by a run that was killed may belong to the server's user.
    let _ = std::fs::remove_file(path);
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .expect("a file can be made");
    file.write_all(text.as_bytes())
        .expect("a file can be written");
    if let Some(owner) = owner {
        owner.give(path);
    }
}
