//! Frames on their way in.

use actix_web::{HttpMessage as _, HttpRequest, HttpResponse, web};
use vigint_core::frame::MAX_BATCH_FRAMES;
use vigint_core::wire::{BatchRequest, BatchResponse, BufferResponse, Object};

use super::incoming::{Said, frame_of_json, frame_of_part};
use crate::buffer::BatchError;
use crate::http::auth::SignedIn;
use crate::http::body::{Media, media_type, parse_required_json, parts, read, require_json};
use crate::http::error::{ApiError, Code, invalid};
use crate::http::middleware::Metering;
use crate::http::query::Query;
use crate::http::services::Services;

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
            let said = Said::of(Query::of(&request))?;
            said.with(read(&request, payload, &services).await?, &limits)?
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
    let limits = services.limits.frame;
    let count_frames = |count| {
        check_batch(count)?;
        services.request_limits.take_batch(&caller, count)
    };
    let mut frames = Vec::new();
    if let Some(boundary) = parts::boundary(request.headers())? {
        let body = read(&request, payload, &services).await?;
        let parts = parts::split(&body, &boundary)?;
        count_frames(parts.len())?;
        for (index, part) in parts.into_iter().enumerate() {
            let frame = frame_of_part(part, &limits).map_err(|error| error.in_frame(index))?;
            frames.push(frame);
        }
    } else {
        require_json(
            request.headers(),
            "Send application/json or multipart/mixed",
        )?;
        let body = read(&request, payload, &services).await?;
        let batch: BatchRequest<'_> = parse_required_json(&body)?;
        count_frames(batch.frames.len())?;
        for (index, Object(frame)) in batch.frames.iter().enumerate() {
            let frame = frame_of_json(frame, &limits).map_err(|error| error.in_frame(index))?;
            frames.push(frame);
        }
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

fn check_batch(frames: usize) -> Result<(), ApiError> {
    if frames == 0 {
        return Err(invalid("frames", &"send at least one frame"));
    }
    if frames > MAX_BATCH_FRAMES {
        let message = format!("frames: at most {MAX_BATCH_FRAMES} frames are taken at once");
        return Err(ApiError::saying(Code::TooLarge, message));
    }
    Ok(())
}
