//! A folder with a database of its own, and a shell in it where nobody can be asked.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;
use vigint_core::clock::{Clock as _, SystemClock};
use vigint_core::key::ApiKey;
use vigint_db::Db;

pub(crate) struct Shell {
    folder: TempDir,
}

pub(crate) struct Said {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Said {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error} in {:?}", self.out))
    }
}

impl Shell {
    pub(crate) fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
        }
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn database(&self) -> PathBuf {
        self.folder().join("vigint-data/vigint.db")
    }

    /// Runs `vigint-admin` with these words.
    pub(crate) fn run(&self, words: &[&str]) -> Said {
        Self::said(self.admin(words).stdout(Stdio::piped()))
    }

    /// The same, with a standard output that takes nothing: every write to it says that the disk is full.
    pub(crate) fn run_onto_a_full_disk(&self, words: &[&str]) -> Said {
        Self::said(self.admin(words).stdout(File::create("/dev/full").unwrap()))
    }

    /// The same, with a standard output that nobody reads any more.
    pub(crate) fn run_into_a_closed_pipe(&self, words: &[&str]) -> Said {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        Self::said(self.admin(words).stdout(writer))
    }

    fn admin(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_vigint-admin"));
        command
            .current_dir(self.folder())
            .args(words)
            .env_remove("DATABASE_URL")
            .env_remove("VIGINT_CONFIG_PATH")
            .stdin(Stdio::null())
            .stderr(Stdio::piped());
        command
    }

    fn said(command: &mut Command) -> Said {
        let output = command.spawn().unwrap().wait_with_output().unwrap();
        Said {
            code: output.status.code().unwrap(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// A new client; its number and its key.
    pub(crate) fn create(&self, name: &str) -> (i64, ApiKey) {
        let email = format!("{}@shop.example", name.to_lowercase());
        let said = self.run(&["create", "--name", name, "--email", &email, "--json"]);
        assert_eq!(said.code, 0, "{}", said.err);
        let created = said.json();
        let key = created["api_key"].as_str().unwrap().parse().unwrap();
        (created["client_id"].as_i64().unwrap(), key)
    }

    /// Whether a request with this key would be let in now.
    pub(crate) fn lets_in(&self, key: &ApiKey) -> bool {
        let url = format!("sqlite:///{}", self.database().display());
        let db = Db::open(&url.parse().unwrap(), 1).unwrap();
        let now = SystemClock::new().now();
        let caller = db.read(|conn| vigint_db::auth::authenticate(conn, key.hash(), now));
        caller.unwrap().is_some()
    }
}
