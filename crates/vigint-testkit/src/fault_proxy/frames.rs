//! The frames in a request: a raw JPEG that its query speaks of, or a batch of them as `multipart/mixed` with a part
//! each, of which the header `Vigint-Frame` says what the query would.

use percent_encoding::percent_decode_str;
use vigint_core::clock::UtcTime;

use super::message::{Message, head_end, header, parse_head};

const SINGLE: &str = "/api/video/buffer";
const BATCH: &str = "/api/video/buffer/batch";
const FRAME_HEADER: &str = "vigint-frame";

/// A frame, and what is said of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PassedFrame {
    /// By what the server tells its source from the others.
    pub source_id: String,
    /// Its number, as its client counts.
    pub frame_count: Option<i64>,
    /// When it was taken, by its client's clock.
    pub captured_at: Option<UtcTime>,
    /// The picture.
    pub jpeg: Vec<u8>,
}

/// The frames that a request holds, in order.
///
/// # Panics
/// When it is an ingest request that this cannot read: nothing would be known of its frames.
pub(super) fn frames_in(request: Message) -> Vec<PassedFrame> {
    let target = request.word(1).to_owned();
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    match (request.word(0), path) {
        ("POST", SINGLE) => vec![frame(query, request.body)],
        ("POST", BATCH) => parts(&request)
            .and_then(frames_of)
            .expect("a batch of raw JPEGs can be read"),
        _ => Vec::new(),
    }
}

fn frame(query: &str, jpeg: Vec<u8>) -> PassedFrame {
    let field = |name: &str| {
        let mut fields = query.split('&').filter_map(|field| field.split_once('='));
        let (_, value) = fields.find(|(found, _)| *found == name)?;
        let spaced = value.replace('+', " ");
        Some(percent_decode_str(&spaced).decode_utf8_lossy().into_owned())
    };
    PassedFrame {
        source_id: field("source_id").unwrap_or_else(|| "default".to_owned()),
        frame_count: field("frame_count").and_then(|count| count.parse().ok()),
        captured_at: field("captured_at").and_then(|at| at.parse().ok()),
        jpeg,
    }
}

/// What a message says beside its pictures.
pub(super) fn said_in(message: &Message) -> Vec<u8> {
    let mut said = message.first_line.clone().into_bytes();
    let mut add = |headers: &[(String, String)]| {
        for (name, value) in headers {
            if !name.eq_ignore_ascii_case("authorization") {
                said.extend_from_slice(format!("\n{name}: {value}").as_bytes());
            }
        }
    };
    add(&message.headers);
    let kind = message.header("content-type").unwrap_or_default();
    if let Some(parts) = parts(message) {
        parts.iter().for_each(|part| add(&part.headers));
    } else if kind != "image/jpeg" {
        said.push(b'\n');
        said.extend_from_slice(&message.body);
    }
    said
}

/// A part of a batch.
struct Part<'m> {
    headers: Vec<(String, String)>,
    body: &'m [u8],
}

fn parts(message: &Message) -> Option<Vec<Part<'_>>> {
    let kind = message.header("content-type")?;
    let (_, boundary) = kind.split_once("boundary=")?;
    let delimiter = format!("--{}", boundary.trim_matches('"'));
    let mut rest = message.body.as_slice();
    let mut parts = Vec::new();
    loop {
        let after = rest.strip_prefix(delimiter.as_bytes())?;
        if after.starts_with(b"--") {
            return Some(parts);
        }
        let part = after.strip_prefix(b"\r\n")?;
        let end = head_end(part)?;
        // There is no first line in the head of a part.
        let (_, headers) = parse_head(&[b"\r\n", &part[..end]].concat());
        let length: usize = header(&headers, "content-length")?.parse().ok()?;
        let body = part.get(end + 4..)?;
        rest = body.get(length..)?.strip_prefix(b"\r\n")?;
        parts.push(Part {
            headers,
            body: body.get(..length)?,
        });
    }
}

fn frames_of(parts: Vec<Part<'_>>) -> Option<Vec<PassedFrame>> {
    let frame = |part: Part<'_>| {
        let said = header(&part.headers, FRAME_HEADER)?;
        Some(frame(said, part.body.to_vec()))
    };
    parts.into_iter().map(frame).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(target: &str, kind: &str, body: &[u8]) -> Message {
        Message {
            first_line: format!("POST {target} HTTP/1.1"),
            headers: vec![("Content-Type".to_owned(), kind.to_owned())],
            body: body.to_vec(),
        }
    }

    #[test]
    fn of_a_single_frame_the_query_speaks() {
        let target = "/api/video/buffer?source_id=till&frame_count=7&source_name=Till+%26+door&captured_at=2026-11-30T10%3A00%3A00.250Z";
        let frames = frames_in(request(target, "image/jpeg", b"jpeg"));
        let captured_at = "2026-11-30T10:00:00.250Z".parse().unwrap();
        let expected = PassedFrame {
            source_id: "till".to_owned(),
            frame_count: Some(7),
            captured_at: Some(captured_at),
            jpeg: b"jpeg".to_vec(),
        };
        assert_eq!(frames, [expected]);
    }

    #[test]
    fn of_a_batch_each_part_speaks_whatever_its_picture_holds() {
        let picture = "--b\r\n";
        let part = |number: u8| {
            let length = picture.len();
            format!(
                "--b\r\nContent-Type: image/jpeg\r\nContent-Length: {length}\r\nVigint-Frame: source_id=door&frame_count={number}\r\n\r\n{picture}\r\n"
            )
        };
        let body = format!("{}{}--b--\r\n", part(3), part(4));
        let kind = "multipart/mixed; boundary=b";
        let frames = frames_in(request("/api/video/buffer/batch", kind, body.as_bytes()));
        let counts: Vec<_> = frames.iter().map(|frame| frame.frame_count).collect();
        assert_eq!(counts, [Some(3), Some(4)]);
        assert!(frames.iter().all(|frame| frame.jpeg == picture.as_bytes()));
    }

    #[test]
    fn other_requests_hold_no_frames() {
        assert!(frames_in(request("/api/video/analyze", "application/json", b"{}")).is_empty());
    }

    #[test]
    fn all_that_is_said_is_told_but_for_pictures_and_the_key() {
        let part =
            "--b\r\nContent-Length: 4\r\nVigint-Frame: source_id=door\r\n\r\njpeg\r\n--b--\r\n";
        for (kind, body, said) in [
            ("image/jpeg", "jpeg", None),
            ("multipart/mixed; boundary=b", part, Some("source_id=door")),
            ("application/json", "{\"a\": 1}", Some("{\"a\": 1}")),
        ] {
            let mut request = request("/api/x?name=till", kind, body.as_bytes());
            let key = ("Authorization".to_owned(), "Bearer geheim".to_owned());
            request.headers.push(key);
            let all = String::from_utf8(said_in(&request)).unwrap();
            assert!(
                all.contains("/api/x?name=till") && all.contains(kind),
                "{all}"
            );
            assert!(!all.contains("jpeg\n") && !all.contains("geheim"), "{all}");
            assert!(said.is_none_or(|said| all.contains(said)), "{all}");
            assert!(!all.ends_with("\njpeg"), "{all}");
        }
    }
}
