//! Several JPEGs in one request as they are: a `multipart/mixed` body (RFC 2046, section 5.1), a part each.
//!
//! The same batch as JSON would be a third larger. The server's side is `vigint-server`'s `http/body/parts.rs`.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};

use bytes::{Bytes, BytesMut};
use vigint_core::clock::UtcTime;
use vigint_core::frame::FRAME_HEADER;
use vigint_core::ids::SourceId;

use super::{ApiError, said_of};
use crate::frame::Frame;
use crate::queue::Bounds;

/// The most frames that go together.
const MOST_FRAMES: usize = 100;
/// The most bytes of a body. A request has to be through in half a minute, and the server gives up whoever is slower than
/// 32 KiB/s: a batch of this size passes where a single frame does. nginx lets through 1 MiB unless it is told otherwise.
const MOST_BYTES: usize = 900 * 1024;
/// Batches were refused: they are tried again after so many frames that went by themselves.
const SINGLES_BETWEEN_TRIES: u32 = 600;
/// The digits of the longest `Content-Length`.
const LENGTH_DIGITS: usize = 8;

/// The type of the body. A boundary may stand in a picture: each part says its length.
pub(super) const CONTENT_TYPE: &str = "multipart/mixed; boundary=vigint.frame";
const DELIMITER: &[u8] = b"--vigint.frame";

/// What a refusal says about batches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// One of its frames will not do, or all of them are too much; others may.
    NotThis,
    /// The server, or what stands before it, takes none of this kind.
    Never,
}

/// Whether batches are tried, as far as is known.
#[derive(Debug, Default)]
pub(super) struct Trial {
    /// None while so many frames have still to go by themselves.
    singles: AtomicU32,
    /// The last frame that went by itself found no server.
    is_away: AtomicBool,
}

impl Trial {
    pub(super) fn is_on(&self) -> bool {
        self.singles.load(Relaxed) == 0
    }

    /// Batches are refused as such.
    pub(super) fn refused(&self) {
        self.singles.store(SINGLES_BETWEEN_TRIES, Relaxed);
    }

    /// Who is there may be another one, or of another version.
    pub(super) fn begin_anew(&self) {
        self.singles.store(0, Relaxed);
    }

    /// Learns how it went with a frame by itself.
    pub(super) fn learn(&self, failure: Option<&ApiError>) {
        match failure {
            Some(error) if error.is_away() => self.is_away.store(true, Relaxed),
            Some(_) => {}
            None if self.is_away.swap(false, Relaxed) => self.begin_anew(),
            None => {
                let less = |singles: u32| singles.checked_sub(1);
                // Nothing to count when batches are tried.
                let _ = self.singles.fetch_update(Relaxed, Relaxed, less);
            }
        }
    }
}

/// The most that goes together of a source: what is said of each picture takes of the room for pictures.
pub(crate) fn most_at_once(source_id: &SourceId, source_name: Option<&str>) -> Bounds {
    let longest = Frame {
        source_id: source_id.clone(),
        source_name: source_name.map(str::to_owned),
        number: Some(i64::MAX),
        captured_at: Some(UtcTime::UNIX_EPOCH),
        ..Frame::from(Bytes::new())
    };
    let beside = head_of(&longest).len() + LENGTH_DIGITS + DELIMITER.len() + 4;
    Bounds {
        frames: MOST_FRAMES,
        bytes: MOST_BYTES.saturating_sub(beside * (MOST_FRAMES + 1)),
    }
}

/// The body that holds these frames.
pub(super) fn body_of(frames: &[Frame]) -> Bytes {
    let heads: Vec<String> = frames.iter().map(head_of).collect();
    let around = DELIMITER.len() + 4;
    let length = frames.iter().zip(&heads);
    let length = length.map(|(frame, head)| frame.jpeg.len() + head.len() + around);
    let mut body = BytesMut::with_capacity(length.sum::<usize>() + around);
    for (frame, head) in frames.iter().zip(&heads) {
        for piece in [DELIMITER, b"\r\n", head.as_bytes(), &frame.jpeg, b"\r\n"] {
            body.extend_from_slice(piece);
        }
    }
    body.extend_from_slice(DELIMITER);
    body.extend_from_slice(b"--\r\n");
    body.freeze()
}

fn head_of(frame: &Frame) -> String {
    let (length, said) = (frame.jpeg.len(), said_of(frame));
    format!(
        "Content-Type: image/jpeg\r\nContent-Length: {length}\r\n{FRAME_HEADER}: {said}\r\n\r\n"
    )
}

/// What follows from the refusal of a batch; `None` when it is not about the batch.
pub(super) fn verdict_on(error: &ApiError) -> Option<Verdict> {
    match error {
        // An earlier server names no frame of a body that it cannot read.
        ApiError::Refused {
            status: 400 | 422,
            message,
            ..
        } if message.starts_with("frames[") => Some(Verdict::NotThis),
        // It was too slow, or too large: what is smaller may not be.
        ApiError::Busy { status: 408, .. } | ApiError::Refused { status: 413, .. } => {
            Some(Verdict::NotThis)
        }
        ApiError::Refused { status, .. } if *status != 403 => Some(Verdict::Never),
        // What a proxy says of a path that it does not let through. A frame by itself shows whether
        // there is a server at all.
        ApiError::NotVigint { .. } => Some(Verdict::Never),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_is_written_as_the_rfc_has_it_and_fills_its_allocation() {
        let frames = [1, 2].map(|number| Frame {
            number: Some(number),
            source_name: Some("Till & door".into()),
            ..Frame::from(vec![b'p'; 3])
        });
        let body = body_of(&frames);
        let said = "source_id=default&frame_count=1&source_name=Till+%26+door";
        let second = said.replace("count=1", "count=2");
        let expected = format!(
            "--vigint.frame\r\nContent-Type: image/jpeg\r\nContent-Length: 3\r\nVigint-Frame: {said}\r\n\r\nppp\r\n\
             --vigint.frame\r\nContent-Type: image/jpeg\r\nContent-Length: 3\r\nVigint-Frame: {second}\r\n\r\nppp\r\n\
             --vigint.frame--\r\n"
        );
        assert_eq!(body, expected);
        let body = body.try_into_mut().unwrap();
        assert_eq!(body.capacity(), body.len());
    }

    #[test]
    fn a_refusal_is_about_one_frame_or_about_batches_or_about_neither() {
        let refused = |status, message: &str| ApiError::Refused {
            status,
            code: None,
            message: message.into(),
        };
        for (error, verdict) in [
            (
                refused(422, "frames[3]: not a JPEG"),
                Some(Verdict::NotThis),
            ),
            (refused(400, "frames[0]: cut short"), Some(Verdict::NotThis)),
            (refused(422, "frames: missing"), Some(Verdict::Never)),
            (refused(415, "Send application/json"), Some(Verdict::Never)),
            (refused(413, "too large"), Some(Verdict::NotThis)),
            (refused(404, "Not found"), Some(Verdict::Never)),
            (refused(403, "Access denied"), None),
            (ApiError::KeyRefused("x".into()), None),
        ] {
            assert_eq!(verdict_on(&error), verdict, "{error}");
        }
    }

    #[test]
    fn batches_are_tried_again_after_many_single_frames_and_when_the_server_is_back() {
        let trial = Trial::default();
        assert!(trial.is_on());
        trial.refused();
        let away = ApiError::NotVigint {
            server: "http://s".into(),
            reason: "it answers 404".into(),
        };
        let singles = |count| (0..count).for_each(|_| trial.learn(None));
        singles(SINGLES_BETWEEN_TRIES - 1);
        assert!(!trial.is_on());
        singles(1);
        assert!(trial.is_on());
        singles(1);
        assert!(trial.is_on(), "nothing is counted below zero");
        trial.refused();
        trial.learn(Some(&away));
        assert!(!trial.is_on(), "not before the server is back");
        singles(1);
        assert!(trial.is_on());
    }

    #[test]
    fn the_largest_batch_passes_a_proxy_with_its_heads() {
        for name in [None, Some("é".repeat(200))] {
            let source_id: SourceId = "till-number-7".parse().unwrap();
            let most = most_at_once(&source_id, name.as_deref());
            let each = most.bytes / most.frames;
            let frame = Frame {
                source_id,
                source_name: name,
                number: Some(i64::MAX),
                captured_at: Some(UtcTime::from_unix_seconds(2_000_000_000)),
                ..Frame::from(vec![b'p'; each])
            };
            let length = body_of(&vec![frame; most.frames]).len();
            assert!(
                (MOST_BYTES - 4096..=MOST_BYTES).contains(&length),
                "{length}"
            );
        }
    }
}
