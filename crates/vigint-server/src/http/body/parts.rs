//! A body of several pictures as they are, a part each: `multipart/mixed` (RFC 2046, section 5.1).
//!
//! Every part is `Content-Type: image/jpeg` and says its `Content-Length`, so that no picture is searched for the
//! boundary; what it says of its picture stands in the header [`FRAME_HEADER`], written as the query of a single raw
//! picture is. Nothing is copied: a part is a slice of the body, and whoever keeps one copies it. It must not know what
//! a picture is.

use actix_web::http::header::{self, HeaderMap};
use bytes::Bytes;
use mime::Mime;
use vigint_core::frame::{FRAME_HEADER, MAX_BATCH_FRAMES};

use crate::http::error::{ApiError, Code};

/// The most bytes the lines before one picture may have.
const MAX_HEAD_BYTES: usize = 4096;
/// The longest boundary that the RFC knows.
const MAX_BOUNDARY: usize = 70;

/// One picture, and what is said of it.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::http) struct Part<'a> {
    /// In the form of a URL's query; empty when nothing is said.
    pub(in crate::http) said: &'a str,
    /// The picture.
    pub(in crate::http) picture: Bytes,
}

/// Why a body cannot be taken apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
enum Broken {
    #[error("a part must begin with its boundary, on a line of its own")]
    NoBoundary,
    #[error(
        "the lines before the picture must end with an empty one, within {MAX_HEAD_BYTES} bytes"
    )]
    EndlessHead,
    #[error("a line before the picture is no header")]
    NoHeader,
    #[error("say `Content-Type: image/jpeg`")]
    NotJpeg,
    #[error("say how many bytes the picture has, once: `Content-Length: N`")]
    NoLength,
    #[error("the body ends before the picture does")]
    CutShort,
    #[error("{FRAME_HEADER} stands twice")]
    Twice,
}

/// The boundary of a body of this kind; `None` when it is of another one.
///
/// # Errors
/// When it is of this kind and says no boundary that could be one.
pub(in crate::http) fn boundary(headers: &HeaderMap) -> Result<Option<String>, ApiError> {
    let said = headers.get(header::CONTENT_TYPE);
    let kind = said.and_then(|value| value.to_str().ok()?.parse::<Mime>().ok());
    let Some(kind) = kind.filter(|kind| kind.essence_str() == "multipart/mixed") else {
        return Ok(None);
    };
    match kind.get_param(mime::BOUNDARY).map(|name| name.as_str()) {
        Some(boundary) if (1..=MAX_BOUNDARY).contains(&boundary.len()) => {
            Ok(Some(boundary.to_owned()))
        }
        _ => Err(ApiError::saying(
            Code::Malformed,
            "Content-Type: multipart/mixed needs a boundary of 1 to 70 characters",
        )),
    }
}

/// The parts of a body. Of more than a batch may have, one more is read: enough to see that there are too many.
///
/// # Errors
/// Names the first part that is not as it must be, counted from 0.
pub(in crate::http) fn split<'a>(
    body: &'a Bytes,
    boundary: &str,
) -> Result<Vec<Part<'a>>, ApiError> {
    let mut rest = Rest { body, at: 0 };
    let mut parts = Vec::new();
    // The line break before the first boundary belongs to it and is there only behind a preamble.
    rest.skip(b"\r\n");
    loop {
        let told = |broken: Broken| {
            ApiError::saying(Code::Malformed, broken.to_string()).in_frame(parts.len())
        };
        if !rest.skip(b"--") || !rest.skip(boundary.as_bytes()) {
            return Err(told(Broken::NoBoundary));
        }
        if rest.skip(b"--") || parts.len() > MAX_BATCH_FRAMES {
            return Ok(parts);
        }
        let part = rest.part().map_err(told)?;
        parts.push(part);
    }
}

/// What is still to be read.
struct Rest<'a> {
    body: &'a Bytes,
    at: usize,
}

impl<'a> Rest<'a> {
    fn left(&self) -> &'a [u8] {
        self.body.get(self.at..).unwrap_or_default()
    }

    /// Passes over `expected`, if it comes next.
    fn skip(&mut self, expected: &[u8]) -> bool {
        let comes = self.left().starts_with(expected);
        if comes {
            self.at += expected.len();
        }
        comes
    }

    /// From behind a boundary to before the next one.
    fn part(&mut self) -> Result<Part<'a>, Broken> {
        let head = self.head()?;
        let length = head.length.ok_or(Broken::NoLength)?;
        if !head.is_jpeg {
            return Err(Broken::NotJpeg);
        }
        let end = self.at.saturating_add(length);
        if end > self.body.len() {
            return Err(Broken::CutShort);
        }
        let picture = self.body.slice(self.at..end);
        self.at = end;
        if !self.skip(b"\r\n") {
            return Err(Broken::NoBoundary);
        }
        Ok(Part {
            said: head.said.unwrap_or_default(),
            picture,
        })
    }

    fn head(&mut self) -> Result<Head<'a>, Broken> {
        let begin = self.at;
        let mut head = Head::default();
        // What is left of the boundary's own line may be blank.
        if !self.line(begin)?.trim_ascii().is_empty() {
            return Err(Broken::NoBoundary);
        }
        loop {
            let line = self.line(begin)?;
            if line.is_empty() {
                return Ok(head);
            }
            head.take(line)?;
        }
    }

    /// The next line, its end passed over.
    fn line(&mut self, begin: usize) -> Result<&'a [u8], Broken> {
        let room = MAX_HEAD_BYTES.saturating_sub(self.at - begin);
        let left = self.left();
        let window = left.get(..room).unwrap_or(left);
        let end = window.windows(2).position(|two| two == b"\r\n");
        let end = end.ok_or(Broken::EndlessHead)?;
        self.at += end + 2;
        Ok(left.get(..end).unwrap_or_default())
    }
}

/// What stands before a picture.
#[derive(Default)]
struct Head<'a> {
    is_jpeg: bool,
    length: Option<usize>,
    said: Option<&'a str>,
}

impl<'a> Head<'a> {
    /// Headers that nobody asks for are ignored.
    fn take(&mut self, line: &'a [u8]) -> Result<(), Broken> {
        let line = std::str::from_utf8(line).map_err(|_| Broken::NoHeader)?;
        let (name, value) = line.split_once(':').ok_or(Broken::NoHeader)?;
        let value = value.trim();
        if name.eq_ignore_ascii_case("content-type") {
            self.is_jpeg = value.eq_ignore_ascii_case("image/jpeg");
        } else if name.eq_ignore_ascii_case("content-length") {
            // Two lengths could be read in two ways.
            let digits = value.bytes().all(|byte| byte.is_ascii_digit());
            let length = value
                .parse()
                .ok()
                .filter(|_| digits && self.length.is_none());
            self.length = Some(length.ok_or(Broken::NoLength)?);
        } else if name.eq_ignore_ascii_case(FRAME_HEADER) && self.said.replace(value).is_some() {
            return Err(Broken::Twice);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const PICTURE: &[u8] = b"\xFF\xD8\xFF\r\n--x\r\n\r\n--x--\xFF\xD9";

    fn part(head: &str, picture: &[u8]) -> Vec<u8> {
        [b"--x\r\n", head.as_bytes(), b"\r\n", picture, b"\r\n"].concat()
    }

    fn head(picture: &[u8], said: &str) -> String {
        let length = picture.len();
        format!("Content-Type: image/jpeg\r\ncontent-length: {length}\r\nVigint-Frame: {said}\r\n")
    }

    fn whole(parts: &[Vec<u8>]) -> Bytes {
        [parts.concat(), b"--x--\r\n".to_vec()].concat().into()
    }

    fn said(body: &[u8]) -> String {
        let body = Bytes::copy_from_slice(body);
        split(&body, "x").map_or_else(|error| error.to_string(), |parts| parts.len().to_string())
    }

    fn kind(content_type: &str) -> Result<Option<String>, ApiError> {
        let name = header::CONTENT_TYPE;
        let value = header::HeaderValue::from_str(content_type).unwrap();
        boundary(&HeaderMap::from_iter([(name, value)]))
    }

    #[test]
    fn pictures_come_out_as_slices_of_the_body_even_with_the_boundary_inside() {
        let body = whole(&[
            part(&head(PICTURE, "source_id=a&frame_count=1"), PICTURE),
            part(&head(b"", ""), b""),
            part(
                "Content-Type: IMAGE/JPEG\r\nX: y\r\nContent-Length: 1\r\n",
                b"z",
            ),
        ]);
        let parts = split(&body, "x").unwrap();
        let read: Vec<_> = parts
            .iter()
            .map(|part| (part.said, &part.picture[..]))
            .collect();
        assert_eq!(
            read,
            [
                ("source_id=a&frame_count=1", PICTURE),
                ("", b""),
                ("", b"z")
            ]
        );
        let range = body.as_ptr_range();
        assert!(
            range.contains(&parts[0].picture.as_ptr()),
            "nothing is copied"
        );
    }

    #[test]
    fn no_part_and_blanks_behind_a_boundary_are_allowed_and_what_follows_the_end_is_ignored() {
        assert_eq!(said(b"--x--"), "0");
        assert_eq!(said(b"\r\n--x--\r\nmore"), "0");
        let blank = part(&head(b"p", ""), b"p");
        let blank = String::from_utf8(blank)
            .unwrap()
            .replacen("--x\r\n", "--x \t\r\n", 1);
        assert_eq!(said(format!("{blank}--x--").as_bytes()), "1");
    }

    #[test]
    fn what_is_wrong_is_told_with_the_index_of_its_part() {
        let good = part(&head(PICTURE, ""), PICTURE);
        for (second, message) in [
            (part("Content-Length: 1\r\n", b"p"), Broken::NotJpeg),
            (
                part("Content-Type: image/png\r\nContent-Length: 1\r\n", b"p"),
                Broken::NotJpeg,
            ),
            (part("Content-Type: image/jpeg\r\n", b"p"), Broken::NoLength),
            (
                part("Content-Type: image/jpeg\r\nContent-Length: +1\r\n", b"p"),
                Broken::NoLength,
            ),
            (
                part(
                    "Content-Type: image/jpeg\r\nContent-Length: 1\r\nContent-Length: 1\r\n",
                    b"p",
                ),
                Broken::NoLength,
            ),
            (
                part(
                    "Content-Type: image/jpeg\r\nContent-Length: 18446744073709551615\r\n",
                    b"p",
                ),
                Broken::CutShort,
            ),
            (
                part("Content-Type: image/jpeg\r\nContent-Length: 0\r\n", b"p"),
                Broken::NoBoundary,
            ),
            (part("no colon\r\n", b"p"), Broken::NoHeader),
            (
                part("Vigint-Frame: a\r\nvigint-frame: b\r\n", b"p"),
                Broken::Twice,
            ),
            (part(&"X: y\r\n".repeat(1000), b"p"), Broken::EndlessHead),
            (b"--y\r\n".to_vec(), Broken::NoBoundary),
            (b"--x!\r\n".to_vec(), Broken::NoBoundary),
            (b"--x".to_vec(), Broken::EndlessHead),
            (Vec::new(), Broken::NoBoundary),
        ] {
            let body = [good.clone(), second].concat();
            let shown = String::from_utf8_lossy(&body).into_owned();
            assert_eq!(said(&body), format!("frames[1]: {message}"), "{shown:.200}");
        }
    }

    #[test]
    fn of_too_many_parts_one_too_many_is_read() {
        let one = part(&head(b"p", ""), b"p");
        assert_eq!(said(&whole(&vec![one.clone(); 100])), "100");
        assert_eq!(said(&whole(&vec![one; 5000])), "101");
    }

    #[test]
    fn the_boundary_is_read_from_the_type() {
        assert_eq!(
            kind("multipart/mixed; boundary=x").unwrap().as_deref(),
            Some("x")
        );
        assert_eq!(
            kind(r#"Multipart/Mixed; boundary="a b""#)
                .unwrap()
                .as_deref(),
            Some("a b")
        );
        assert_eq!(kind("application/json").unwrap(), None);
        assert_eq!(kind("multipart/form-data; boundary=x").unwrap(), None);
        assert!(kind("multipart/mixed").is_err());
        assert!(kind(&format!("multipart/mixed; boundary={}", "x".repeat(71))).is_err());
    }

    proptest! {
        #[test]
        fn pictures_that_were_written_are_read(
            pictures in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..200), 0..8),
        ) {
            let parts: Vec<_> = pictures.iter().map(|picture| part(&head(picture, "s"), picture)).collect();
            let body = whole(&parts);
            let read = split(&body, "x").unwrap();
            let read: Vec<_> = read.iter().map(|part| part.picture.to_vec()).collect();
            prop_assert_eq!(read, pictures);
        }

        #[test]
        fn garbage_is_refused_or_read_and_never_a_panic(
            bytes in proptest::collection::vec(prop_oneof![any::<u8>(), Just(b'\r'), Just(b'\n'), Just(b'-'), Just(b'x')], 0..400),
            cut in 0_usize..300,
            change in any::<(usize, u8)>(),
        ) {
            let _ = split(&Bytes::from(bytes), "x");
            let mut spoilt = whole(&[part(&head(PICTURE, "s"), PICTURE), part(&head(b"p", ""), b"p")]).to_vec();
            spoilt.truncate(spoilt.len().saturating_sub(cut));
            let at = change.0 % spoilt.len().max(1);
            if let Some(byte) = spoilt.get_mut(at) {
                *byte = change.1;
            }
            let spoilt = Bytes::from(spoilt);
            if let Ok(parts) = split(&spoilt, "x") {
                let read: usize = parts.iter().map(|part| part.picture.len()).sum();
                prop_assert!(read <= spoilt.len());
            }
        }
    }
}
