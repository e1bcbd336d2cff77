//! What every request passes through, from the outside in: its id, log line and meter ([`observe`]); what
//! ends its connection ([`end_unread_bodies`]); its caller (`auth`), and the end of its caller's key
//! ([`end_when_shown_out`]); how often that one may ask ([`limit_requests`]); its share of the memory for
//! bodies ([`reserve_body`]); then the handler.

mod limit;
mod observe;
mod reserve;
mod show_out;
mod unread;

pub(super) use limit::{CountedEarly, limit_requests};
pub(super) use observe::{EarlyRefusal, Metering, method_name, observe, observe_early};
pub(super) use reserve::reserve_body;
pub(super) use show_out::end_when_shown_out;
pub(super) use unread::{end_unread_bodies, hold_body};

use actix_web::ResponseError as _;
use actix_web::body::BoxBody;
use actix_web::dev::{ResponseHead, ServiceRequest, ServiceResponse};
use actix_web::http::ConnectionType;
use actix_web::http::header::{self, HeaderMap};

use super::error::ApiError;

/// The answer to a request that is refused before its body is read.
pub(super) fn refuse_unread(request: ServiceRequest, error: &ApiError) -> ServiceResponse<BoxBody> {
    let (request, _) = request.into_parts();
    let mut response = error.error_response();
    close_if_unread(request.headers(), response.head_mut());
    ServiceResponse::new(request, response)
}

/// An answer to a request whose body was not read ends the connection: what is still to come of the body
/// must not be taken for the next request.
fn close_if_unread(request: &HeaderMap, response: &mut ResponseHead) {
    let has_body = request.contains_key(header::TRANSFER_ENCODING)
        || request
            .get(header::CONTENT_LENGTH)
            .is_some_and(|length| length != "0");
    if has_body {
        response.set_connection_type(ConnectionType::Close);
    }
}
