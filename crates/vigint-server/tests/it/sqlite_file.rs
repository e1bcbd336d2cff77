//! Statements on a SQLite file that a server has open. diesel is vigint-db's alone, also in tests, and there is not
//! `sqlite3` on every machine.

use std::ffi::{CStr, CString};
use std::path::Path;
use std::ptr;

use libsqlite3_sys as sqlite;

/// Runs them one after the other.
///
/// # Panics
/// When SQLite refuses one, with its own words.
#[allow(
    unsafe_code,
    reason = "SQLite's own interface is one of C; what it is given lives until it is closed"
)]
pub(crate) fn run(file: &Path, statements: &str) {
    let file = CString::new(file.to_str().unwrap()).unwrap();
    let statements = CString::new(statements).unwrap();
    let mut db = ptr::null_mut();
    // SAFETY: both texts end with a zero and outlive the calls, `db` is what `open` gave and is closed once, and
    // its message is copied before that.
    let (result, message) = unsafe {
        let opened = sqlite::sqlite3_open_v2(
            file.as_ptr(),
            &raw mut db,
            sqlite::SQLITE_OPEN_READWRITE,
            ptr::null(),
        );
        let result = if opened == sqlite::SQLITE_OK {
            sqlite::sqlite3_busy_timeout(db, 5_000);
            sqlite::sqlite3_exec(
                db,
                statements.as_ptr(),
                None,
                ptr::null_mut(),
                ptr::null_mut(),
            )
        } else {
            opened
        };
        let message = CStr::from_ptr(sqlite::sqlite3_errmsg(db))
            .to_string_lossy()
            .into_owned();
        sqlite::sqlite3_close(db);
        (result, message)
    };
    assert_eq!(result, sqlite::SQLITE_OK, "{message}");
}
