//! Stills of sources, saved where a person can look at them. What a camera sees is for nobody else on the machine.

use std::fs::{DirBuilder, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use vigint_core::ids::SourceId;

/// Saves a JPEG as `ID.jpg`, in place of an earlier one of the same source; makes the folder.
///
/// # Errors
/// When the folder cannot be made or written to.
pub(crate) fn save(folder: &Path, source: &SourceId, jpeg: &[u8]) -> io::Result<PathBuf> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)?;
    let path = folder.join(format!("{source}.jpg"));
    let part = folder.join(format!("{source}.jpg.part"));
    // Left by a program that was killed. A file of our own, never what a link points to.
    let _ = std::fs::remove_file(&part);
    let written = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&part)
        .and_then(|mut file| file.write_all(jpeg))
        .and_then(|()| std::fs::rename(&part, &path));
    if let Err(error) = written {
        let _ = std::fs::remove_file(&part);
        return Err(error);
    }
    Ok(path)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_still_is_private_and_replaces_the_one_before_but_not_what_a_link_points_to() {
        let folder = tempfile::tempdir().unwrap();
        let stills = folder.path().join("a/stills");
        let till: SourceId = "till".parse().unwrap();
        let path = save(&stills, &till, b"one").unwrap();
        assert_eq!(path, stills.join("till.jpg"));
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&path), mode(&stills)), (0o600, 0o700));

        let precious = folder.path().join("precious");
        std::fs::write(&precious, "mine").unwrap();
        std::fs::remove_file(&path).unwrap();
        std::os::unix::fs::symlink(&precious, &path).unwrap();
        save(&stills, &till, b"two").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"two");
        assert_eq!(std::fs::read(&precious).unwrap(), b"mine");
        assert_eq!(std::fs::read_dir(&stills).unwrap().count(), 1);
    }

    #[test]
    fn where_no_folder_can_be_there_is_an_error_and_nothing_left() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        std::fs::write(&file, "x").unwrap();
        assert!(save(&file, &"till".parse().unwrap(), b"x").is_err());
        let taken = folder.path().join("till.jpg");
        std::fs::create_dir(&taken).unwrap();
        assert!(save(folder.path(), &"till".parse().unwrap(), b"x").is_err());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2);
    }
}
