//! The stream that `ffmpeg -f mpjpeg` writes, taken apart: parts of a `multipart/x-mixed-replace` body.
//!
//! `--ffmpeg\r\n` once, then for each picture `Content-type: image/jpeg\r\nContent-length: N\r\n\r\n`, N bytes
//! and `\r\n--ffmpeg\r\n`. Bytes go in as they arrive, pictures come out. Whatever comes, no more than one
//! header and one picture of the allowed size is ever held.

use bytes::{Buf as _, Bytes, BytesMut};

/// The most bytes the lines before a picture may have.
const MAX_HEADER_BYTES: usize = 4096;
const END_OF_HEADER: &[u8] = b"\r\n\r\n";
const JPEG_START: &[u8] = &[0xFF, 0xD8, 0xFF];

/// Why a stream cannot be taken apart any further.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MpjpegError {
    /// The lines before a picture do not end.
    #[error("the lines before a picture are longer than {MAX_HEADER_BYTES} bytes")]
    EndlessHeader,
    /// Nothing says how long the picture is.
    #[error("a picture has no Content-length")]
    NoLength,
    /// The picture is larger than allowed.
    #[error("a picture of {bytes} bytes is larger than the {max} allowed")]
    TooLarge {
        /// What the header says.
        bytes: usize,
        /// What is allowed.
        max: usize,
    },
    /// It does not begin as a JPEG does.
    #[error("a picture is no JPEG")]
    NotJpeg,
}

/// Takes a stream apart.
#[derive(Debug)]
pub(super) struct MpjpegParser {
    max_frame_bytes: usize,
    held: BytesMut,
    /// Length of the picture whose header has been read.
    awaited: Option<usize>,
}

impl MpjpegParser {
    /// At its beginning; takes pictures of up to `max_frame_bytes`.
    pub(super) fn new(max_frame_bytes: usize) -> Self {
        Self {
            max_frame_bytes,
            held: BytesMut::new(),
            awaited: None,
        }
    }

    /// Where the next bytes of the stream go. Ask for pictures after each addition.
    pub(super) fn buffer(&mut self) -> &mut BytesMut {
        if let Some(length) = self.awaited {
            self.held.reserve(length.saturating_sub(self.held.len()));
        }
        &mut self.held
    }

    /// The next whole picture, if it is here.
    ///
    /// # Errors
    /// After an error the stream cannot be read on.
    pub(super) fn next_frame(&mut self) -> Result<Option<Bytes>, MpjpegError> {
        let length = match self.awaited {
            Some(length) => length,
            None => match self.read_header()? {
                Some(length) => *self.awaited.insert(length),
                None => return Ok(None),
            },
        };
        if self.held.len() < length {
            return Ok(None);
        }
        self.awaited = None;
        let jpeg = self.held.split_to(length).freeze();
        if jpeg.starts_with(JPEG_START) {
            Ok(Some(jpeg))
        } else {
            Err(MpjpegError::NotJpeg)
        }
    }

    /// Reads the lines before a picture, once they are all here, and gives its length.
    fn read_header(&mut self) -> Result<Option<usize>, MpjpegError> {
        let window = self.held.get(..MAX_HEADER_BYTES).unwrap_or(&self.held);
        let Some(end) = window
            .windows(END_OF_HEADER.len())
            .position(|w| w == END_OF_HEADER)
        else {
            return match window.len() {
                MAX_HEADER_BYTES.. => Err(MpjpegError::EndlessHeader),
                _ => Ok(None),
            };
        };
        let length = window.get(..end).and_then(content_length);
        self.held.advance(end + END_OF_HEADER.len());
        match length.ok_or(MpjpegError::NoLength)? {
            bytes if bytes > self.max_frame_bytes => Err(MpjpegError::TooLarge {
                bytes,
                max: self.max_frame_bytes,
            }),
            bytes => Ok(Some(bytes)),
        }
    }
}

fn content_length(header: &[u8]) -> Option<usize> {
    let header = std::str::from_utf8(header).ok()?;
    header.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        let is_length = name.trim().eq_ignore_ascii_case("content-length");
        is_length.then(|| value.trim().parse().ok())?
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAX: usize = 1000;

    fn jpeg(length: usize) -> Vec<u8> {
        // The boundary and the end of a header inside a picture must not end it.
        let mut bytes = b"\xFF\xD8\xFF\r\n--ffmpeg\r\n\r\n".to_vec();
        bytes.resize(length, 7);
        bytes
    }

    fn stream(lengths: &[usize]) -> Vec<u8> {
        let mut bytes = b"--ffmpeg\r\n".to_vec();
        for length in lengths {
            let header = format!("Content-type: image/jpeg\r\nContent-length: {length}\r\n\r\n");
            bytes.extend_from_slice(header.as_bytes());
            bytes.extend_from_slice(&jpeg(*length));
            bytes.extend_from_slice(b"\r\n--ffmpeg\r\n");
        }
        bytes
    }

    fn parse(
        chunks: impl IntoIterator<Item = impl AsRef<[u8]>>,
    ) -> Result<Vec<Bytes>, MpjpegError> {
        let mut parser = MpjpegParser::new(MAX);
        let mut frames = Vec::new();
        for chunk in chunks {
            parser.buffer().extend_from_slice(chunk.as_ref());
            while let Some(frame) = parser.next_frame()? {
                frames.push(frame);
            }
            assert!(parser.held.len() <= MAX + MAX_HEADER_BYTES + chunk.as_ref().len());
        }
        Ok(frames)
    }

    #[test]
    fn pictures_come_out_whole_however_the_stream_is_split() {
        let lengths = [20, 900, 333, 1000];
        let stream = stream(&lengths);
        for size in [1, 2, 3, 7, 64, 1000, stream.len()] {
            let frames = parse(stream.chunks(size)).unwrap();
            let expected: Vec<_> = lengths.iter().map(|length| jpeg(*length)).collect();
            assert_eq!(frames, expected, "in pieces of {size}");
        }
    }

    #[test]
    fn garbage_is_an_error_and_never_held_without_bound() {
        let endless = vec![b'x'; 1024];
        assert_eq!(
            parse(vec![endless; 1000]).unwrap_err(),
            MpjpegError::EndlessHeader
        );
        let no_jpeg = b"--ffmpeg\r\nContent-length: 4\r\n\r\nGIF8\r\n";
        assert_eq!(parse([no_jpeg]).unwrap_err(), MpjpegError::NotJpeg);
        let noise: Vec<u8> = (0..100_000_u32)
            .map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()[3])
            .collect();
        assert!(parse(noise.chunks(100)).is_err());
    }

    #[test]
    fn a_picture_without_length_or_with_a_senseless_one_is_an_error() {
        for header in [
            "Content-type: image/jpeg",
            "Content-length: many",
            "Content-length: -1",
            "no colon",
        ] {
            let stream = format!("--ffmpeg\r\n{header}\r\n\r\n");
            assert_eq!(
                parse([stream]).unwrap_err(),
                MpjpegError::NoLength,
                "{header}"
            );
        }
        let stream = format!("--ffmpeg\r\ncontent-LENGTH:{}\r\n\r\n", MAX + 1);
        assert_eq!(
            parse([stream]).unwrap_err(),
            MpjpegError::TooLarge {
                bytes: MAX + 1,
                max: MAX
            }
        );
    }

    #[test]
    fn a_cut_stream_gives_what_was_whole() {
        let stream = stream(&[50, 60]);
        assert_eq!(parse([&stream[..stream.len() - 40]]).unwrap().len(), 1);
    }
}
