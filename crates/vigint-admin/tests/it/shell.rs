//! A folder with a database of its own, and a shell in it where nobody can be asked.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;
use vigint_core::clock::{Clock as _, SystemClock};
use vigint_core::key::ApiKey;
use vigint_db::Db;
use vigint_testkit::postgres::{self, TestDatabase};
use vigint_testkit::programs::ServerProcess;

/// The key of the admin API of servers that run in a shell's folder.
pub(crate) const ADMIN_KEY: &str = "the-key-of-the-admin-tests-81";

pub(crate) struct Shell {
    folder: TempDir,
    postgres: Option<TestDatabase>,
}

/// By which way commands go.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Way<'a> {
    /// To the database of the folder.
    Database,
    /// To the admin API of a server.
    Server(&'a ServerProcess),
}

/// Runs a test on a SQLite and on a PostgreSQL database, each time straight on the database and through a
/// server's admin API.
pub(crate) fn on_each_way(test: impl Fn(&Shell, Way<'_>)) {
    for make in [|| Some(Shell::new()), Shell::on_postgres] {
        for through_server in [false, true] {
            let Some(shell) = make() else { continue };
            let server = shell.serve();
            let way = if through_server {
                Way::Server(&server)
            } else {
                Way::Database
            };
            test(&shell, way);
        }
    }
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
            postgres: None,
        }
    }

    /// The same on a PostgreSQL database of its own; none when there is none here.
    pub(crate) fn on_postgres() -> Option<Self> {
        let database = postgres::database()?;
        let shell = Self {
            postgres: Some(database),
            ..Self::new()
        };
        shell.configure("");
        Some(shell)
    }

    /// Writes the folder's `config.ini`.
    fn configure(&self, more: &str) {
        let database = self.postgres.as_ref().map_or_else(String::new, |database| {
            format!("[Database]\ndatabase_url = {}\n", database.url())
        });
        let config = format!("{database}{more}");
        std::fs::write(self.folder().join("config.ini"), config).unwrap();
    }

    /// Starts a server with an admin API in the folder.
    pub(crate) fn serve(&self) -> ServerProcess {
        self.configure(&format!("[Admin]\napi_key = {ADMIN_KEY}\n"));
        ServerProcess::start(self.folder(), &[])
    }

    /// Runs `vigint-admin` with these words, by one way or the other.
    pub(crate) fn run_by(&self, way: Way<'_>, words: &[&str]) -> Said {
        match way {
            Way::Database => self.run(words),
            Way::Server(server) => {
                // Nothing of the folder helps from here.
                let elsewhere = tempfile::tempdir().unwrap();
                let mut command = self.admin(words);
                command
                    .current_dir(elsewhere.path())
                    .args(["--server-url", server.url()])
                    .env("VIGINT_ADMIN_KEY", ADMIN_KEY);
                Self::said(command.stdout(Stdio::piped()))
            }
        }
    }

    /// The same, and it must succeed: the object it prints.
    pub(crate) fn json_by(&self, way: Way<'_>, words: &[&str]) -> Value {
        let said = self.run_by(way, &[words, &["--json"]].concat());
        assert_eq!(said.code, 0, "{words:?} by {way:?}: {}", said.err);
        said.json()
    }

    /// A new client; its number and its key.
    pub(crate) fn create_by(&self, way: Way<'_>, name: &str) -> (String, ApiKey) {
        let email = format!("{}@shop.example", name.to_lowercase());
        let made = self.json_by(way, &["create", "--name", name, "--email", &email]);
        let key = made["api_key"].as_str().unwrap().parse().unwrap();
        (made["client_id"].to_string(), key)
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

    /// The same, with an admin key in the environment.
    pub(crate) fn run_with_key(&self, key: &str, words: &[&str]) -> Said {
        let mut command = self.admin(words);
        command.env("VIGINT_ADMIN_KEY", key);
        Self::said(command.stdout(Stdio::piped()))
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

    /// The command, yet to be run.
    pub(crate) fn admin(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_vigint-admin"));
        command
            .current_dir(self.folder())
            .args(words)
            .env_remove("DATABASE_URL")
            .env_remove("VIGINT_CONFIG_PATH")
            .env_remove("VIGINT_ADMIN_KEY")
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
        let url = self.postgres.as_ref().map_or_else(
            || format!("sqlite:///{}", self.database().display()),
            |database| database.url().to_owned(),
        );
        let db = Db::open(&url.parse().unwrap(), 1).unwrap();
        let now = SystemClock::new().now();
        let caller = db.read(|conn| vigint_db::auth::authenticate(conn, key.hash(), now));
        caller.unwrap().is_some()
    }
}
