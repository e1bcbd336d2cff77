//! Files that only the server's user may read, and that are whole or not there.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;
use std::time::SystemTime;

use vigint_core::clock::UtcTime;

/// What the name of a file ends with until it is whole.
pub(crate) const UNFINISHED: &str = ".unfinished";

/// Makes a folder and those above it, 0700. One that is there stays as it is.
pub(crate) fn make_folder(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// Opens a new, empty file for writing, 0600.
pub(crate) fn create_file(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)
}

/// Writes a file so that it appears whole, also after a crash, or not at all.
pub(crate) fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut unfinished = path.as_os_str().to_owned();
    unfinished.push(UNFINISHED);
    let unfinished = Path::new(&unfinished);
    let written = create_file(unfinished)
        .and_then(|mut file| {
            file.write_all(bytes)?;
            file.sync_all()
        })
        .and_then(|()| fs::rename(unfinished, path))
        .and_then(|()| sync_folder(folder));
    if written.is_err() {
        // The first error is the one to tell; what is left over is overwritten by the next try.
        let _ = fs::remove_file(unfinished);
    }
    written
}

/// Makes the names in a folder safe from a crash.
pub(crate) fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

/// Whether a file was last written before that. One that is not there was not.
pub(crate) fn is_older(path: &Path, before: UtcTime) -> io::Result<bool> {
    match fs::metadata(path).and_then(|file| file.modified()) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        written => {
            let since = written?
                .duration_since(SystemTime::UNIX_EPOCH)
                .unwrap_or_default();
            Ok(UtcTime::UNIX_EPOCH + since < before)
        }
    }
}

/// Removes a file if it is there.
pub(crate) fn remove_if_there(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_file_is_private_and_replaced_whole() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.eml");
        write_whole(&path, b"first").unwrap();
        write_whole(&path, b"second").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"second");
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_write_that_fails_leaves_nothing_behind() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.eml");
        // A folder cannot be replaced by a file.
        fs::create_dir(&path).unwrap();
        assert!(write_whole(&path, b"mail").is_err());
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }
}
