//! A child process at the head of a group of its own, which ends with it: whatever it started, too.
//!
//! It knows nothing of ffmpeg. In a group of its own Ctrl-C on the terminal is for us alone, and we end our
//! children in order.

use std::io;
use std::process::ExitStatus;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};
use tokio::time::timeout;

/// A running group. Dropping it kills what is left of it.
#[derive(Debug)]
pub(super) struct ProcessGroup {
    child: Child,
    /// The group's number, until its head has been waited for: from then on it may be somebody else's.
    id: Option<Pid>,
}

impl ProcessGroup {
    /// Starts it.
    ///
    /// # Errors
    /// Why the program cannot be started.
    pub(super) fn spawn(command: &mut Command) -> io::Result<Self> {
        let child = command.process_group(0).kill_on_drop(true).spawn()?;
        let id = child.id().and_then(|id| i32::try_from(id).ok());
        Ok(Self {
            id: id.and_then(Pid::from_raw),
            child,
        })
    }

    /// Its input, when that is a pipe and nobody has taken it.
    pub(super) fn take_stdin(&mut self) -> Option<ChildStdin> {
        self.child.stdin.take()
    }

    /// Its output, when that is a pipe and nobody has taken it.
    pub(super) fn take_stdout(&mut self) -> Option<ChildStdout> {
        self.child.stdout.take()
    }

    /// Its words, when they go into a pipe and nobody has taken it.
    pub(super) fn take_stderr(&mut self) -> Option<ChildStderr> {
        self.child.stderr.take()
    }

    /// Waits until its head has ended by itself, and ends what that left behind.
    ///
    /// # Errors
    /// When it cannot be waited for.
    pub(super) async fn wait(&mut self) -> io::Result<ExitStatus> {
        let status = self.child.wait().await?;
        self.signal(Signal::KILL);
        self.id = None;
        Ok(status)
    }

    /// Asks it to end, and after `patience` no longer asks.
    pub(super) async fn end(&mut self, patience: Duration) {
        self.signal(Signal::TERM);
        if timeout(patience, self.wait()).await.is_err() {
            self.signal(Signal::KILL);
            let _ = timeout(patience, self.wait()).await;
        }
    }

    /// One that has gone already needs no signal.
    fn signal(&self, signal: Signal) {
        if let Some(id) = self.id {
            let _ = kill_process_group(id, signal);
        }
    }
}

impl Drop for ProcessGroup {
    fn drop(&mut self) {
        self.signal(Signal::KILL);
    }
}

#[cfg(test)]
mod tests {
    use std::process::Stdio;

    use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader};

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(20);

    /// A shell that starts a child of its own, says that child's number and waits for it; both hold the pipe open.
    fn family(of_head: &str) -> (ProcessGroup, BufReader<ChildStdout>) {
        let script = format!("{of_head} sleep 1000 & echo $!; wait; wait");
        let mut command = Command::new("sh");
        command.arg("-c").arg(script).stdout(Stdio::piped());
        let mut group = ProcessGroup::spawn(&mut command).unwrap();
        let stdout = BufReader::new(group.take_stdout().unwrap());
        (group, stdout)
    }

    /// The pipe ends once nobody of the family holds it any more.
    async fn all_gone(mut stdout: BufReader<ChildStdout>) {
        let mut rest = Vec::new();
        let read = timeout(PATIENCE, stdout.read_to_end(&mut rest)).await;
        read.expect("somebody of the group lives on").unwrap();
    }

    #[tokio::test]
    async fn ending_a_group_ends_what_its_head_has_started() {
        let (mut group, mut stdout) = family("");
        stdout.read_line(&mut String::new()).await.unwrap();
        group.end(PATIENCE).await;
        all_gone(stdout).await;
    }

    #[tokio::test]
    async fn who_does_not_listen_is_killed_with_the_whole_group() {
        let (mut group, mut stdout) = family("trap '' TERM;");
        stdout.read_line(&mut String::new()).await.unwrap();
        group.end(Duration::from_millis(1)).await;
        all_gone(stdout).await;
    }

    #[tokio::test]
    async fn dropping_a_group_kills_all_of_it() {
        let (group, mut stdout) = family("trap '' TERM;");
        stdout.read_line(&mut String::new()).await.unwrap();
        drop(group);
        all_gone(stdout).await;
    }

    #[tokio::test]
    async fn what_a_head_leaves_behind_ends_with_it() {
        let mut command = Command::new("sh");
        command
            .args(["-c", "sleep 1000 & exit 3"])
            .stdout(Stdio::piped());
        let mut group = ProcessGroup::spawn(&mut command).unwrap();
        let stdout = BufReader::new(group.take_stdout().unwrap());
        assert_eq!(group.wait().await.unwrap().code(), Some(3));
        all_gone(stdout).await;
    }
}
