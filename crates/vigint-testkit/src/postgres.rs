//! Fresh PostgreSQL databases for tests, on a private cluster that tests start themselves or on the server
//! whose URL is in `VIGINT_TEST_POSTGRES` (its user must be allowed to create databases).
//!
//! Without PostgreSQL tests say so loudly and pass; with `VIGINT_REQUIRE_POSTGRES=1` (set by
//! `cargo xtask test`) they fail. It must not know any table.

mod cluster;
mod programs;

use std::process::{Command, Stdio};
use std::sync::OnceLock;

use vigint_core::random::{Random as _, SystemRandom};

use self::cluster::Cluster;
use self::programs::Programs;

/// Where fresh databases are made.
enum Server {
    /// Somebody else's.
    Given(String),
    /// Ours.
    Private(Cluster),
}

impl Server {
    fn url(&self) -> &str {
        match self {
            Self::Given(url) => url,
            Self::Private(cluster) => cluster.url(),
        }
    }
}

/// A database of its own for one test, empty at first; dropped with this value.
#[derive(Debug)]
pub struct TestDatabase {
    name: String,
    url: String,
}

impl TestDatabase {
    /// `postgresql://user:password@host:port/name`.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Runs statements in it, all or none.
    ///
    /// # Errors
    /// What PostgreSQL says against them.
    pub fn run(&self, statements: &str) -> Result<(), String> {
        run_statement(programs().expect("asked before"), &self.url, statements)
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        // The server may be gone already, and a test that failed before should say its own reason.
        let _ = psql(&format!("DROP DATABASE {} WITH (FORCE)", self.name));
    }
}

/// Whether [`database`] can give one.
#[must_use]
pub fn available() -> bool {
    programs().is_some()
}

/// A fresh database; `None`, said loudly on standard error, when there is no PostgreSQL here.
///
/// # Panics
/// When there is none and `VIGINT_REQUIRE_POSTGRES=1`, or when PostgreSQL is there but does not work.
#[must_use]
pub fn database() -> Option<TestDatabase> {
    if !available() {
        let required = environment("VIGINT_REQUIRE_POSTGRES").is_some_and(|value| value == "1");
        assert!(
            !required,
            "PostgreSQL not found, and VIGINT_REQUIRE_POSTGRES=1: install the package `postgresql`"
        );
        eprintln!(
            "PostgreSQL not found: tests on PostgreSQL are skipped; cargo xtask test installs it"
        );
        return None;
    }
    let mut random = [0; 8];
    SystemRandom.fill(&mut random);
    let name = format!("vigint_test_{:016x}", u64::from_le_bytes(random));
    psql(&format!("CREATE DATABASE {name} TEMPLATE template0"))
        .expect("a fresh database can be made");
    let url = with_database(server().url(), &name);
    Some(TestDatabase { name, url })
}

fn server() -> &'static Server {
    // Never dropped: the lock that keeps a private cluster alive goes with the process.
    static SERVER: OnceLock<Server> = OnceLock::new();
    SERVER.get_or_init(|| match environment("VIGINT_TEST_POSTGRES") {
        Some(url) => Server::Given(url),
        None => Server::Private(Cluster::join(programs().expect("asked before"))),
    })
}

fn programs() -> Option<&'static Programs> {
    static PROGRAMS: OnceLock<Option<Programs>> = OnceLock::new();
    let server_is_given = environment("VIGINT_TEST_POSTGRES").is_some();
    PROGRAMS
        .get_or_init(|| Programs::find(server_is_given))
        .as_ref()
}

/// Runs one statement on the server.
fn psql(statement: &str) -> Result<(), String> {
    run_statement(programs().expect("asked before"), server().url(), statement)
}

fn run_statement(programs: &Programs, url: &str, statement: &str) -> Result<(), String> {
    let output = Command::new(&programs.psql)
        .args(["--no-psqlrc", "--quiet", "--no-password"])
        .args(["--dbname", url, "--command", statement])
        .env("PGCONNECT_TIMEOUT", "10")
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("{}: {error}", programs.psql.display()))?;
    if output.status.success() {
        Ok(())
    } else {
        Err(String::from_utf8_lossy(&output.stderr).into_owned())
    }
}

/// A server's URL with another database in it.
fn with_database(url: &str, name: &str) -> String {
    let (address, parameters) = match url.split_once('?') {
        Some((address, parameters)) => (address, format!("?{parameters}")),
        None => (url, String::new()),
    };
    let authority_at = address.find("://").map_or(0, |at| at + 3);
    let authority = match address[authority_at..].find('/') {
        Some(slash) => &address[..authority_at + slash],
        None => address,
    };
    format!("{authority}/{name}{parameters}")
}

fn environment(name: &str) -> Option<String> {
    #[allow(
        clippy::disallowed_methods,
        reason = "tests have no settings: which server they use is said in the environment"
    )]
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fresh_database_takes_the_place_of_the_servers_own() {
        for (url, fresh) in [
            ("postgresql://u:p@h:1/postgres", "postgresql://u:p@h:1/x"),
            ("postgresql://h", "postgresql://h/x"),
            (
                "postgresql://h/a?sslmode=disable",
                "postgresql://h/x?sslmode=disable",
            ),
        ] {
            assert_eq!(with_database(url, "x"), fresh);
        }
    }

    #[test]
    fn every_test_gets_a_database_of_its_own() {
        let (Some(one), Some(other)) = (database(), database()) else {
            return;
        };
        let run = |database: &TestDatabase, statement: &str| {
            run_statement(programs().unwrap(), database.url(), statement)
        };
        run(&one, "CREATE TABLE t (i int)").unwrap();
        run(&one, "SELECT * FROM t").unwrap();
        run(&other, "SELECT * FROM t").unwrap_err();
        let gone = one.url().to_owned();
        drop(one);
        run_statement(programs().unwrap(), &gone, "SELECT 1").unwrap_err();
    }
}
