//! The file that keeps an incident's frames until its film is made.
//!
//! Layout, all numbers little-endian: the magic, then per frame its time (i64, milliseconds since 1970),
//! its length (u32, bytes) and the JPEG, then the end mark (i64::MIN) and the number of frames (u32). A file
//! without its end was never acknowledged, or the disk has lost a part of it.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use vigint_core::clock::UtcTime;
use vigint_video::clip::ClipFrame;

const MAGIC: &[u8; 8] = b"VGTFRM1\n";
const END_MARK: i64 = i64::MIN;
/// What stands before each picture: its time and its length.
const HEAD_BYTES: u64 = 12;
/// So many pictures are tried by [`pick`] before there is none.
const MOST_TRIES: usize = 5;

/// How long the file of these pictures is, in bytes.
pub(super) fn file_bytes<'a>(pictures: impl Iterator<Item = &'a Bytes>) -> u64 {
    let beside = u64::try_from(MAGIC.len()).unwrap_or(0) + HEAD_BYTES;
    pictures
        .map(|jpeg| HEAD_BYTES.saturating_add(u64::try_from(jpeg.len()).unwrap_or(u64::MAX)))
        .fold(beside, u64::saturating_add)
}

/// Writes frames and makes sure that they are on the disk.
pub(super) fn write<'a>(
    file: File,
    frames: impl Iterator<Item = (UtcTime, &'a Bytes)>,
) -> io::Result<()> {
    let mut out = BufWriter::with_capacity(1 << 16, file);
    out.write_all(MAGIC)?;
    let mut count: u32 = 0;
    for (at, jpeg) in frames {
        let length = u32::try_from(jpeg.len()).map_err(io::Error::other)?;
        out.write_all(&at.unix_millis().to_le_bytes())?;
        out.write_all(&length.to_le_bytes())?;
        out.write_all(jpeg)?;
        count = count.saturating_add(1);
    }
    out.write_all(&END_MARK.to_le_bytes())?;
    out.write_all(&count.to_le_bytes())?;
    out.into_inner().map_err(io::Error::other)?.sync_all()
}

/// Reads frames one at a time.
pub(super) struct EvidenceReader {
    file: BufReader<File>,
    max_frame_bytes: u64,
    read: u32,
    is_over: bool,
}

impl EvidenceReader {
    /// Opens the file; no frame in it may be longer than `max_frame_bytes`.
    pub(super) fn open(path: &Path, max_frame_bytes: usize) -> io::Result<Self> {
        let mut file = BufReader::with_capacity(1 << 16, File::open(path)?);
        let mut magic = [0; MAGIC.len()];
        file.read_exact(&mut magic)?;
        if &magic != MAGIC {
            return Err(damaged("it does not begin as a frames file does"));
        }
        Ok(Self {
            file,
            max_frame_bytes: u64::try_from(max_frame_bytes).unwrap_or(u64::MAX),
            read: 0,
            is_over: false,
        })
    }

    fn read_frame(&mut self) -> io::Result<Option<ClipFrame>> {
        let Some((at, length)) = self.read_head()? else {
            return Ok(None);
        };
        let jpeg = self.read_picture(length)?;
        Ok(Some(ClipFrame { at, jpeg }))
    }

    /// The next frame's time and length; none at the end.
    fn read_head(&mut self) -> io::Result<Option<(UtcTime, u32)>> {
        let at = i64::from_le_bytes(self.read_array()?);
        let number = u32::from_le_bytes(self.read_array()?);
        if at == END_MARK {
            return if number == self.read {
                Ok(None)
            } else {
                Err(damaged("its number of frames is wrong"))
            };
        }
        if u64::from(number) > self.max_frame_bytes {
            return Err(damaged("a frame in it is longer than frames may be"));
        }
        self.read = self.read.saturating_add(1);
        Ok(Some((UtcTime::from_unix_millis(at), number)))
    }

    fn read_picture(&mut self, length: u32) -> io::Result<Bytes> {
        let mut jpeg = vec![0; usize::try_from(length).map_err(io::Error::other)?];
        self.file.read_exact(&mut jpeg)?;
        Ok(jpeg.into())
    }

    fn read_array<const N: usize>(&mut self) -> io::Result<[u8; N]> {
        let mut bytes = [0; N];
        self.file.read_exact(&mut bytes)?;
        Ok(bytes)
    }
}

impl Iterator for EvidenceReader {
    type Item = io::Result<ClipFrame>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.is_over {
            return None;
        }
        let frame = self.read_frame().transpose();
        self.is_over = !matches!(frame, Some(Ok(_)));
        frame
    }
}

/// What `make` makes of the picture that was taken nearest to `before_end` before the newest one, or, where it makes
/// nothing of that, of the next nearest; none when it makes nothing of five. Only those are read.
pub(super) fn pick<T>(
    path: &Path,
    max_frame_bytes: usize,
    before_end: Duration,
    mut make: impl FnMut(&Bytes) -> Option<T>,
) -> io::Result<Option<T>> {
    let mut reader = EvidenceReader::open(path, max_frame_bytes)?;
    let mut places = Vec::new();
    let mut place = u64::try_from(MAGIC.len()).map_err(io::Error::other)?;
    while let Some((at, length)) = reader.read_head()? {
        place += HEAD_BYTES;
        places.push((at, place, length));
        place += u64::from(length);
        reader.file.seek_relative(i64::from(length))?;
    }
    let Some(newest) = places.iter().map(|(at, ..)| *at).max() else {
        return Ok(None);
    };
    let wanted = (newest - before_end).unix_millis();
    places.sort_by_key(|(at, ..)| at.unix_millis().abs_diff(wanted));
    for (_, place, length) in places.into_iter().take(MOST_TRIES) {
        reader.file.seek(SeekFrom::Start(place))?;
        let jpeg = reader.read_picture(length)?;
        if let Some(made) = make(&jpeg) {
            return Ok(Some(made));
        }
    }
    Ok(None)
}

fn damaged(why: &str) -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidData,
        format!("the frames file is damaged: {why}"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frames() -> Vec<(UtcTime, Bytes)> {
        (0_u8..3)
            .map(|n| {
                (
                    UtcTime::from_unix_millis(i64::from(n) * 100),
                    Bytes::from(vec![n; 10]),
                )
            })
            .collect()
    }

    fn written(dir: &Path) -> std::path::PathBuf {
        let path = dir.join("frames");
        let file = File::create(&path).unwrap();
        write(file, frames().iter().map(|(at, jpeg)| (*at, jpeg))).unwrap();
        path
    }

    #[test]
    fn frames_are_read_back_as_they_were_written() {
        let dir = tempfile::tempdir().unwrap();
        let read: Vec<_> = EvidenceReader::open(&written(dir.path()), 10)
            .unwrap()
            .map(|frame| frame.map(|f| (f.at, f.jpeg)).unwrap())
            .collect();
        assert_eq!(read, frames());
    }

    #[test]
    fn a_file_cut_anywhere_is_noticed() {
        let dir = tempfile::tempdir().unwrap();
        let whole = std::fs::read(written(dir.path())).unwrap();
        let cut = dir.path().join("cut");
        for length in 0..whole.len() {
            std::fs::write(&cut, &whole[..length]).unwrap();
            let is_whole = EvidenceReader::open(&cut, 10)
                .and_then(Iterator::collect::<io::Result<Vec<_>>>)
                .is_ok();
            assert!(!is_whole, "cut at {length}");
            let picked = pick(&cut, 10, Duration::ZERO, |_| Some(()));
            assert!(picked.is_err(), "cut at {length}");
        }
    }

    #[test]
    fn the_length_of_a_file_is_known_before_it_is_written() {
        let dir = tempfile::tempdir().unwrap();
        let written = std::fs::metadata(written(dir.path())).unwrap().len();
        assert_eq!(file_bytes(frames().iter().map(|(_, jpeg)| jpeg)), written);
    }

    #[test]
    fn the_picture_nearest_to_the_asked_moment_is_picked_and_then_its_neighbours() {
        let dir = tempfile::tempdir().unwrap();
        let path = written(dir.path());
        // They were taken at 0, 100 and 200 ms.
        let tried = |before_end| {
            let mut tried = Vec::new();
            let none: Option<()> = pick(&path, 10, Duration::from_millis(before_end), |jpeg| {
                tried.push(jpeg[0]);
                None
            })
            .unwrap();
            assert!(none.is_none());
            tried
        };
        assert_eq!(tried(0), [2, 1, 0]);
        assert_eq!(tried(110), [1, 0, 2]);
        assert_eq!(tried(9_000), [0, 1, 2]);
        let first = pick(&path, 10, Duration::ZERO, |jpeg| Some(jpeg.clone())).unwrap();
        assert_eq!(first.unwrap(), vec![2; 10]);
    }

    #[test]
    fn a_frame_longer_than_allowed_is_refused_before_it_is_read() {
        let dir = tempfile::tempdir().unwrap();
        let mut reader = EvidenceReader::open(&written(dir.path()), 9).unwrap();
        assert!(reader.next().unwrap().is_err());
        assert!(reader.next().is_none());
    }
}
