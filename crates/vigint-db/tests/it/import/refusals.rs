//! Sources that cannot be imported, and why.

use diesel::connection::SimpleConnection;
use diesel::{Connection, SqliteConnection};
use vigint_db::import::{self, ImportError, Target};

use super::earlier::{Earlier, sqlite_url, two_shops};
use super::run;
use crate::fixture::{ADMIN, Fixture};

fn refusal(earlier: &Earlier) -> String {
    let error = run(earlier, Target::DryRun(None)).unwrap_err();
    assert!(matches!(error, ImportError::NotVigint { .. }), "{error}");
    error.to_string()
}

#[test]
fn a_database_of_something_else_is_told_what_it_lacks() {
    let bare = [Some(Earlier::bare_sqlite()), Earlier::bare_postgres()];
    for earlier in bare.into_iter().flatten() {
        earlier.sql("CREATE TABLE clients (id INTEGER, name TEXT)");
        let said = refusal(&earlier);
        assert!(
            said.contains("it has no column 'email' in its table 'clients'"),
            "{said}"
        );
        earlier.sql("ALTER TABLE clients ADD COLUMN email TEXT");
        let said = refusal(&earlier);
        assert!(said.contains("it has no table 'api_keys'"), "{said}");
    }
    for earlier in [Some(Earlier::sqlite()), Earlier::postgres()]
        .into_iter()
        .flatten()
    {
        earlier.sql("ALTER TABLE api_usage DROP COLUMN cost");
        let said = refusal(&earlier);
        assert!(
            said.contains("column 'cost' in its table 'api_usage'"),
            "{said}"
        );
    }
}

#[test]
fn what_is_no_database_is_refused_and_none_is_made() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("old.db");
    let fixture = Fixture::sqlite().migrated();
    let refused = || import::check(&sqlite_url(&file), fixture.db.url()).unwrap_err();
    assert!(matches!(refused(), ImportError::NoSource(_)));
    assert!(!file.exists());
    std::fs::write(&file, "dear diary, ".repeat(1000)).unwrap();
    let error = refused().to_string();
    assert!(error.contains("not a database"), "{error}");
}

#[test]
fn a_database_of_this_vigint_is_no_earlier_one() {
    for ours in [Some(Fixture::sqlite()), Fixture::postgres()]
        .into_iter()
        .flatten()
    {
        let ours = ours.migrated();
        let target = Fixture::sqlite().migrated();
        let error = import::check(ours.db.url(), target.db.url()).unwrap_err();
        assert!(matches!(error, ImportError::ThisVigint { .. }), "{error}");
    }
}

#[test]
fn source_and_target_may_not_be_one_file_under_whatever_name() {
    let earlier = Earlier::sqlite().with(&two_shops());
    let folder = tempfile::tempdir().unwrap();
    let (link, hard) = (folder.path().join("link.db"), folder.path().join("hard.db"));
    std::os::unix::fs::symlink(earlier.file(), &link).unwrap();
    std::fs::hard_link(earlier.file(), &hard).unwrap();
    let before = std::fs::read(earlier.file()).unwrap();
    for name in [earlier.file(), link, hard] {
        let error = import::check(&earlier.url(), &sqlite_url(&name)).unwrap_err();
        assert!(matches!(error, ImportError::SameDatabase { .. }), "{error}");
    }
    assert_eq!(std::fs::read(earlier.file()).unwrap(), before);
}

#[test]
fn source_and_target_may_not_be_the_same_tables_of_a_postgres() {
    let (Some(earlier), Some(other)) = (Earlier::postgres(), Fixture::postgres()) else {
        return;
    };
    let url = earlier.url();
    let same = vigint_db::Db::open(&url, 1).unwrap();
    let error = run(&earlier, Target::DryRun(Some(&same))).unwrap_err();
    assert!(matches!(error, ImportError::SameDatabase { .. }), "{error}");
    // Another database of the same server is another.
    let other = other.migrated();
    run(&earlier, Target::DryRun(Some(&other.db))).unwrap();
}

#[test]
fn postgres_is_only_read() {
    let Some(earlier) = Earlier::postgres() else {
        return;
    };
    // Tables that are written to by being read.
    earlier.sql(
        "CREATE TABLE touched (at TIMESTAMP);
         CREATE FUNCTION touch() RETURNS INTEGER LANGUAGE sql AS
            $$ INSERT INTO touched VALUES (now()); SELECT 1 $$;
         ALTER TABLE clients RENAME TO real_clients;
         INSERT INTO real_clients VALUES (1, 'Acme', 'acme@shop.example');
         CREATE VIEW clients AS SELECT id * touch() AS id, name, email FROM real_clients;",
    );
    let fixture = Fixture::sqlite().migrated();
    let error = run(&earlier, Target::Into(&fixture.db))
        .unwrap_err()
        .to_string();
    assert!(error.contains("read-only transaction"), "{error}");
}

#[test]
fn a_password_is_in_nothing_that_is_said() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = free.local_addr().unwrap();
    drop(free);
    let url = format!("postgresql://u:c4nary@{address}/old")
        .parse()
        .unwrap();
    let options = super::OPTIONS;
    let error = import::import(&url, Target::DryRun(None), &ADMIN, &options).unwrap_err();
    let said = format!("{error} {error:?}");
    assert!(
        said.contains("u:***@") && !said.contains("c4nary"),
        "{said}"
    );
}

#[test]
fn a_source_that_another_program_is_writing_to_is_waited_for_and_then_refused() {
    let earlier = Earlier::sqlite().with(&two_shops());
    let mut writer = SqliteConnection::establish(earlier.file().to_str().unwrap()).unwrap();
    writer
        .batch_execute("BEGIN EXCLUSIVE; DELETE FROM clients")
        .unwrap();
    let error = run(&earlier, Target::DryRun(None)).unwrap_err().to_string();
    assert!(
        error.contains("another program is writing to it"),
        "{error}"
    );
}

#[test]
fn ids_that_no_page_can_go_by_are_refused() {
    for odd in [
        "CREATE TABLE clients (id TEXT, name TEXT, email TEXT); INSERT INTO clients (id) VALUES ('a'), ('b')",
        "CREATE TABLE clients (id INTEGER, name TEXT, email TEXT); INSERT INTO clients (id) VALUES (7), (7)",
    ] {
        let earlier = Earlier::sqlite().with("DROP TABLE clients").with(odd);
        let error = run(&earlier, Target::DryRun(None)).unwrap_err().to_string();
        assert!(
            error.contains("the ids in clients are not whole numbers"),
            "{error}"
        );
    }
}
