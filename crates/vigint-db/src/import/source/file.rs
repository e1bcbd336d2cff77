//! A SQLite file, opened so that neither it nor its folder changes.
//!
//! SQLite reads a database in WAL mode through an index beside it (`-shm`), which it makes or mends. So:
//!
//! | beside the file | it is opened | why that is safe |
//! |---|---|---|
//! | no `-wal`, not in WAL mode | `mode=ro` | with SQLite's own locks: writers wait until the import has ended |
//! | no `-wal`, or an empty one, in WAL mode | `immutable=1`, without locks | whoever opens it makes a `-wal`: that, or a change of the file, stops the import |
//! | `-wal` and `-shm`: a running program, or one that was killed | `mode=ro&readonly_shm=1` | the index is only read; where it is stale SQLite makes its own in memory |
//! | `-wal` without `-shm` | not at all | there is no way to read it whole without writing |

use std::fs::Metadata;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use diesel::{Connection, ConnectionResult, SqliteConnection};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

use crate::import::ImportError;

/// Where the header says how the file is written, and what it says in WAL mode.
const WRITE_VERSION_AT: usize = 18;
const WRITE_VERSION_OF_WAL: u8 = 2;

/// What SQLite would not take as part of a path in a `file:` URI.
const NOT_IN_A_PATH: &AsciiSet = &CONTROLS.add(b'%').add(b'?').add(b'#').add(b' ');

/// The file and how it has to be opened.
pub(super) struct SourceFile {
    path: PathBuf,
    parameters: &'static str,
    /// When it is read without locks: how it looked before.
    before: Option<Look>,
}

/// What changes when somebody writes.
#[derive(PartialEq, Eq)]
struct Look {
    bytes: u64,
    modified: Option<SystemTime>,
    log_bytes: u64,
}

impl SourceFile {
    pub(super) fn find(path: &Path) -> Result<Self, ImportError> {
        if !path.is_file() {
            return Err(ImportError::NoSource(path.to_path_buf()));
        }
        let path = std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
        let has_index = beside(&path, "-shm").is_some();
        let log_bytes = beside(&path, "-wal").map(|log| log.len());
        let (parameters, before) = match log_bytes {
            Some(_) if has_index => ("mode=ro&readonly_shm=1", None),
            Some(1..) => return Err(ImportError::LogWithoutIndex(path)),
            _ if is_in_wal_mode(&path) && !has_journal(&path) => {
                ("mode=ro&immutable=1", Look::at(&path))
            }
            _ => ("mode=ro", None),
        };
        Ok(Self {
            path,
            parameters,
            before,
        })
    }

    pub(super) fn connect(&self) -> ConnectionResult<SqliteConnection> {
        let path = self.path.to_string_lossy();
        let path = utf8_percent_encode(&path, NOT_IN_A_PATH);
        SqliteConnection::establish(&format!("file:{path}?{}", self.parameters))
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Whether a write was begun and never ended, or is at work.
    pub(super) fn has_journal(&self) -> bool {
        has_journal(&self.path)
    }

    /// Where locks keep writers out, or a snapshot keeps them apart, this holds by itself.
    pub(super) fn check_unchanged(&self) -> Result<(), ImportError> {
        if self.before.is_none() || Look::at(&self.path) == self.before {
            Ok(())
        } else {
            Err(ImportError::SourceChanged(self.path.clone()))
        }
    }
}

impl Look {
    fn at(path: &Path) -> Option<Self> {
        let file = path.metadata().ok()?;
        Some(Self {
            bytes: file.len(),
            modified: file.modified().ok(),
            log_bytes: beside(path, "-wal").map_or(0, |log| log.len()),
        })
    }
}

/// The file with this ending, if it is there.
fn beside(path: &Path, ending: &str) -> Option<Metadata> {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    Path::new(&name).metadata().ok()
}

fn has_journal(path: &Path) -> bool {
    beside(path, "-journal").is_some_and(|journal| journal.len() > 0)
}

/// A file that cannot be read is not said to be: opening it says why.
fn is_in_wal_mode(path: &Path) -> bool {
    let mut header = [0; WRITE_VERSION_AT + 1];
    let read = std::fs::File::open(path).and_then(|mut file| file.read_exact(&mut header));
    read.is_ok() && header.last() == Some(&WRITE_VERSION_OF_WAL)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file that says it is in WAL mode, with nothing beside it.
    fn in_wal_mode() -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("old.db");
        let mut header = [0; 100];
        header[WRITE_VERSION_AT] = WRITE_VERSION_OF_WAL;
        std::fs::write(&path, header).unwrap();
        (folder, path)
    }

    #[test]
    fn a_write_to_a_file_that_is_read_without_locks_is_noticed() {
        let (folder, path) = in_wal_mode();
        let file = SourceFile::find(&path).unwrap();
        assert_eq!(file.parameters, "mode=ro&immutable=1");
        file.check_unchanged().unwrap();
        std::fs::write(folder.path().join("old.db-wal"), "x").unwrap();
        let error = file.check_unchanged().unwrap_err();
        assert!(matches!(error, ImportError::SourceChanged(_)), "{error}");

        let (_folder, path) = in_wal_mode();
        let file = SourceFile::find(&path).unwrap();
        std::fs::write(&path, [0; 101]).unwrap();
        file.check_unchanged().unwrap_err();
    }

    #[test]
    fn how_a_file_is_opened_follows_from_what_lies_beside_it() {
        for (beside, parameters) in [
            (&[][..], Some("mode=ro&immutable=1")),
            (&[("-wal", "")], Some("mode=ro&immutable=1")),
            (
                &[("-wal", "x"), ("-shm", "x")],
                Some("mode=ro&readonly_shm=1"),
            ),
            (
                &[("-wal", ""), ("-shm", "x")],
                Some("mode=ro&readonly_shm=1"),
            ),
            (&[("-journal", "x")], Some("mode=ro")),
            (&[("-wal", "x")], None),
        ] {
            let (_folder, path) = in_wal_mode();
            for (ending, bytes) in beside {
                std::fs::write(format!("{}{ending}", path.display()), bytes).unwrap();
            }
            let found = SourceFile::find(&path).ok();
            assert_eq!(found.map(|file| file.parameters), parameters, "{beside:?}");
        }
    }
}
