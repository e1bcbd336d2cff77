//! What was sent as a frame becomes one: what is said of it is read, its picture looked at without decoding it.

use std::borrow::Cow;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use bytes::Bytes;
use vigint_core::clock::UtcTime;
use vigint_core::frame::{FrameLimits, strip_data_uri};
use vigint_core::ids::SourceId;
use vigint_core::text::{clean_line, sentence};
use vigint_core::wire::FrameRequest;
use vigint_video::jpeg::{self, JpegError};

use super::source_or_default;
use crate::buffer::IncomingFrame;
use crate::http::body::parts::Part;
use crate::http::body::too_large;
use crate::http::error::{ApiError, Code};
use crate::http::query::Query;

/// Standard base64, with or without padding.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The number of a frame that was sent without one.
const FIRST: i64 = 1;

/// The field of a JSON frame that holds its picture.
const PICTURE: &str = "frame_data";

/// What the query says of a raw frame.
pub(super) struct Said<'a> {
    source: SourceId,
    frame_count: Option<i64>,
    source_name: Option<Cow<'a, str>>,
    captured_at: Option<UtcTime>,
}

impl<'a> Said<'a> {
    pub(super) fn of(query: Query<'a>) -> Result<Self, ApiError> {
        Ok(Self {
            source: source_or_default(query.text("source_id")?.as_deref())?,
            source_name: query.text("source_name")?,
            frame_count: query.whole_number("frame_count")?,
            captured_at: query.time("captured_at")?,
        })
    }

    /// The frame, once its picture is known to be one.
    pub(super) fn with(
        self,
        jpeg: Bytes,
        limits: &FrameLimits,
    ) -> Result<(SourceId, IncomingFrame), ApiError> {
        let fields = Fields {
            frame_count: self.frame_count,
            source_name: self.source_name.as_deref(),
            captured_at: self.captured_at,
        };
        let frame = fields.with(jpeg, limits).map_err(PictureRefused::of_raw)?;
        Ok((self.source, frame))
    }
}

/// What is said of a frame beside its picture.
struct Fields<'a> {
    frame_count: Option<i64>,
    source_name: Option<&'a str>,
    captured_at: Option<UtcTime>,
}

impl Fields<'_> {
    /// The frame, once its picture is known to be one.
    fn with(self, mut jpeg: Bytes, limits: &FrameLimits) -> Result<IncomingFrame, PictureRefused> {
        if jpeg.len() > limits.max_bytes {
            return Err(PictureRefused::TooLarge(limits.max_bytes));
        }
        let info = jpeg::inspect(&jpeg, limits.max_pixels).map_err(PictureRefused::Picture)?;
        // Bytes after the end marker are no picture.
        jpeg.truncate(info.len);
        Ok(IncomingFrame {
            jpeg,
            width: info.width,
            height: info.height,
            frame_count: self.frame_count.unwrap_or(FIRST),
            captured_at: self.captured_at,
            source_name: self
                .source_name
                .map(clean_line)
                .filter(|name| !name.is_empty()),
        })
    }
}

/// Why a picture is not taken.
enum PictureRefused {
    /// It has more than this many bytes.
    TooLarge(usize),
    /// It is not one that we take.
    Picture(JpegError),
}

impl PictureRefused {
    /// As said of a body that is the picture.
    fn of_raw(self) -> ApiError {
        self.saying(|error| sentence(&error.to_string()))
    }

    /// As said of a body with the picture in one of its fields.
    fn of_json(self) -> ApiError {
        self.saying(|error| format!("{PICTURE}: {error}"))
    }

    fn saying(self, words: fn(&JpegError) -> String) -> ApiError {
        match self {
            Self::TooLarge(max_bytes) => too_large(max_bytes),
            Self::Picture(error @ JpegError::TooManyPixels { .. }) => {
                ApiError::saying(Code::TooManyPixels, words(&error))
            }
            Self::Picture(error) => ApiError::saying(Code::NotAJpeg, words(&error)),
        }
    }
}

/// A frame of a batch of raw ones, its picture in an allocation of its own: the last slice of a body would keep all of
/// the body alive, and nothing could tell.
pub(super) fn frame_of_part(
    part: Part<'_>,
    limits: &FrameLimits,
) -> Result<(SourceId, IncomingFrame), ApiError> {
    let said = Said::of(Query::written(part.said))?;
    let (source, mut frame) = said.with(part.picture, limits)?;
    frame.jpeg = Bytes::copy_from_slice(&frame.jpeg);
    Ok((source, frame))
}

/// A frame as JSON.
pub(super) fn frame_of_json(
    frame: &FrameRequest<'_>,
    limits: &FrameLimits,
) -> Result<(SourceId, IncomingFrame), ApiError> {
    let source = source_or_default(frame.source_id.as_deref())?;
    let jpeg = decode(strip_data_uri(&frame.frame_data))?;
    let fields = Fields {
        frame_count: frame.frame_count,
        source_name: frame.source_name.as_deref(),
        captured_at: frame.captured_at,
    };
    let frame = fields.with(jpeg.into(), limits);
    Ok((source, frame.map_err(PictureRefused::of_json)?))
}

/// The bytes behind base64. The `base64` program and Python's `encodebytes` break it into lines; only what is
/// not one line is read a second time.
///
/// Nearly all is standard base64 with its padding: that is decoded with the processor's wide instructions, in a
/// third of the time. Whatever that refuses is read by the more forgiving decoder.
fn decode(text: &str) -> Result<Vec<u8>, ApiError> {
    if let Ok(picture) = base64_simd::STANDARD.decode_to_vec(text) {
        return Ok(picture);
    }
    BASE64.decode(text).or_else(|_| {
        let is_blank = u8::is_ascii_whitespace;
        let one_line: Vec<u8> = text.bytes().filter(|b| !is_blank(b)).collect();
        BASE64.decode(one_line).map_err(|_| {
            ApiError::saying(Code::Malformed, format!("{PICTURE} is not valid base64"))
        })
    })
}

#[cfg(test)]
mod tests {
    use vigint_testkit::scene;

    use super::*;
    use crate::http::body::parts::split;

    #[test]
    fn no_picture_of_a_batch_keeps_the_body_that_it_came_in() {
        let jpeg = scene::noise_frame(1, 64, 48);
        let mut body = Vec::new();
        for _ in 0..3 {
            let length = jpeg.len();
            let head =
                format!("--b\r\nContent-Type: image/jpeg\r\nContent-Length: {length}\r\n\r\n");
            body.extend_from_slice(head.as_bytes());
            body.extend_from_slice(&jpeg);
            body.extend_from_slice(b"\r\n");
        }
        body.extend_from_slice(b"--b--\r\n");
        let body = Bytes::from(body);
        let limits = FrameLimits::default();
        let parts = split(&body, "b").unwrap();
        let frames = parts.into_iter().map(|part| frame_of_part(part, &limits));
        let frames: Vec<_> = frames.collect::<Result<_, _>>().unwrap();
        assert!(body.is_unique(), "a frame still holds the body");
        assert!(frames.iter().all(|(_, frame)| frame.jpeg == jpeg));
    }
}
