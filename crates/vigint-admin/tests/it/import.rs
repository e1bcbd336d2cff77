//! `import`.

use std::path::{Path, PathBuf};

use serde_json::json;
use vigint_core::clock::{Clock as _, SystemClock};
use vigint_core::key::ApiKey;
use vigint_db::Db;
use vigint_testkit::{earlier, postgres};

use crate::shell::{Said, Shell};

fn earlier_sqlite(shell: &Shell) -> (PathBuf, String) {
    let file = earlier::sqlite(shell.folder());
    let url = format!("sqlite:///{}", file.display());
    (file, url)
}

fn counted(said: &Said) -> serde_json::Value {
    assert_eq!(said.code, 0, "{}", said.err);
    said.json()
}

fn is_accepted(url: &str) -> bool {
    let hash = earlier::KEY.parse::<ApiKey>().unwrap().hash();
    let db = Db::open(&url.parse().unwrap(), 1).unwrap();
    let now = SystemClock::new().now();
    let caller = db.read(|conn| vigint_db::auth::authenticate(conn, hash, now));
    caller.unwrap().is_some()
}

/// A dry run, a run and a second run, into the database at this address, which is not there yet.
fn imports_into_a_new_database(shell: &Shell, from: &str, into: &str) {
    let import = ["import", "--from", from, "--json"];
    let dry = counted(&shell.run(&[&import[..], &["--dry-run"]].concat()));
    let mut expected = json!({
        "success": true, "dry_run": true,
        "clients": 1, "api_keys": 2, "inactive_api_keys": 1, "resumed_api_keys": 0,
        "usage_rows": 1, "total_cost": 0.3, "currency": "EUR",
        "skipped_clients": 1, "skipped_api_keys": 0, "skipped_usage_rows": 0,
        "skipped": [{
            "kind": "client", "id": 2, "name": "Nowhere <>", "reason": "it has no e-mail address",
            "api_keys": 0, "usage_rows": 0,
        }],
        "payment_details_left": true,
    });
    assert_eq!(dry, expected);
    let real = counted(&shell.run(&import));
    expected["dry_run"] = json!(false);
    assert_eq!(real, expected);
    assert!(is_accepted(into));
    let again = counted(&shell.run(&import));
    assert_eq!(
        (&again["clients"], &again["usage_rows"]),
        (&json!(0), &json!(0))
    );
    assert_eq!(again["skipped_clients"], 2);
    let list = shell.run(&["list", "--json"]).json();
    assert_eq!(list["count"], 1);
    let keys = &list["clients"][0]["api_keys"];
    assert_eq!(
        (&keys[0]["is_active"], &keys[1]["is_active"]),
        (&json!(true), &json!(false))
    );
}

#[test]
fn an_earlier_database_comes_over_from_either_into_either() {
    for from_sqlite in [true, false] {
        for into_sqlite in [true, false] {
            let shell = Shell::new();
            let (Some(source), Some(target)) = (earlier::postgres(), postgres::database()) else {
                return;
            };
            let from = if from_sqlite {
                earlier_sqlite(&shell).1
            } else {
                source.url().to_owned()
            };
            let into = if into_sqlite {
                format!("sqlite:///{}", shell.database().display())
            } else {
                let config = format!("[Database]\ndatabase_url = {}\n", target.url());
                std::fs::write(shell.folder().join("config.ini"), config).unwrap();
                target.url().to_owned()
            };
            imports_into_a_new_database(&shell, &from, &into);
        }
    }
}

#[test]
fn a_dry_run_makes_no_database_and_says_all_in_words() {
    let shell = Shell::new();
    let (file, from) = earlier_sqlite(&shell);
    let before = std::fs::read(&file).unwrap();
    let dry = shell.run(&["--import", "--from", &from, "--dry-run"]);
    assert_eq!(dry.code, 0, "{}", dry.err);
    assert!(!shell.database().exists());
    assert_eq!(names(shell.folder()), ["earlier.db"]);
    assert!(dry.err.contains("(new, not made yet)"), "{}", dry.err);
    assert!(dry.err.contains("Nothing was changed."), "{}", dry.err);
    let real = shell.run(&["--import", "--from", &from]);
    assert_eq!(real.code, 0, "{}", real.err);
    assert!(real.err.contains("(new, made just now)"), "{}", real.err);
    for (said, brought) in [(&dry, "Would bring in"), (&real, "Brought in")] {
        let sum = format!(
            "{brought}: 1 client, 2 keys (1 of them inactive: revoked for good), 1 usage row, 0.300000 EUR"
        );
        assert!(said.out.contains(&sum), "{}", said.out);
        assert!(
            said.out.contains("it has no e-mail address"),
            "{}",
            said.out
        );
        assert!(
            said.err.contains("payment_details was left where it is"),
            "{}",
            said.err
        );
    }
    assert_eq!(names(shell.folder()), ["earlier.db", "vigint-data"]);
    assert_eq!(std::fs::read(&file).unwrap(), before);
    let ours = std::fs::read(shell.database()).unwrap();
    assert!(!ours.windows(6).any(|bytes| bytes == b"c4nary"));
}

fn names(folder: &Path) -> Vec<String> {
    let files = folder.read_dir().unwrap();
    let mut names: Vec<String> = files
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn what_cannot_be_imported_is_refused_before_a_database_is_made() {
    let shell = Shell::new();
    let (file, from) = earlier_sqlite(&shell);
    let nothing = shell.run(&["import", "--from", "sqlite:///nothing.db"]);
    assert_eq!(nothing.code, 1);
    assert!(
        nothing
            .err
            .contains("no database of the earlier Vigint at nothing.db"),
        "{}",
        nothing.err
    );
    let misspelt = shell.run(&["import", "--from", "postgres+psycopg2://u:c4nary@h/db"]);
    assert_eq!(misspelt.code, 2);
    assert!(
        misspelt.err.contains("--from: the database URL"),
        "{}",
        misspelt.err
    );
    assert!(!misspelt.err.contains("c4nary"), "{}", misspelt.err);
    assert_eq!(names(shell.folder()), ["earlier.db"]);

    // The earlier database as the one to work on, as who set DATABASE_URL to it would have it.
    let before = std::fs::read(&file).unwrap();
    std::fs::write(
        shell.folder().join("config.ini"),
        format!("[Database]\ndatabase_url = {from}\n"),
    )
    .unwrap();
    for dry_run in [&["--dry-run"][..], &[]] {
        let same = shell.run(&[&["import", "--from", "sqlite:///./earlier.db"], dry_run].concat());
        assert_eq!(same.code, 1);
        assert!(
            same.err
                .contains("the very database that would be imported into"),
            "{}",
            same.err
        );
    }
    assert_eq!(std::fs::read(&file).unwrap(), before);
    assert_eq!(names(shell.folder()), ["config.ini", "earlier.db"]);
}
