//! A database as the earlier Python Vigint left it, made from the schema that its import is promised for.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection, SqliteConnection};
use tempfile::TempDir;
use vigint_core::key::ApiKey;
use vigint_db::DatabaseUrl;
use vigint_testkit::postgres::{self, TestDatabase};

/// As SQLAlchemy writes it for SQLite.
const SQLITE: &str = "
    CREATE TABLE clients (id INTEGER NOT NULL PRIMARY KEY, name VARCHAR(255), email VARCHAR(255) UNIQUE,
        created_at DATETIME, updated_at DATETIME);
    CREATE TABLE api_keys (id INTEGER NOT NULL PRIMARY KEY, client_id INTEGER, key_hash VARCHAR(64),
        name VARCHAR(255), is_active BOOLEAN, created_at DATETIME, updated_at DATETIME);
    CREATE TABLE api_usage (id INTEGER NOT NULL PRIMARY KEY, api_key_id INTEGER, endpoint VARCHAR(255),
        method VARCHAR(10), status_code INTEGER, cost FLOAT, timestamp DATETIME, request_data TEXT);";

const POSTGRES: &str = "
    CREATE TABLE clients (id SERIAL PRIMARY KEY, name VARCHAR(255), email VARCHAR(255) UNIQUE,
        created_at TIMESTAMP, updated_at TIMESTAMP);
    CREATE TABLE api_keys (id SERIAL PRIMARY KEY, client_id INTEGER, key_hash VARCHAR(64),
        name VARCHAR(255), is_active BOOLEAN, created_at TIMESTAMP, updated_at TIMESTAMP);
    CREATE TABLE api_usage (id SERIAL PRIMARY KEY, api_key_id INTEGER, endpoint VARCHAR(255),
        method VARCHAR(10), status_code INTEGER, cost DOUBLE PRECISION, timestamp TIMESTAMP, request_data TEXT);";

/// What a later version of it added.
const TOKENS: &str = "
    ALTER TABLE api_usage ADD COLUMN prompt_tokens INTEGER;
    ALTER TABLE api_usage ADD COLUMN completion_tokens INTEGER;
    ALTER TABLE api_usage ADD COLUMN total_tokens INTEGER;";

pub(crate) struct Earlier(Home);

enum Home {
    Folder(TempDir),
    Server(TestDatabase),
}

impl Earlier {
    /// An empty SQLite database.
    pub(crate) fn bare_sqlite() -> Self {
        Self(Home::Folder(tempfile::tempdir().unwrap()))
    }

    /// An empty PostgreSQL database.
    pub(crate) fn bare_postgres() -> Option<Self> {
        postgres::database().map(|database| Self(Home::Server(database)))
    }

    pub(crate) fn sqlite() -> Self {
        Self::bare_sqlite().with(&[SQLITE, TOKENS].concat())
    }

    pub(crate) fn postgres() -> Option<Self> {
        Some(Self::bare_postgres()?.with(&[POSTGRES, TOKENS].concat()))
    }

    /// Without the columns that came later.
    pub(crate) fn older_sqlite() -> Self {
        Self::bare_sqlite().with(SQLITE)
    }

    pub(crate) fn older_postgres() -> Option<Self> {
        Some(Self::bare_postgres()?.with(POSTGRES))
    }

    pub(crate) fn with(self, sql: &str) -> Self {
        self.sql(sql);
        self
    }

    pub(crate) fn sql(&self, sql: &str) {
        match &self.0 {
            Home::Folder(_) => self.connect_sqlite().batch_execute(sql).unwrap(),
            Home::Server(database) => PgConnection::establish(database.url())
                .unwrap()
                .batch_execute(sql)
                .unwrap(),
        }
    }

    pub(crate) fn connect_sqlite(&self) -> SqliteConnection {
        SqliteConnection::establish(self.file().to_str().unwrap()).unwrap()
    }

    pub(crate) const fn is_sqlite(&self) -> bool {
        matches!(self.0, Home::Folder(_))
    }

    pub(crate) fn url(&self) -> DatabaseUrl {
        match &self.0 {
            Home::Folder(_) => sqlite_url(&self.file()),
            Home::Server(database) => database.url().parse().unwrap(),
        }
    }

    pub(crate) fn file(&self) -> PathBuf {
        match &self.0 {
            Home::Folder(folder) => folder.path().join("old vigint.db"),
            Home::Server(_) => panic!("on PostgreSQL there is no file"),
        }
    }
}

pub(crate) fn sqlite_url(file: &Path) -> DatabaseUrl {
    format!("sqlite:///{}", file.display()).parse().unwrap()
}

/// Every file of a folder with all its bytes.
pub(crate) fn bytes_of(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    folder
        .read_dir()
        .unwrap()
        .map(|file| {
            let path = file.unwrap().path();
            let bytes = std::fs::read(&path).unwrap();
            (path, bytes)
        })
        .collect()
}

/// A key as the earlier Vigint made them: without our format.
pub(crate) fn key(name: &str) -> ApiKey {
    format!("key-of-the-earlier-vigint-{name}").parse().unwrap()
}

pub(crate) fn hash(name: &str) -> String {
    key(name).hash().to_hex()
}

/// A client with a good key each for `acme` and `bravo`; nothing in it is odd.
pub(crate) fn two_shops() -> String {
    format!(
        "INSERT INTO clients VALUES
            (1, 'Acme', 'acme@shop.example', '2025-01-02 03:04:05.678901', '2025-02-03 04:05:06'),
            (2, 'Bravo', 'bravo@shop.example', '2025-03-04 05:06:07', NULL);
         INSERT INTO api_keys VALUES
            (1, 1, '{acme}', 'till', TRUE, '2025-01-02 03:04:06.5', '2025-01-02 03:04:06.5'),
            (2, 2, '{bravo}', NULL, TRUE, '2025-03-04 05:06:08', '2025-03-04 05:06:08');
         INSERT INTO api_usage (id, api_key_id, endpoint, method, status_code, cost, timestamp) VALUES
            (1, 1, '/api/video/analyze', 'POST', 200, 0.02, '2025-05-01 10:00:00.123456'),
            (2, 2, '/api/video/buffer', 'POST', 200, 0, '2025-05-01 10:00:01'),
            (3, 1, '/api/video/alert', 'POST', 500, 0.005, '2025-05-01 10:00:02.5');",
        acme = hash("acme"),
        bravo = hash("bravo"),
    )
}
