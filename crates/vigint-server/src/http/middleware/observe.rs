//! The outermost layer: gives each request its id, logs it once, and counts it on its key's meter.

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::{HttpMessage as _, HttpRequest, web};
use tracing::Instrument as _;
use vigint_core::ids::RequestId;
use vigint_core::money::MicroEuros;

use crate::http::auth::SignedIn;
use crate::http::body::announced_length;
use crate::http::routes::Endpoint;
use crate::http::services::Services;
use crate::usage::RequestCount;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// How a request is metered. A handler that says nothing is counted at no cost.
#[derive(Clone, Copy, Debug)]
pub(in crate::http) enum Metering {
    /// Counted by the minute, at this cost.
    ByMinute(MicroEuros),
    /// The service has written it down with what it belongs to.
    Done,
}

/// The layer.
pub(in crate::http) async fn observe(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, actix_web::Error> {
    let Some(services) = request.app_data::<web::Data<Services>>().cloned() else {
        return next.call(request).await;
    };
    let id = RequestId::generate(&*services.random);
    let began = services.clock.elapsed();
    let span = tracing::info_span!("request", %id);
    async {
        // A handler's error is an answer by now: actix makes one of it before it gets here.
        let mut response = next.call(request).await?;
        if let Ok(id) = HeaderValue::try_from(id.to_string()) {
            response.headers_mut().insert(REQUEST_ID, id);
        }
        let took = services.clock.elapsed().saturating_sub(began);
        log(response.request(), response.status().as_u16(), took);
        meter(&services, response.request(), response.status().as_u16());
        Ok(response)
    }
    .instrument(span)
    .await
}

/// The path is logged as its pattern, the query never: both may hold what nobody may read later.
fn log(request: &HttpRequest, status: u16, took: std::time::Duration) {
    let endpoint = request.extensions().get::<Endpoint>().copied();
    let path = endpoint.map_or("(no route)", |endpoint| endpoint.path);
    let client = SignedIn::of(request).map(|caller| caller.tenant.client_id().0);
    let method = request.method();
    let ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    let is_routine = status < 400 && endpoint.is_some_and(|endpoint| endpoint.is_ingest);
    if is_routine {
        tracing::debug!(%method, path, status, ms, client);
    } else {
        tracing::info!(%method, path, status, ms, client);
    }
}

fn meter(services: &Services, request: &HttpRequest, status: u16) {
    let (Some(caller), Some(endpoint)) = (
        SignedIn::of(request),
        request.extensions().get::<Endpoint>().copied(),
    ) else {
        return;
    };
    let metering = request.extensions().get::<Metering>().copied();
    let cost = match metering {
        Some(Metering::Done) => return,
        Some(Metering::ByMinute(cost)) => cost,
        None => MicroEuros::ZERO,
    };
    let bytes_in = announced_length(request).unwrap_or(0);
    let count = RequestCount {
        key_id: caller.key_id,
        endpoint: endpoint.path,
        method: method_name(request.method()),
        status_code: status,
        bytes_in: u64::try_from(bytes_in).unwrap_or(u64::MAX),
        cost,
    };
    services.meter.count(count, services.clock.now());
}

fn method_name(method: &actix_web::http::Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "POST" => "POST",
        "PATCH" => "PATCH",
        "DELETE" => "DELETE",
        "HEAD" => "HEAD",
        _ => "OTHER",
    }
}
