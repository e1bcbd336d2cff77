//! Real servers on one database, and customers made in it without a program.

use std::path::Path;

use tempfile::TempDir;
use vigint_core::ids::ClientId;
use vigint_core::key::ApiKey;
use vigint_core::locale::Locale;
use vigint_core::random::SystemRandom;
use vigint_db::clients::NewClient;
use vigint_db::keys::{KeyRow, NewKey};
use vigint_db::{Db, Tenant};
use vigint_testkit::postgres::{self, TestDatabase};
use vigint_testkit::programs::{self, ServerProcess};

use crate::fixture::{OPERATOR, now};

/// Tests that ask without pause must not run into what bounds callers.
const NO_LIMITS: &str = "[Limits]
requests_per_second = 1000000
burst = 1000000
analyses_per_minute = 1000000
failed_auth_per_minute = 1000000
";

/// Servers that run, the database they share, and the folder of the first, where commands are run.
pub(crate) struct Premises {
    pub(crate) servers: Vec<ServerProcess>,
    pub(crate) db: Db,
    folders: Vec<TempDir>,
    _postgres: Option<TestDatabase>,
}

impl Premises {
    pub(crate) fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:///{}/vigint.db", folder.path().display());
        Self::start(vec![folder], &url, None)
    }

    /// `count` servers on one PostgreSQL; none when there is none here.
    pub(crate) fn postgres(count: usize) -> Option<Self> {
        let database = postgres::database()?;
        let url = database.url().to_owned();
        let folders = (0..count).map(|_| tempfile::tempdir().unwrap()).collect();
        Some(Self::start(folders, &url, Some(database)))
    }

    fn start(folders: Vec<TempDir>, url: &str, database: Option<TestDatabase>) -> Self {
        let servers = folders.iter().map(|folder| {
            let config = format!("[Database]\ndatabase_url = {url}\n{NO_LIMITS}");
            std::fs::write(folder.path().join("config.ini"), config).unwrap();
            ServerProcess::start(folder.path(), &[])
        });
        Self {
            servers: servers.collect(),
            db: Db::open(&url.parse().unwrap(), 2).unwrap(),
            folders,
            _postgres: database,
        }
    }

    pub(crate) fn url(&self) -> &str {
        self.servers[0].url()
    }

    /// Runs `vigint-admin`, which must succeed.
    pub(crate) fn admin(&self, arguments: &[&str]) {
        let folder: &Path = self.folders[0].path();
        let output = programs::run("vigint-admin", folder, arguments);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?}: {said}");
    }

    pub(crate) fn client(&self, name: &str) -> Tenant {
        let new = NewClient {
            name: name.to_owned(),
            email: format!("{name}@shop.example"),
            locale: Locale::English,
            time_zone: "Europe/Paris".to_owned(),
        };
        let made = self
            .db
            .write(|conn| vigint_db::clients::create(conn, &OPERATOR, &new, now()));
        Tenant::by_operator(&OPERATOR, made.unwrap().id)
    }

    /// A new key of a client, and its row.
    pub(crate) fn key(&self, of: &Tenant) -> (String, KeyRow) {
        let key = ApiKey::generate(&SystemRandom);
        let new = NewKey {
            hash: key.hash(),
            prefix: key.shown_prefix().to_owned(),
            name: "till".to_owned(),
            expires_at: None,
        };
        let made = self
            .db
            .write(|conn| vigint_db::keys::create(conn, of, &new, now()));
        (key.reveal().to_owned(), made.unwrap())
    }

    /// How many frames of this client are in memory at the first server, asked with a good key.
    pub(crate) fn frames(&self, client: ClientId, key: &str) -> i64 {
        let path = format!("/api/clients/{client}/sources");
        let bearer = format!("Bearer {key}");
        let headers = [("authorization", bearer.as_str())];
        let answer = crate::fixture::send(self.url(), "GET", &path, &headers, b"").json();
        let sources = answer["sources"].as_array().unwrap();
        sources
            .iter()
            .map(|source| source["frames"].as_i64().unwrap())
            .sum()
    }
}
