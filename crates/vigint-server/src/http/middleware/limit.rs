//! The layer that counts a caller's requests, before any of a body is read.

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;
use actix_web::{HttpMessage as _, web};

use super::refuse_unread;
use crate::http::auth::SignedIn;
use crate::http::error::{ApiError, internal};
use crate::http::routes::Endpoint;
use crate::http::services::Services;

/// Marks a request that was counted when its sender asked whether to go on.
pub(in crate::http) struct CountedEarly;

/// The layer: who asks too often is refused.
pub(in crate::http) async fn limit_requests(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, actix_web::Error> {
    match count(&request) {
        Ok(()) => Ok(next.call(request).await?.map_into_left_body()),
        Err(error) => Ok(refuse_unread(request, &error).map_into_right_body()),
    }
}

fn count(request: &ServiceRequest) -> Result<(), ApiError> {
    if request.extensions_mut().remove::<CountedEarly>().is_some() {
        return Ok(());
    }
    let (Some(caller), Some(endpoint), Some(services)) = (
        SignedIn::of(request.request()),
        request.extensions().get::<Endpoint>().copied(),
        request.app_data::<web::Data<Services>>(),
    ) else {
        return Err(internal(&"a layer is missing"));
    };
    services.request_limits.take(&caller, endpoint.scarce)
}
