//! Running the real program in a folder of its own, with an environment of its own.

use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

use serde_json::Value;
use tokio::process::{Child, Command};
use tokio::time::timeout;

pub(crate) use crate::has_ffmpeg::has_ffmpeg;

use crate::has_ffmpeg::environment;
use crate::scripted_server::PATIENCE;

/// A folder to run in, with a film when one was made.
pub(crate) struct Folder(tempfile::TempDir);

impl Folder {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn write(&self, name: &str, content: &str) -> PathBuf {
        let path = self.path().join(name);
        std::fs::write(&path, content).unwrap();
        path
    }

    /// The program with these arguments; nothing of this process's environment but PATH.
    pub(crate) fn client(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_vigint-client"));
        command
            .args(args)
            .current_dir(self.path())
            .env_clear()
            .env("PATH", path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        command
    }

    /// `film.mp4` of this many seconds at 10 frames a second.
    pub(crate) async fn film(&self, seconds: u32) -> String {
        let source = format!("testsrc=size=320x180:rate=10:duration={seconds}");
        let made = Command::new("ffmpeg")
            .args([
                "-v", "error", "-f", "lavfi", "-i", &source, "-pix_fmt", "yuv420p",
            ])
            .arg(self.path().join("film.mp4"))
            .stdin(Stdio::null())
            .status()
            .await
            .unwrap();
        assert!(made.success());
        "film.mp4".to_owned()
    }
}

/// How a run of the program went.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ran {
    /// Everything that was printed.
    pub(crate) fn printed(&self) -> String {
        format!("{}{}", self.stdout, self.stderr)
    }

    /// Standard output as events: every line must be one.
    pub(crate) fn events(&self) -> Vec<Value> {
        let parse =
            |line: &str| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"));
        self.stdout.lines().map(parse).collect()
    }

    pub(crate) fn event_names(&self) -> Vec<String> {
        let name = |event: &Value| event["event"].as_str().unwrap().to_owned();
        self.events().iter().map(name).collect()
    }
}

/// Runs to the end.
pub(crate) async fn run(command: &mut Command) -> Ran {
    finish(command.spawn().unwrap()).await
}

/// Waits for the end.
pub(crate) async fn finish(child: Child) -> Ran {
    let output = timeout(PATIENCE, child.wait_with_output()).await;
    let Output {
        status,
        stdout,
        stderr,
    } = output.expect("the program never ended").unwrap();
    Ran {
        code: status.code().expect("the program was killed by a signal"),
        stdout: String::from_utf8(stdout).unwrap(),
        stderr: String::from_utf8(stderr).unwrap(),
    }
}

fn path() -> String {
    environment("PATH").unwrap()
}
