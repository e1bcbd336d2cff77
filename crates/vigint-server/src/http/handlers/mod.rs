//! The handlers, a file a resource.

pub(super) mod account;
pub(super) mod alarms;
pub(super) mod analyses;
mod film;
pub(super) mod frames;
pub(super) mod health;
pub(super) mod incidents;
pub(super) mod usage;
pub(super) mod video;

use actix_web::{HttpRequest, web};
use vigint_core::clock::UtcTime;
use vigint_core::ids::{ClientId, SourceId};

use super::auth::SignedIn;
use super::error::{ApiError, Code};

/// A client's own path is served, every other one refused, whether that client exists or not.
fn require_own(caller: &SignedIn, named: &str) -> Result<(), ApiError> {
    let is_own = named.parse::<ClientId>().is_ok_and(|id| {
        // One spelling: "+5" and "05" are not this client.
        id == caller.tenant.client_id() && id.to_string() == named
    });
    is_own
        .then_some(())
        .ok_or(ApiError::new(Code::AccessDenied))
}

/// The source a caller named, `default` when it named none.
fn source_or_default(named: Option<&str>) -> Result<SourceId, ApiError> {
    match named {
        None => Ok(SourceId::default_source()),
        Some(text) => text.parse().map_err(|error| invalid("source_id", &error)),
    }
}

/// A field whose value is not accepted.
fn invalid(field: &str, why: &dyn std::fmt::Display) -> ApiError {
    let why = why.to_string();
    let message = if why.starts_with(field) {
        why
    } else {
        format!("{field}: {why}")
    };
    ApiError::saying(Code::InvalidField, message)
}

/// The query of a request as `T`.
fn query<T: serde::de::DeserializeOwned>(request: &HttpRequest) -> Result<T, ApiError> {
    web::Query::<T>::from_query(request.query_string())
        .map(web::Query::into_inner)
        .map_err(|_| ApiError::saying(Code::Malformed, "The query of the URL is malformed"))
}

/// A time in a query: RFC 3339, or a date alone (its midnight in UTC).
fn time_or_date(field: &str, text: Option<&str>) -> Result<Option<UtcTime>, ApiError> {
    let Some(text) = text else {
        return Ok(None);
    };
    // A '+' of an offset that was not escaped arrives as a space.
    let text = text.replace(' ', "+");
    let whole_day = || format!("{text}T00:00:00Z").parse::<UtcTime>();
    text.parse::<UtcTime>()
        .or_else(|_| whole_day())
        .map(Some)
        .map_err(|_| {
            invalid(
                field,
                &"write a time such as 2026-11-22T15:40:00Z, or a date",
            )
        })
}
