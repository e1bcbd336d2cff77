//! Frames on their way in.

use actix_web::http::header;
use actix_web::{HttpMessage as _, HttpRequest, HttpResponse, web};
use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use bytes::Bytes;
use serde::Deserialize;
use vigint_core::clock::UtcTime;
use vigint_core::frame::{FrameLimits, MAX_BATCH_FRAMES, strip_data_uri};
use vigint_core::ids::SourceId;
use vigint_core::text::clean_line;
use vigint_core::wire::{BatchRequest, BatchResponse, BufferResponse, FrameRequest};
use vigint_video::jpeg::{self, JpegError};

use super::{invalid, query, source_or_default};
use crate::buffer::{BatchError, IncomingFrame};
use crate::http::auth::SignedIn;
use crate::http::body::{parse_required_json, read, too_large};
use crate::http::error::{ApiError, Code};
use crate::http::middleware::Metering;
use crate::http::services::Services;

/// Standard base64, with or without padding.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// What a raw frame says of itself in the query.
#[derive(Deserialize)]
struct RawFrameQuery {
    frame_count: Option<i64>,
    source_id: Option<String>,
    source_name: Option<String>,
    captured_at: Option<UtcTime>,
}

/// `POST /api/video/buffer`
pub(in crate::http) async fn push_frame(
    caller: SignedIn,
    request: HttpRequest,
    payload: web::Payload,
    services: web::Data<Services>,
) -> Result<HttpResponse, ApiError> {
    let limits = services.limits.frame;
    let (source, frame) = match media_type(&request)? {
        Media::Jpeg => {
            let fields: RawFrameQuery = query(&request)?;
            let body = read(&request, payload, &services).await?;
            let source = source_or_default(fields.source_id.as_deref())?;
            let frame = Fields {
                frame_count: fields.frame_count,
                source_name: fields.source_name.as_deref(),
                captured_at: fields.captured_at,
            };
            (source, frame.with(body, &limits)?)
        }
        Media::Json => {
            let body = read(&request, payload, &services).await?;
            frame_of_json(&parse_required_json(&body)?, &limits)?
        }
    };
    let frame_count = frame.frame_count;
    let pushed = services.rings.push(&caller.tenant, &source, frame)?;
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
    let body = read(&request, payload, &services).await?;
    let batch: BatchRequest<'_> = parse_required_json(&body)?;
    if batch.frames.is_empty() {
        return Err(invalid("frames", &"send at least one frame"));
    }
    if batch.frames.len() > MAX_BATCH_FRAMES {
        let message = format!("frames: at most {MAX_BATCH_FRAMES} frames are taken at once");
        return Err(ApiError::saying(Code::TooLarge, message));
    }
    let mut frames = Vec::with_capacity(batch.frames.len());
    for (index, frame) in batch.frames.iter().enumerate() {
        let frame =
            frame_of_json(frame, &services.limits.frame).map_err(|error| error.in_frame(index))?;
        frames.push(frame);
    }
    let count = frames.len();
    let pushed = services
        .rings
        .push_batch(&caller.tenant, frames)
        .map_err(|BatchError { index, error }| ApiError::from(error).in_frame(index))?;
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

enum Media {
    Json,
    Jpeg,
}

/// A body that does not say what it is is taken for JSON, as the earlier server did.
fn media_type(request: &HttpRequest) -> Result<Media, ApiError> {
    let Some(value) = request.headers().get(header::CONTENT_TYPE) else {
        return Ok(Media::Json);
    };
    let essence = value.to_str().unwrap_or_default();
    let essence = essence.split(';').next().unwrap_or_default().trim();
    if essence.eq_ignore_ascii_case("application/json") {
        Ok(Media::Json)
    } else if essence.eq_ignore_ascii_case("image/jpeg") {
        Ok(Media::Jpeg)
    } else {
        Err(ApiError::new(Code::UnsupportedMediaType))
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
    fn with(self, mut jpeg: Bytes, limits: &FrameLimits) -> Result<IncomingFrame, ApiError> {
        if jpeg.len() > limits.max_bytes {
            return Err(too_large(limits.max_bytes));
        }
        let info = jpeg::inspect(&jpeg, limits.max_pixels).map_err(|error| match error {
            JpegError::TooManyPixels { .. } => {
                ApiError::saying(Code::TooManyPixels, format!("frame_data: {error}"))
            }
            other => ApiError::saying(Code::NotAJpeg, format!("frame_data: {other}")),
        })?;
        // Bytes after the end marker are no picture.
        jpeg.truncate(info.len);
        Ok(IncomingFrame {
            jpeg,
            width: info.width,
            height: info.height,
            frame_count: self.frame_count.unwrap_or(0),
            captured_at: self.captured_at,
            source_name: self
                .source_name
                .map(clean_line)
                .filter(|name| !name.is_empty()),
        })
    }
}

fn frame_of_json(
    frame: &FrameRequest<'_>,
    limits: &FrameLimits,
) -> Result<(SourceId, IncomingFrame), ApiError> {
    let source = source_or_default(frame.source_id.as_deref())?;
    let jpeg = BASE64
        .decode(strip_data_uri(&frame.frame_data))
        .map_err(|_| ApiError::saying(Code::Malformed, "frame_data is not valid base64"))?;
    let fields = Fields {
        frame_count: frame.frame_count,
        source_name: frame.source_name.as_deref(),
        captured_at: frame.captured_at,
    };
    Ok((source, fields.with(jpeg.into(), limits)?))
}
