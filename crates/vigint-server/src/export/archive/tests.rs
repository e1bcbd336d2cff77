use std::io::{Cursor, Read as _};

use zip::ZipArchive;

use super::*;

fn at(text: &str) -> UtcTime {
    text.parse().unwrap()
}

fn put(archive: &mut Archive<Cursor<Vec<u8>>>, path: &str, packing: Packing, bytes: &[u8]) {
    let mut file = archive.file(path, packing).unwrap();
    for piece in bytes.chunks(3000) {
        file.write(piece).unwrap();
    }
    file.finish().unwrap();
}

#[test]
fn what_was_put_in_comes_out_packed_as_asked() {
    let mut archive = Archive::new(
        Cursor::new(Vec::new()),
        Failure::default(),
        at("2026-11-29T07:12:34Z"),
    );
    let text = b"the same again, ".repeat(5000);
    put(&mut archive, "rows.json", Packing::DeflatedLarge, &text);
    put(&mut archive, "clips/a.mp4", Packing::Stored(80_000), &text);
    put(&mut archive, "empty.json", Packing::Deflated, b"");
    let hash = hex::encode(Sha256::digest(&text));
    let files: Vec<_> = archive
        .files()
        .iter()
        .map(|file| (file.path.as_str(), file.bytes))
        .collect();
    assert_eq!(
        files,
        [
            ("rows.json", 80_000),
            ("clips/a.mp4", 80_000),
            ("empty.json", 0)
        ]
    );
    assert_eq!(archive.files()[1].sha256, hash);
    let bytes = archive.finish().unwrap();
    let mut zip = ZipArchive::new(bytes).unwrap();
    for (name, method) in [
        ("rows.json", CompressionMethod::Deflated),
        ("clips/a.mp4", CompressionMethod::Stored),
    ] {
        let mut file = zip.by_name(name).unwrap();
        assert_eq!(file.compression(), method);
        assert_eq!(file.unix_mode().unwrap() & 0o777, 0o600);
        let time = file.last_modified().unwrap();
        assert_eq!(
            (time.year(), time.month(), time.hour(), time.minute()),
            (2026, 11, 7, 12)
        );
        let is_smaller = file.compressed_size() < file.size();
        assert_eq!(is_smaller, method == CompressionMethod::Deflated);
        let mut read = Vec::new();
        file.read_to_end(&mut read).unwrap();
        assert_eq!(read, text);
    }
}

/// A disk that keeps only what stands at the ends of the file, so that a test may write more than it has room for.
struct Counting {
    at: u64,
    end: u64,
}

impl Write for Counting {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.at += u64::try_from(bytes.len()).unwrap();
        self.end = self.end.max(self.at);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Seek for Counting {
    fn seek(&mut self, to: io::SeekFrom) -> io::Result<u64> {
        self.at = match to {
            io::SeekFrom::Start(at) => at,
            io::SeekFrom::Current(by) => self.at.checked_add_signed(by).unwrap(),
            io::SeekFrom::End(by) => self.end.checked_add_signed(by).unwrap(),
        };
        Ok(self.at)
    }
}

/// Writes a film of a little over 4 GiB that was said to have so many bytes, and a small file behind it: where it ends.
fn write_long_film(said: u64) -> io::Result<u64> {
    let mut archive = Archive::new(
        Counting { at: 0, end: 0 },
        Failure::default(),
        at("2026-11-29T07:12:34Z"),
    );
    let piece = vec![7; 1 << 24];
    let file = archive.file("clips/long.mp4", Packing::Stored(said))?;
    for _ in 0..=(1 << 8) {
        // The archive's own sums are what is tested; the hash would take a minute.
        file.archive.zip.write_all(&piece)?;
    }
    file.finish()?;
    let mut file = archive.file("behind.json", Packing::Deflated)?;
    file.write(b"{}")?;
    file.finish()?;
    Ok(archive.finish()?.end)
}

#[test]
fn a_film_of_more_than_four_gibibytes_has_room() {
    let long = (1_u64 << 32) + (1 << 24);
    assert!(write_long_film(long).unwrap() > long);
    assert!(write_long_film(5).is_err(), "this test tells the two apart");
}

#[test]
fn a_time_before_1980_is_no_failure() {
    assert_eq!(zip_time(UtcTime::UNIX_EPOCH), DateTime::default());
}
