//! A `.tar.gz` that is the same, byte for byte, whoever makes it and when: sorted, of one date, of nobody.

use std::fs::File;
use std::path::Path;

use anyhow::Context as _;
use flate2::{Compression, GzBuilder};

/// A file of an archive.
pub(super) struct Entry {
    /// From the archive's own folder, with `/`.
    path: String,
    bytes: Vec<u8>,
    mode: u32,
}

impl Entry {
    pub(super) fn file(path: &str, bytes: Vec<u8>) -> Self {
        Self {
            path: path.to_owned(),
            bytes,
            mode: 0o644,
        }
    }

    pub(super) fn executable(path: &str, bytes: Vec<u8>) -> Self {
        Self {
            mode: 0o755,
            ..Self::file(path, bytes)
        }
    }
}

/// Writes the archive. All entries lie in one `folder`, and are of this `date` (seconds since 1970).
pub(super) fn write(
    to: &Path,
    folder: &str,
    mut entries: Vec<Entry>,
    date: u64,
) -> anyhow::Result<()> {
    entries.sort_by(|one, other| one.path.cmp(&other.path));
    let file = File::create(to).with_context(|| format!("cannot write {}", to.display()))?;
    // No name and no date of its own.
    let compressed = GzBuilder::new().mtime(0).write(file, Compression::best());
    let mut archive = tar::Builder::new(compressed);
    for entry in entries {
        let mut header = tar::Header::new_ustar();
        header.set_size(u64::try_from(entry.bytes.len())?);
        header.set_mode(entry.mode);
        header.set_mtime(date);
        header.set_uid(0);
        header.set_gid(0);
        let path = format!("{folder}/{}", entry.path);
        archive
            .append_data(&mut header, &path, entry.bytes.as_slice())
            .with_context(|| format!("cannot put {path} into the archive"))?;
    }
    archive.into_inner()?.finish()?.sync_all()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use flate2::read::GzDecoder;

    use super::*;

    fn entries() -> Vec<Entry> {
        vec![
            Entry::file("man/b.1", b"manual".to_vec()),
            Entry::executable("a", b"program".to_vec()),
        ]
    }

    #[test]
    fn an_archive_is_the_same_whoever_makes_it_and_when() {
        let folder = tempfile::tempdir().unwrap();
        let (one, other) = (folder.path().join("1"), folder.path().join("2"));
        write(&one, "p-1", entries(), 1_700_000_000).unwrap();
        let reversed = entries().into_iter().rev().collect();
        write(&other, "p-1", reversed, 1_700_000_000).unwrap();
        assert_eq!(std::fs::read(one).unwrap(), std::fs::read(other).unwrap());
    }

    #[test]
    fn its_files_are_roots_of_the_given_date_and_only_the_program_can_be_run() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.tar.gz");
        write(&path, "p-1", entries(), 1_700_000_000).unwrap();
        let mut archive = tar::Archive::new(GzDecoder::new(File::open(path).unwrap()));
        let mut found = Vec::new();
        for entry in archive.entries().unwrap() {
            let mut entry = entry.unwrap();
            let header = entry.header().clone();
            assert_eq!((header.uid().unwrap(), header.gid().unwrap()), (0, 0));
            assert_eq!(header.mtime().unwrap(), 1_700_000_000);
            let path = entry.path().unwrap().display().to_string();
            let mut text = String::new();
            entry.read_to_string(&mut text).unwrap();
            found.push((path, header.mode().unwrap(), text));
        }
        let expected = [
            ("p-1/a".to_owned(), 0o755, "program".to_owned()),
            ("p-1/man/b.1".to_owned(), 0o644, "manual".to_owned()),
        ];
        assert_eq!(found, expected);
    }
}
