//! The layer that gives each body its share of the memory for bodies, before any of it is read.

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::{Method, header};
use actix_web::middleware::Next;
use actix_web::{HttpMessage as _, web};

use super::refuse_unread;
use crate::http::admin_auth::Admitted;
use crate::http::auth::SignedIn;
use crate::http::body::{Holder, Reservation, announced_length, too_large};
use crate::http::error::ApiError;
use crate::http::routes::Endpoint;
use crate::http::services::Services;

/// How many bytes of its body were read of a request.
#[derive(Clone, Copy, Debug)]
pub(super) struct BodyRead(pub(super) usize);

/// The layer: a body that is too large, or for which there is no room, is refused unread.
pub(in crate::http) async fn reserve_body(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, actix_web::Error> {
    match reservation(&request) {
        Ok(reservation) => {
            // With the request, where whoever reads the body finds it; held until the request is answered.
            request.extensions_mut().insert(reservation);
            let response = next.call(request).await?;
            {
                let mut extensions = response.request().extensions_mut();
                if let Some(reservation) = extensions.remove::<Reservation>() {
                    extensions.insert(BodyRead(reservation.came()));
                }
            }
            Ok(response.map_into_left_body())
        }
        Err(error) => Ok(refuse_unread(request, &error).map_into_right_body()),
    }
}

fn reservation(request: &ServiceRequest) -> Result<Reservation, ApiError> {
    let (Some(holder), Some(endpoint), Some(services)) = (
        holder(request),
        request.extensions().get::<Endpoint>().copied(),
        request.app_data::<web::Data<Services>>(),
    ) else {
        return Err(crate::http::error::internal(&"a layer is missing"));
    };
    let max_bytes = endpoint.max_body_bytes(&services.limits);
    let most = most_that_may_come(request, max_bytes);
    if most > max_bytes {
        return Err(too_large(max_bytes));
    }
    services.inflight.reserve(holder, most)
}

/// Whose share of the memory a body takes.
fn holder(request: &ServiceRequest) -> Option<Holder> {
    let request = request.request();
    let client = SignedIn::of(request).map(|caller| Holder::Client(caller.tenant.client_id()));
    client.or_else(|| Admitted::is_on(request).then_some(Holder::Admin))
}

/// A sender that does not say how much will come may send as much as the route takes.
fn most_that_may_come(request: &ServiceRequest, max_bytes: usize) -> usize {
    let headers = request.headers();
    let has_no_body = matches!(*request.method(), Method::GET | Method::HEAD)
        && !headers.contains_key(header::TRANSFER_ENCODING);
    match announced_length(headers) {
        Some(length) => length,
        None if has_no_body => 0,
        None => max_bytes,
    }
}
