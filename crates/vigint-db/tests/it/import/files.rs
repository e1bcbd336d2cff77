//! A SQLite source stays as it is, to the byte and with nothing beside it, however it was left.

use std::path::Path;

use diesel::connection::SimpleConnection;
use tempfile::TempDir;
use vigint_db::Db;
use vigint_db::import::{ImportError, ImportReport, Target, import};

use super::OPTIONS;
use super::earlier::{Earlier, bytes_of, sqlite_url, two_shops};
use crate::fixture::{ADMIN, Fixture};

/// Imports the database of a folder, and looks whether the folder changed.
fn import_unchanged(folder: &Path) -> Result<ImportReport, ImportError> {
    let before = bytes_of(folder);
    let fixture = Fixture::sqlite().migrated();
    let outcome = import_into(folder, &fixture.db);
    assert!(
        bytes_of(folder) == before,
        "the folder of the source changed"
    );
    outcome
}

fn import_into(folder: &Path, db: &Db) -> Result<ImportReport, ImportError> {
    let url = sqlite_url(&folder.join("old vigint.db"));
    import(&url, Target::Into(db), &ADMIN, &OPTIONS)
}

/// The files as they lie there at this moment, without those of these endings: what a killed program leaves.
fn killed_now(earlier: &Earlier, without: &[&str]) -> TempDir {
    let left = tempfile::tempdir().unwrap();
    for (path, bytes) in bytes_of(earlier.file().parent().unwrap()) {
        let name = path.file_name().unwrap().to_str().unwrap();
        if !without.iter().any(|ending| name.ends_with(ending)) {
            std::fs::write(left.path().join(name), bytes).unwrap();
        }
    }
    left
}

#[test]
fn a_file_left_in_order_stays_as_it_is() {
    for mode in ["DELETE", "TRUNCATE", "PERSIST", "WAL"] {
        let earlier = Earlier::sqlite().with(&format!("PRAGMA journal_mode = {mode}"));
        earlier.sql(&two_shops());
        let report = import_unchanged(earlier.file().parent().unwrap()).unwrap();
        assert_eq!((report.clients, report.usage_rows), (2, 3), "{mode}");
    }
}

#[test]
fn what_stands_only_in_the_log_of_a_killed_program_comes_over() {
    let earlier = Earlier::sqlite().with("PRAGMA journal_mode = WAL");
    let mut running = earlier.connect_sqlite();
    running.batch_execute(&two_shops()).unwrap();
    let left = killed_now(&earlier, &[]);
    let report = import_unchanged(left.path()).unwrap();
    assert_eq!((report.clients, report.usage_rows), (2, 3));
    // The file alone would have been empty.
    let alone = killed_now(&earlier, &["-wal", "-shm"]);
    assert_eq!(import_unchanged(alone.path()).unwrap().clients, 0);
}

#[test]
fn a_log_without_its_index_is_not_read_past() {
    let earlier = Earlier::sqlite().with("PRAGMA journal_mode = WAL");
    let mut running = earlier.connect_sqlite();
    running.batch_execute(&two_shops()).unwrap();
    let left = killed_now(&earlier, &["-shm"]);
    let error = import_unchanged(left.path()).unwrap_err();
    assert!(matches!(error, ImportError::LogWithoutIndex(_)), "{error}");
    assert!(error.to_string().contains("wal_checkpoint"), "{error}");
}

#[test]
fn a_write_that_was_cut_short_is_not_read_as_done() {
    let earlier = Earlier::sqlite().with(&two_shops());
    let mut running = earlier.connect_sqlite();
    // Spilt to the file before its end, as a write larger than the memory for it is.
    running
        .batch_execute(
            "PRAGMA cache_size = 1; PRAGMA cache_spill = 1; BEGIN;
             WITH RECURSIVE n(i) AS (SELECT 100 UNION ALL SELECT i + 1 FROM n WHERE i < 5000)
             INSERT INTO api_usage (id, api_key_id, endpoint) SELECT i, 1, 'not committed' FROM n",
        )
        .unwrap();
    let left = killed_now(&earlier, &[]);
    let error = import_unchanged(left.path()).unwrap_err();
    assert!(matches!(error, ImportError::HotJournal(_)), "{error}");
    assert!(error.to_string().contains("-journal"), "{error}");
}

#[test]
fn an_import_may_run_beside_a_running_program_in_wal_mode() {
    let earlier = Earlier::sqlite().with("PRAGMA journal_mode = WAL");
    let mut running = earlier.connect_sqlite();
    running.batch_execute(&two_shops()).unwrap();
    let fixture = Fixture::sqlite().migrated();
    let folder = earlier.file().parent().unwrap().to_path_buf();
    let report = import_into(&folder, &fixture.db).unwrap();
    assert_eq!(report.clients, 2);
    running.batch_execute("DELETE FROM api_usage").unwrap();
}
