//! Several JPEGs in one request as they are: a `multipart/mixed` body (RFC 2046, section 5.1), a part each.
//!
//! The same batch as JSON would be a third larger. The server's side is `vigint-server`'s `http/body/parts.rs`.

use bytes::{Bytes, BytesMut};
use vigint_core::frame::FRAME_HEADER;

use super::{ApiError, said_of};
use crate::frame::Frame;
use crate::queue::Bounds;

/// The most that goes together. A request has to be through in half a minute, and the server gives up whoever is slower
/// than 32 KiB/s: a batch of this size passes where a single frame does.
pub(crate) const MOST_AT_ONCE: Bounds = Bounds {
    frames: 100,
    bytes: 1024 * 1024,
};

/// The type of the body. A boundary may stand in a picture: each part says its length.
pub(super) const CONTENT_TYPE: &str = "multipart/mixed; boundary=vigint.frame";
const DELIMITER: &[u8] = b"--vigint.frame";

/// What a refusal says about batches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// One of its frames will not do; the others may.
    NotThis,
    /// The server, or what stands before it, takes none of this kind or size.
    Never,
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
        // It was too slow: what is smaller may not be.
        ApiError::Busy { status: 408, .. } => Some(Verdict::NotThis),
        ApiError::Refused { status, .. } if *status != 403 => Some(Verdict::Never),
        // What a proxy says of a path or a size that it does not let through. A frame by itself shows whether
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
            (refused(413, "too large"), Some(Verdict::Never)),
            (refused(404, "Not found"), Some(Verdict::Never)),
            (refused(403, "Access denied"), None),
            (ApiError::KeyRefused("x".into()), None),
        ] {
            assert_eq!(verdict_on(&error), verdict, "{error}");
        }
    }
}
