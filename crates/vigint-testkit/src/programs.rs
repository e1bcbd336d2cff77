//! The real programs, run as a user runs them: each in a folder of its own, with nothing of the caller's
//! environment but where to find other programs.
//!
//! It must not know what the programs do, beyond the line by which the server says where it listens.

use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::time::Duration;

use anyhow::{Context as _, bail};
use rustix::process::{Pid, Signal, kill_process};
use vigint_core::clock::{Clock as _, SystemClock};

/// How long a server may take to listen: it makes a database first, on a machine busy with other tests.
const START_LIMIT: Duration = Duration::from_secs(60);
/// How long a server may take to stop: it has 30 s to finish what runs.
const STOP_LIMIT: Duration = Duration::from_secs(40);
/// What stands before the address in the server's line.
const LISTENING: &str = "listening on ";
/// How often another process is looked at. Nothing crosses to us from it that could be waited for.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// Where cargo put a program of the workspace: beside the running test, so of the same profile.
///
/// # Panics
/// When it has not been built, with the command that builds it.
#[must_use]
pub fn path(name: &str) -> PathBuf {
    let me = std::env::current_exe().expect("the running program has a path");
    let folder = me.parent().expect("a program lies in a folder");
    let folder = match folder.file_name() {
        Some(name) if name == "deps" || name == "examples" => folder.parent().unwrap_or(folder),
        _ => folder,
    };
    let program = folder.join(name);
    assert!(
        program.is_file(),
        "{} has not been built: run `cargo build --package {name}` (`cargo xtask test` does)",
        program.display()
    );
    program
}

/// A command that will run in this folder, without our environment.
#[must_use]
pub fn command(program: &Path, folder: &Path) -> Command {
    #[allow(
        clippy::disallowed_methods,
        reason = "a program run by a test needs to find ffmpeg, and a place for temporary files"
    )]
    let kept = ["PATH", "HOME", "TMPDIR", "LLVM_PROFILE_FILE"]
        .map(|name| (name, std::env::var_os(name)))
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)));
    let mut command = Command::new(program);
    command.current_dir(folder).env_clear().envs(kept);
    command.stdin(Stdio::null());
    command
}

/// Runs a program of the workspace to its end.
///
/// # Panics
/// When it cannot be started.
#[must_use]
pub fn run(name: &str, folder: &Path, arguments: &[&str]) -> Output {
    command(&path(name), folder)
        .args(arguments)
        .output()
        .unwrap_or_else(|error| panic!("{name} cannot be run: {error}"))
}

/// Looks again and again until something is there, at most for `limit`. For what another process does;
/// inside one process wait for an event instead.
pub fn wait_for<T>(limit: Duration, mut look: impl FnMut() -> Option<T>) -> Option<T> {
    let clock = SystemClock::new();
    loop {
        if let Some(found) = look() {
            return Some(found);
        }
        if clock.elapsed() >= limit {
            return None;
        }
        std::thread::park_timeout(LOOK_EVERY);
    }
}

/// A running `vigint-server`. It is killed when this is dropped.
#[derive(Debug)]
pub struct ServerProcess {
    child: Child,
    folder: PathBuf,
    url: String,
}

impl ServerProcess {
    /// Starts the server in this folder, on a free port of the loopback, and waits until it listens. A
    /// folder it ran in before is taken up again.
    ///
    /// # Panics
    /// When it does not come to listen; says why, with what the server said.
    #[must_use]
    pub fn start(folder: &Path, arguments: &[&str]) -> Self {
        Self::start_in(folder, arguments, &[])
    }

    /// The same with these variables in its environment.
    ///
    /// # Panics
    /// When it does not come to listen; says why, with what the server said.
    #[must_use]
    pub fn start_in(folder: &Path, arguments: &[&str], environment: &[(&str, &str)]) -> Self {
        let mut command = command(&path("vigint-server"), folder);
        command.args(arguments).envs(environment.iter().copied());
        Self::spawn(command, folder).unwrap_or_else(|error| panic!("{error:#}"))
    }

    /// The same for any program that takes `--host` and `--port` and says where it listens.
    ///
    /// # Errors
    /// When it does not come to listen; says why, with what the server said.
    pub fn start_program(
        program: &Path,
        folder: &Path,
        arguments: &[&str],
    ) -> anyhow::Result<Self> {
        let mut command = command(program, folder);
        command.args(arguments);
        Self::spawn(command, folder)
    }

    fn spawn(mut command: Command, folder: &Path) -> anyhow::Result<Self> {
        let output = append(&folder.join("server.out"))?;
        let said_before = output.metadata().map_or(0, |file| file.len());
        let child = command
            .args(["--host", "127.0.0.1", "--port", "0"])
            .stdout(output)
            .stderr(append(&folder.join("server.log"))?)
            .spawn()
            .with_context(|| format!("cannot start {}", command.get_program().display()))?;
        let mut server = Self {
            child,
            folder: folder.to_owned(),
            url: String::new(),
        };
        let outcome = wait_for(START_LIMIT, || {
            if let Some(url) = server.announced(said_before) {
                return Some(Ok(url));
            }
            match server.child.try_wait() {
                Ok(None) => None,
                Ok(Some(status)) => Some(Err(status.to_string())),
                Err(error) => Some(Err(error.to_string())),
            }
        });
        match outcome {
            Some(Ok(url)) => server.url = url,
            Some(Err(end)) => bail!(
                "the server ended before it listened ({end}):\n{}",
                server.log()
            ),
            None => bail!(
                "the server does not listen after {START_LIMIT:?}:\n{}",
                server.log()
            ),
        }
        Ok(server)
    }

    /// Where it listens, such as `http://127.0.0.1:40001`, without a slash at the end.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The folder it runs in: `vigint-data` is there.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Its process id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What it has said so far, on both outputs.
    #[must_use]
    pub fn log(&self) -> String {
        ["server.out", "server.log"]
            .map(|name| std::fs::read_to_string(self.folder.join(name)).unwrap_or_default())
            .concat()
    }

    /// Ends it at once, as a power cut does (SIGKILL), and waits until it is gone.
    ///
    /// # Panics
    /// When the signal cannot be sent.
    pub fn kill_nine(mut self) {
        self.child.kill().expect("the server can be killed");
        self.child
            .wait()
            .expect("a killed server can be waited for");
    }

    /// Asks it to stop (SIGTERM) and waits until it has.
    ///
    /// # Panics
    /// When it has not stopped after 40 s.
    pub fn stop(mut self) -> ExitStatus {
        kill_process(Pid::from_child(&self.child), Signal::TERM)
            .expect("the server can be signalled");
        wait_for(STOP_LIMIT, || {
            self.child.try_wait().expect("the server can be waited for")
        })
        .unwrap_or_else(|| {
            panic!(
                "the server has not stopped after {STOP_LIMIT:?}:\n{}",
                self.log()
            )
        })
    }

    /// Leaves it running when this program ends. Returns its process id.
    #[must_use]
    pub fn leave_running(self) -> u32 {
        let kept = std::mem::ManuallyDrop::new(self);
        kept.child.id()
    }

    /// The address in the line that the server prints, behind what earlier runs said.
    fn announced(&self, said_before: u64) -> Option<String> {
        let output = std::fs::read(self.folder.join("server.out")).ok()?;
        let output = output.get(usize::try_from(said_before).ok()?..)?;
        let output = String::from_utf8_lossy(output);
        let (_, after) = output.split_once(LISTENING)?;
        let (line, _) = after.split_once('\n')?;
        let url = line.split_whitespace().next()?.trim_end_matches('/');
        url.starts_with("http").then(|| url.to_owned())
    }
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        // It may have ended by itself: then there is nothing to do.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn append(path: &Path) -> anyhow::Result<File> {
    let file = OpenOptions::new().create(true).append(true).open(path);
    file.with_context(|| format!("cannot write {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A program that stands in for the server: a script, run by the shell.
    fn script(folder: &Path, text: &str) -> PathBuf {
        use std::os::unix::fs::PermissionsExt as _;
        let path = folder.join("fake-server");
        std::fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        path
    }

    #[test]
    fn the_address_is_taken_from_the_line_of_this_run() {
        let folder = tempfile::tempdir().unwrap();
        let text = "echo \"database new\"; echo \"listening on http://127.0.0.1:$$\"; exec cat /dev/zero >/dev/null";
        let program = script(folder.path(), text);
        let first = ServerProcess::start_program(&program, folder.path(), &[]).unwrap();
        assert_eq!(first.url(), format!("http://127.0.0.1:{}", first.pid()));
        first.kill_nine();
        let second = ServerProcess::start_program(&program, folder.path(), &[]).unwrap();
        assert_eq!(second.url(), format!("http://127.0.0.1:{}", second.pid()));
        assert_eq!(second.stop().code(), None, "ended by the signal");
    }

    #[test]
    fn a_server_that_ends_is_reported_with_what_it_said() {
        let folder = tempfile::tempdir().unwrap();
        let program = script(folder.path(), "echo 'port 5002 is taken' >&2; exit 3");
        let error = ServerProcess::start_program(&program, folder.path(), &[]).unwrap_err();
        let text = format!("{error:#}");
        assert!(
            text.contains("port 5002 is taken") && text.contains('3'),
            "{text}"
        );
    }

    #[test]
    fn the_callers_environment_does_not_reach_the_program() {
        let folder = tempfile::tempdir().unwrap();
        let output = command(Path::new("/usr/bin/env"), folder.path())
            .output()
            .unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(text.contains("PATH="));
        assert!(!text.contains("CARGO"), "{text}");
    }

    #[test]
    #[should_panic(expected = "cargo build --package no-such-program")]
    fn a_missing_program_is_named_with_its_cure() {
        let _ = path("no-such-program");
    }
}
