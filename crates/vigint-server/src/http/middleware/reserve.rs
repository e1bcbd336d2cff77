//! A budget of bytes for bodies in memory: taken from what a request announces, before any of it is read.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;
use actix_web::{HttpMessage as _, web};
use vigint_core::ids::ClientId;

use super::close_if_unread;
use crate::http::auth::SignedIn;
use crate::http::body::{announced_length, too_large};
use crate::http::error::{ApiError, Code};
use crate::http::routes::Endpoint;
use crate::http::services::Services;

/// Counts the bytes of bodies that are in memory or on their way.
#[derive(Clone)]
pub struct InflightBytes {
    max_total: usize,
    max_per_client: usize,
    held: Arc<Mutex<Held>>,
}

#[derive(Default)]
struct Held {
    total: usize,
    clients: HashMap<ClientId, usize>,
}

impl InflightBytes {
    /// A budget in bytes, over all clients and for each.
    #[must_use]
    pub fn new(max_total: usize, max_per_client: usize) -> Self {
        Self {
            max_total,
            max_per_client,
            held: Arc::default(),
        }
    }

    /// Takes a share; none when it would be over a bound.
    fn reserve(&self, client: ClientId, bytes: usize) -> Option<Reservation> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let of_client = held.clients.get(&client).copied().unwrap_or(0);
        let fits = held.total.saturating_add(bytes) <= self.max_total
            && of_client.saturating_add(bytes) <= self.max_per_client;
        fits.then(|| {
            held.total += bytes;
            held.clients.insert(client, of_client + bytes);
            Reservation {
                held: Arc::clone(&self.held),
                client,
                bytes,
            }
        })
    }
}

/// A share of the budget; given back when dropped.
struct Reservation {
    held: Arc<Mutex<Held>>,
    client: ClientId,
    bytes: usize,
}

impl Drop for Reservation {
    fn drop(&mut self) {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.total = held.total.saturating_sub(self.bytes);
        if let Some(of_client) = held.clients.get_mut(&self.client) {
            *of_client = of_client.saturating_sub(self.bytes);
            if *of_client == 0 {
                held.clients.remove(&self.client);
            }
        }
    }
}

/// The layer: a body that is too large, or for which there is no room, is refused unread.
pub(in crate::http) async fn reserve_body(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, actix_web::Error> {
    match reservation(&request) {
        Ok(_held_until_answered) => Ok(next.call(request).await?.map_into_left_body()),
        Err(error) => {
            let (request, _) = request.into_parts();
            let mut response = actix_web::ResponseError::error_response(&error);
            close_if_unread(request.headers(), response.head_mut());
            Ok(ServiceResponse::new(request, response).map_into_right_body())
        }
    }
}

fn reservation(request: &ServiceRequest) -> Result<Option<Reservation>, ApiError> {
    let (Some(caller), Some(endpoint), Some(services)) = (
        SignedIn::of(request.request()),
        request.extensions().get::<Endpoint>().copied(),
        request.app_data::<web::Data<Services>>(),
    ) else {
        return Ok(None);
    };
    let max_bytes = endpoint.max_body_bytes(&services.limits);
    let is_chunked = request
        .headers()
        .contains_key(actix_web::http::header::TRANSFER_ENCODING);
    let announced = match announced_length(request.headers()) {
        Some(length) => length,
        // A sender that does not say how much will come may send as much as the route takes.
        None if is_chunked => max_bytes,
        None => 0,
    };
    if announced > max_bytes {
        return Err(too_large(max_bytes));
    }
    services
        .inflight
        .reserve(caller.tenant.client_id(), announced)
        .map(Some)
        .ok_or_else(|| ApiError::new(Code::Busy))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_bounded_over_all_and_for_each_and_given_back() {
        let inflight = InflightBytes::new(100, 60);
        let first = inflight.reserve(ClientId(1), 60).unwrap();
        assert!(inflight.reserve(ClientId(1), 1).is_none());
        let second = inflight.reserve(ClientId(2), 40).unwrap();
        assert!(inflight.reserve(ClientId(3), 1).is_none());
        drop(first);
        assert!(inflight.reserve(ClientId(3), 60).is_some());
        drop(second);
        let held = inflight.held.lock().unwrap();
        assert_eq!((held.total, held.clients.len()), (0, 0));
    }
}
