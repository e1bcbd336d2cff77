//! Bodies on their way in, within bounds of size, time and memory.

mod arrival;
mod budget;
mod json;
pub(in crate::http) mod parts;

pub use self::budget::InflightBytes;
pub(super) use self::budget::{Holder, Reservation};
pub(super) use self::json::{parse_json, parse_required_json};

use actix_web::http::header::{self, HeaderMap};
use actix_web::{HttpMessage as _, HttpRequest, web};
use bytes::Bytes;

use self::arrival::{Pace, collect};
use super::error::{ApiError, Code, internal};
use super::services::Services;

/// Reads the whole body, into the room that was reserved for it, as long as its sender keeps pace.
pub(super) async fn read(
    request: &HttpRequest,
    payload: web::Payload,
    services: &Services,
) -> Result<Bytes, ApiError> {
    let pace = Pace {
        patience: services.limits.body_patience,
        slowest_sender: services.limits.slowest_sender,
    };
    let announced = announced_length(request.headers());
    // What nobody reserved is not read.
    let make_room = |length| match request.extensions_mut().get_mut::<Reservation>() {
        Some(reservation) => reservation.cover(length),
        None => Err(internal(&"no room was reserved for this body")),
    };
    collect(payload, announced, &pace, make_room).await
}

/// Reads the whole body of a route that takes JSON only.
pub(in crate::http) async fn read_json(
    request: &HttpRequest,
    payload: web::Payload,
    services: &Services,
) -> Result<Bytes, ApiError> {
    require_json(request.headers(), "Send application/json")?;
    read(request, payload, services).await
}

/// Refuses in these words a body that is not JSON. Where there is no body its type does not matter.
pub(in crate::http) fn require_json(
    headers: &HeaderMap,
    refusal: &'static str,
) -> Result<(), ApiError> {
    let is_empty = announced_length(headers).unwrap_or(0) == 0
        && !headers.contains_key(header::TRANSFER_ENCODING);
    if is_empty || matches!(media_type(headers), Ok(Media::Json)) {
        return Ok(());
    }
    Err(ApiError::saying(Code::UnsupportedMediaType, refusal))
}

/// What a body says it is.
pub(in crate::http) enum Media {
    /// `application/json`.
    Json,
    /// `image/jpeg`.
    Jpeg,
}

/// The type of a body. One that does not say what it is is taken for JSON, as the earlier server did.
pub(in crate::http) fn media_type(headers: &HeaderMap) -> Result<Media, ApiError> {
    let Some(value) = headers.get(header::CONTENT_TYPE) else {
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

/// The length a request announces.
pub(in crate::http) fn announced_length(headers: &HeaderMap) -> Option<usize> {
    let value = headers.get(header::CONTENT_LENGTH)?;
    value.to_str().ok()?.parse().ok()
}

/// The body was, or would be, over its bound.
pub(in crate::http) fn too_large(max_bytes: usize) -> ApiError {
    ApiError::saying(
        Code::TooLarge,
        format!("The body is too large: at most {max_bytes} bytes are taken here"),
    )
}
