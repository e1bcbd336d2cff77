use std::io::Cursor;
use std::os::unix::fs::PermissionsExt as _;

use vigint_core::clock::UtcTime;

use super::super::archive::{Archive, Packing};
use super::*;

fn target(folder: &Path, replace: bool) -> Target {
    Target::new(folder.join("out.zip"), replace).unwrap()
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<_> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn a_file_is_private_and_gets_its_name_when_it_is_whole() {
    let dir = tempfile::tempdir().unwrap();
    let target = target(dir.path(), false);
    let unfinished = Unfinished::create(&target).unwrap();
    let mut writing = unfinished.writing(CancellationToken::new()).unwrap();
    writing.write_all(b"12345").unwrap();
    assert_eq!(names(dir.path()), ["out.zip.unfinished"]);
    assert_eq!(writing.finish().unwrap(), 5);
    unfinished.keep(&target).unwrap();
    assert_eq!(names(dir.path()), ["out.zip"]);
    assert_eq!(fs::read(target.path()).unwrap(), b"12345");
    let mode = fs::metadata(target.path()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn one_that_is_given_up_is_removed() {
    let dir = tempfile::tempdir().unwrap();
    let target = target(dir.path(), false);
    drop(Unfinished::create(&target).unwrap());
    assert!(names(dir.path()).is_empty());
}

#[test]
fn a_file_that_is_there_is_neither_replaced_nor_lost() {
    let dir = tempfile::tempdir().unwrap();
    let free = target(dir.path(), false);
    fs::write(free.path(), "mine").unwrap();
    let refused = Target::new(free.path().to_owned(), false).unwrap_err();
    assert!(matches!(refused, TargetError::Exists(_)), "{refused}");
    // It came after the look.
    let unfinished = Unfinished::create(&free).unwrap();
    let late = unfinished.keep(&free).unwrap_err();
    assert_eq!(late.kind(), io::ErrorKind::AlreadyExists);
    assert_eq!(fs::read(free.path()).unwrap(), b"mine");
    assert_eq!(names(dir.path()), ["out.zip"]);
    // Asked for, it is.
    let replaced = target(dir.path(), true);
    Unfinished::create(&replaced)
        .unwrap()
        .keep(&replaced)
        .unwrap();
    assert_eq!(fs::read(free.path()).unwrap(), b"");
}

#[test]
fn what_another_writes_is_left_to_it() {
    let dir = tempfile::tempdir().unwrap();
    let target = target(dir.path(), true);
    let first = Unfinished::create(&target).unwrap();
    let second = Unfinished::create(&target).err().unwrap();
    assert!(
        second.to_string().contains("out.zip.unfinished is there"),
        "{second}"
    );
    drop(second);
    assert_eq!(names(dir.path()), ["out.zip.unfinished"]);
    drop(first);
}

#[test]
fn what_is_no_place_for_a_file_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let new = |path: &Path| Target::new(path.to_owned(), true).unwrap_err().to_string();
    assert!(new(Path::new("-")).contains("pipe"));
    assert!(new(dir.path()).contains("is no file"));
    assert!(new(Path::new("/dev/null")).contains("is no file"));
    let missing = dir.path().join("nowhere/out.zip");
    let folder = format!("there is no folder {}", missing.parent().unwrap().display());
    assert!(new(&missing).starts_with(&folder));
}

#[test]
fn the_first_failure_is_told_and_then_nothing_is_written() {
    let dir = tempfile::tempdir().unwrap();
    let target = target(dir.path(), false);
    let unfinished = Unfinished::create(&target).unwrap();
    let stop = CancellationToken::new();
    let mut writing = unfinished.writing(stop.clone()).unwrap();
    let failure = writing.failure();
    writing.write_all(b"before").unwrap();
    failure.check().unwrap();
    stop.cancel();
    writing.write_all(b"after").unwrap();
    assert_eq!(failure.check().unwrap_err().to_string(), "stopped");
    writing.write_all(b"much later").unwrap();
    assert_eq!(writing.stream_position().unwrap(), 6 + 5 + 10);
    drop(writing);
    let written = fs::read(dir.path().join("out.zip.unfinished")).unwrap();
    assert_eq!(written, b"before");
}

/// A disk that fails for good after so many operations.
struct Failing {
    left: usize,
    file: Cursor<Vec<u8>>,
}

impl Failing {
    fn works(&mut self) -> io::Result<()> {
        self.left = self.left.checked_sub(1).ok_or(io::ErrorKind::StorageFull)?;
        Ok(())
    }
}

impl Write for Failing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.works()?;
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.works()
    }
}

impl Seek for Failing {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.works()?;
        self.file.seek(to)
    }
}

/// Writes a small archive on a disk that does so many operations.
fn archive_on(operations: usize) -> io::Result<()> {
    let disk = Failing {
        left: operations,
        file: Cursor::new(Vec::new()),
    };
    let writing = Writing::new(disk, CancellationToken::new());
    let failure = writing.failure();
    let mut archive = Archive::new(writing, failure, UtcTime::UNIX_EPOCH);
    for (path, packing) in [
        ("a.json", Packing::Deflated),
        ("b.mp4", Packing::Stored(200_000)),
        ("c.jsonl", Packing::DeflatedLarge),
    ] {
        let mut file = archive.file(path, packing)?;
        file.write(&[7; 200_000])?;
        file.finish()?;
    }
    archive.finish()?.finish().map(drop)
}

#[test]
fn wherever_a_disk_fails_that_is_told_and_nothing_panics() {
    let mut operations = 0;
    while let Err(error) = archive_on(operations) {
        assert_eq!(
            error.kind(),
            io::ErrorKind::StorageFull,
            "{operations}: {error}"
        );
        operations += 1;
    }
    assert!(operations > 10, "{operations}");
}
