//! Reading bodies, within bounds of size and time.

use std::time::Duration;

use actix_web::http::header::{self, HeaderMap};
use actix_web::{HttpMessage as _, HttpRequest, web};
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt as _;
use serde::Deserialize;

use super::error::{ApiError, Code};
use super::routes::Endpoint;
use super::services::{HttpLimits, Services};

/// A body that says nothing of its size gets this much room to begin with.
const FIRST_ROOM: usize = 16 * 1024;

/// Reads the whole body, within the bound of its route and the time its size allows.
pub(super) async fn read(
    request: &HttpRequest,
    payload: web::Payload,
    services: &Services,
) -> Result<Bytes, ApiError> {
    let endpoint = request.extensions().get::<Endpoint>().copied();
    let max_bytes = endpoint.map_or(0, |endpoint| endpoint.max_body_bytes(&services.limits));
    let announced = announced_length(request.headers());
    if announced.is_some_and(|length| length > max_bytes) {
        return Err(too_large(max_bytes));
    }
    let patience = patience(&services.limits, announced.unwrap_or(max_bytes));
    tokio::time::timeout(patience, collect(payload, announced, max_bytes))
        .await
        .unwrap_or_else(|_| Err(ApiError::new(Code::RequestTimeout)))
}

/// The body as JSON; no body at all is `T::default()`.
pub(super) fn parse_json<'a, T: Deserialize<'a> + Default>(body: &'a [u8]) -> Result<T, ApiError> {
    if body.trim_ascii().is_empty() || body.trim_ascii() == b"null" {
        return Ok(T::default());
    }
    parse_required_json(body)
}

/// The body as JSON.
pub(super) fn parse_required_json<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, ApiError> {
    serde_json::from_slice(body).map_err(|error| {
        let place = format!("line {}, column {}", error.line(), error.column());
        let what = if error.is_data() {
            "The JSON does not have the form this route takes"
        } else {
            "The body is not valid JSON"
        };
        ApiError::saying(Code::Malformed, format!("{what} ({place})"))
    })
}

/// The length a request announces.
pub(super) fn announced_length(headers: &HeaderMap) -> Option<usize> {
    let value = headers.get(header::CONTENT_LENGTH)?;
    value.to_str().ok()?.parse().ok()
}

/// The body was, or would be, over its bound.
pub(super) fn too_large(max_bytes: usize) -> ApiError {
    ApiError::saying(
        Code::TooLarge,
        format!("The body is too large: at most {max_bytes} bytes are taken here"),
    )
}

fn patience(limits: &HttpLimits, length: usize) -> Duration {
    let seconds = length / limits.slowest_sender.max(1);
    limits.body_patience + Duration::from_secs(u64::try_from(seconds).unwrap_or(u64::MAX))
}

async fn collect(
    mut payload: web::Payload,
    announced: Option<usize>,
    max_bytes: usize,
) -> Result<Bytes, ApiError> {
    // Exactly as much as was announced: what is kept of it later pins no more memory than its bytes.
    let mut body = BytesMut::with_capacity(announced.unwrap_or(FIRST_ROOM));
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(|_| ApiError::saying(Code::Malformed, "The body broke off"))?;
        if body.len().saturating_add(chunk.len()) > max_bytes {
            return Err(too_large(max_bytes));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}
