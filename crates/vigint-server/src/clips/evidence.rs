//! The file that keeps an incident's frames until its film is made.
//!
//! Layout, all numbers little-endian: the magic, then per frame its time (i64, milliseconds since 1970),
//! its length (u32, bytes) and the JPEG, then the end mark (i64::MIN) and the number of frames (u32). A file
//! without its end was never acknowledged, or the disk has lost a part of it.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::Path;

use bytes::Bytes;
use vigint_core::clock::UtcTime;
use vigint_video::clip::ClipFrame;

const MAGIC: &[u8; 8] = b"VGTFRM1\n";
const END_MARK: i64 = i64::MIN;

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
        let mut jpeg = vec![0; usize::try_from(number).map_err(io::Error::other)?];
        self.file.read_exact(&mut jpeg)?;
        self.read = self.read.saturating_add(1);
        Ok(Some(ClipFrame {
            at: UtcTime::from_unix_millis(at),
            jpeg: jpeg.into(),
        }))
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
        }
    }

    #[test]
    fn a_frame_longer_than_allowed_is_refused_before_it_is_read() {
        let dir = tempfile::tempdir().unwrap();
        let mut reader = EvidenceReader::open(&written(dir.path()), 9).unwrap();
        assert!(reader.next().unwrap().is_err());
        assert!(reader.next().is_none());
    }
}
