//! Frames on their way in.

use actix_web::{HttpMessage as _, HttpRequest, HttpResponse, web};
use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use bytes::Bytes;
use vigint_core::clock::UtcTime;
use vigint_core::frame::{FrameLimits, MAX_BATCH_FRAMES, strip_data_uri};
use vigint_core::ids::SourceId;
use vigint_core::text::{clean_line, sentence};
use vigint_core::wire::{BatchRequest, BatchResponse, BufferResponse, FrameRequest, Object};
use vigint_video::jpeg::{self, JpegError};

use super::source_or_default;
use crate::buffer::{BatchError, IncomingFrame};
use crate::http::auth::SignedIn;
use crate::http::body::{Media, media_type, parse_required_json, read, read_json, too_large};
use crate::http::error::{ApiError, Code, invalid};
use crate::http::middleware::Metering;
use crate::http::query::Query;
use crate::http::services::Services;

/// Standard base64, with or without padding.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The number of a frame that was sent without one.
const FIRST: i64 = 1;

/// The field of a JSON frame that holds its picture.
const PICTURE: &str = "frame_data";

/// `POST /api/video/buffer`
pub(in crate::http) async fn push_frame(
    caller: SignedIn,
    request: HttpRequest,
    payload: web::Payload,
    services: web::Data<Services>,
) -> Result<HttpResponse, ApiError> {
    let limits = services.limits.frame;
    let (source, frame) = match media_type(request.headers())? {
        Media::Jpeg => {
            // The query is read first: an error in it needs no body.
            let asked = Query::of(&request);
            let source = source_or_default(asked.text("source_id")?.as_deref())?;
            let source_name = asked.text("source_name")?;
            let fields = Fields {
                frame_count: asked.whole_number("frame_count")?,
                source_name: source_name.as_deref(),
                captured_at: asked.time("captured_at")?,
            };
            let body = read(&request, payload, &services).await?;
            let frame = fields.with(body, &limits).map_err(PictureRefused::of_raw)?;
            (source, frame)
        }
        Media::Json => {
            let body = read(&request, payload, &services).await?;
            frame_of_json(&parse_required_json(&body)?, &limits)?
        }
    };
    let frame_count = frame.frame_count;
    let bytes = frame.jpeg.len();
    let pushed = services.rings.push(&caller.tenant, &source, frame)?;
    services.metrics.count_frames(1, bytes);
    let metering = Metering::ByMinute(services.prices.frame);
    request.extensions_mut().insert(metering);
    Ok(HttpResponse::Ok().json(BufferResponse {
        status: pushed.status,
        frame_count,
        buffer_size: pushed.buffer_size,
        timestamp: services.clock.now(),
        source_id: source.to_string(),
    }))
}

/// `POST /api/video/buffer/batch`
pub(in crate::http) async fn push_batch(
    caller: SignedIn,
    request: HttpRequest,
    payload: web::Payload,
    services: web::Data<Services>,
) -> Result<HttpResponse, ApiError> {
    let body = read_json(&request, payload, &services).await?;
    let batch: BatchRequest<'_> = parse_required_json(&body)?;
    if batch.frames.is_empty() {
        return Err(invalid("frames", &"send at least one frame"));
    }
    if batch.frames.len() > MAX_BATCH_FRAMES {
        let message = format!("frames: at most {MAX_BATCH_FRAMES} frames are taken at once");
        return Err(ApiError::saying(Code::TooLarge, message));
    }
    services
        .request_limits
        .take_batch(&caller, batch.frames.len())?;
    let mut frames = Vec::with_capacity(batch.frames.len());
    for (index, Object(frame)) in batch.frames.iter().enumerate() {
        let frame =
            frame_of_json(frame, &services.limits.frame).map_err(|error| error.in_frame(index))?;
        frames.push(frame);
    }
    let count = frames.len();
    let bytes = frames.iter().map(|(_, frame)| frame.jpeg.len()).sum();
    let pushed = services
        .rings
        .push_batch(&caller.tenant, frames)
        .map_err(|BatchError { index, error }| ApiError::from(error).in_frame(index))?;
    services.metrics.count_frames(count, bytes);
    let frames_price = services.prices.frame * i64::try_from(count).unwrap_or(i64::MAX);
    request
        .extensions_mut()
        .insert(Metering::ByMinute(frames_price));
    Ok(HttpResponse::Ok().json(BatchResponse {
        status: pushed.status,
        frames_added: pushed.frames_added,
        buffer_size: pushed.buffer_size,
    }))
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

fn frame_of_json(
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
