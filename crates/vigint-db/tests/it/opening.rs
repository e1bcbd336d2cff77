use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use vigint_db::{Backend, DatabaseUrl, Db, DbError, health};
use vigint_testkit::postgres;

use crate::fixture::{Fixture, at};

fn mode(path: &Path) -> u32 {
    path.metadata().unwrap().permissions().mode() & 0o777
}

#[test]
fn a_misspelt_url_is_refused_and_creates_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("vigint.db");
    let path = path.display();
    for misspelt in [
        format!("{path}"),
        format!("sqlite:{path}"),
        format!("sqlite:/{path}"),
        format!("sqllite:///{path}"),
        format!("SQLITE:///{path}"),
        format!("sqlite3:///{path}"),
        format!("file://{path}"),
        format!("postgres:{path}"),
        format!("sqlite:///{path}?mode=rwc"),
    ] {
        let refused = misspelt.parse::<DatabaseUrl>();
        assert!(refused.is_err(), "{misspelt} was taken");
    }
    assert_eq!(folder.path().read_dir().unwrap().count(), 0);
}

#[test]
fn on_sqlite_file_and_folder_are_for_nobody_else() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a/b/vigint.db");
    let db = Db::open(&format!("sqlite:///{}", path.display()).parse().unwrap(), 2).unwrap();
    db.migrate().unwrap();
    assert_eq!(db.backend(), Backend::Sqlite);
    assert_eq!(mode(&folder.path().join("a")), 0o700);
    assert_eq!(mode(&folder.path().join("a/b")), 0o700);
    for file in path.parent().unwrap().read_dir().unwrap() {
        let file = file.unwrap().path();
        assert_eq!(mode(&file), 0o600, "{}", file.display());
    }
    assert!(path.with_extension("db-wal").exists(), "not in WAL mode");
}

#[test]
fn a_folder_that_cannot_be_made_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "in the way").unwrap();
    let url = format!("sqlite:///{}/vigint.db", file.display());
    let error = Db::open(&url.parse().unwrap(), 1).unwrap_err();
    assert!(
        matches!(&error, DbError::File { path, .. } if *path == file),
        "{error}"
    );
}

#[test]
fn a_file_that_is_no_database_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("notes.txt");
    std::fs::write(&file, "dear diary, ".repeat(1000)).unwrap();
    let url = format!("sqlite:///{}", file.display());
    let error = Db::open(&url.parse().unwrap(), 1).unwrap_err();
    assert!(error.to_string().contains("not a database"), "{error}");
}

#[test]
fn a_dead_postgres_is_named_at_once_in_the_drivers_words_without_the_password() {
    // A port that was free a moment ago: nobody listens there.
    let free = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let url = format!("postgresql://u:c4nary@{free}/db");
    let error = Db::open(&url.parse().unwrap(), 1).unwrap_err();
    let said = format!("{error} {error:?}");
    assert!(said.contains("Connection refused"), "{said}");
    assert!(said.contains(&format!("u:***@{free}/db")), "{said}");
    assert!(!said.contains("c4nary"), "{said}");
}

#[test]
fn a_refused_password_is_not_in_what_is_said() {
    let Some(database) = postgres::database() else {
        return;
    };
    let (before, after) = database.url().split_once("://").unwrap();
    let (user_info, host) = after.split_once('@').unwrap();
    let user = user_info.split(':').next().unwrap();
    let url = format!("{before}://{user}:c4n%40ry@{host}");
    let error = Db::open(&url.parse().unwrap(), 1).unwrap_err();
    let said = format!("{error} {error:?}");
    assert!(said.contains("password authentication failed"), "{said}");
    assert!(!said.contains("c4n"), "{said}");
}

on_each_database! {
    fn an_open_database_answers(fixture) {
        fixture.read(health::ping).unwrap();
    }

    fn a_full_pool_says_busy_in_five_seconds(fixture) {
        let db = Db::open(fixture.db.url(), 1).unwrap();
        let inner = db.clone();
        let busy = db.read(|_| inner.read(health::ping));
        assert!(matches!(busy, Err(DbError::Busy)), "{busy:?}");
        db.read(health::ping).unwrap();
    }
}

#[test]
fn one_server_at_a_time_has_a_sqlite_database() {
    let fixture = Fixture::sqlite();
    let other = fixture.open_again();
    assert_eq!(other.server_is_running().unwrap(), Some(false));
    let lock = fixture.db.lock_for_server().unwrap();
    assert_eq!(other.server_is_running().unwrap(), Some(true));
    let error = other.lock_for_server().unwrap_err();
    assert!(matches!(error, DbError::ServerRuns { .. }), "{error}");
    drop(lock);
    assert_eq!(other.server_is_running().unwrap(), Some(false));
    let _lock = other.lock_for_server().unwrap();
}

#[test]
fn several_servers_share_a_postgres() {
    let Some(fixture) = Fixture::postgres() else {
        return;
    };
    let _lock = fixture.db.lock_for_server().unwrap();
    let _another = fixture.open_again().lock_for_server().unwrap();
    assert_eq!(fixture.db.server_is_running().unwrap(), None);
}

#[test]
fn a_connection_that_postgres_closed_is_replaced() {
    let Some(fixture) = Fixture::postgres() else {
        return;
    };
    let fixture = fixture.migrated();
    let acme = fixture.customer("acme");
    let db = Db::open(fixture.db.url(), 1).unwrap();
    let found = || db.read(|conn| vigint_db::auth::authenticate(conn, acme.hash, at(1)));
    assert!(found().unwrap().is_some());
    fixture.sql(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
         WHERE datname = current_database() AND pid <> pg_backend_pid()",
    );
    // The first to use the dead connection finds out; the next gets a live one.
    let first: Result<_, DbError> = found();
    assert!(first.is_err());
    assert!(found().unwrap().is_some());
}

#[test]
fn a_postgres_that_went_away_is_named_with_the_drivers_reason() {
    let Some(fixture) = Fixture::postgres() else {
        return;
    };
    let db = fixture.without_its_database();
    // Until every connection it still had is found dead.
    let reason = (0..10)
        .find_map(|_| match db.read(health::ping) {
            Err(DbError::Unreachable { reason, .. }) => Some(reason),
            _ => None,
        })
        .unwrap();
    assert!(reason.contains("does not exist"), "{reason}");
}
