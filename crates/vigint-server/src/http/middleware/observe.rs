//! The outermost layer: gives each request its id, logs it once, and counts it on its key's meter.

use std::future::Future;
use std::time::Duration;

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::{HttpMessage as _, HttpResponse, web};
use tracing::Instrument as _;
use vigint_core::ids::RequestId;
use vigint_core::money::MicroEuros;
use vigint_db::auth::Caller;

use super::reserve::BodyRead;
use crate::http::auth::SignedIn;
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
        name(response.headers_mut(), id);
        let took = services.clock.elapsed().saturating_sub(began);
        let request = response.request();
        let caller = SignedIn::of(request);
        let outcome = Outcome {
            method: request.method(),
            endpoint: request.extensions().get::<Endpoint>().copied(),
            caller: caller.as_deref(),
            metering: request.extensions().get::<Metering>().copied(),
            bytes_in: request
                .extensions()
                .get::<BodyRead>()
                .map_or(0, |read| read.0),
            status: response.status().as_u16(),
        };
        outcome.log(took);
        outcome.count(&services);
        Ok(response)
    }
    .instrument(span)
    .await
}

/// A refusal made before any layer ran, and what was known of the request by then.
pub(in crate::http) struct EarlyRefusal {
    /// What is answered.
    pub(in crate::http) response: HttpResponse,
    /// The route, if there is one.
    pub(in crate::http) endpoint: Option<Endpoint>,
    /// Who asked, if the key was good.
    pub(in crate::http) caller: Option<Caller>,
}

/// Gives an early refusal what [`observe`] gives every answer: its id, its line in the log, its count.
pub(in crate::http) async fn observe_early(
    method: &Method,
    services: &Services,
    look: impl Future<Output = Option<EarlyRefusal>>,
) -> Option<HttpResponse> {
    let id = RequestId::generate(&*services.random);
    let began = services.clock.elapsed();
    let span = tracing::info_span!("request", %id);
    async {
        let mut refusal = look.await?;
        name(refusal.response.headers_mut(), id);
        let outcome = Outcome {
            method,
            endpoint: refusal.endpoint,
            caller: refusal.caller.as_ref(),
            metering: None,
            bytes_in: 0,
            status: refusal.response.status().as_u16(),
        };
        outcome.log(services.clock.elapsed().saturating_sub(began));
        outcome.count(services);
        Some(refusal.response)
    }
    .instrument(span)
    .await
}

fn name(headers: &mut HeaderMap, id: RequestId) {
    if let Ok(id) = HeaderValue::try_from(id.to_string()) {
        headers.insert(REQUEST_ID, id);
    }
}

/// What is logged and counted of a request.
struct Outcome<'a> {
    method: &'a Method,
    endpoint: Option<Endpoint>,
    caller: Option<&'a Caller>,
    metering: Option<Metering>,
    /// Of the body, those that were read: what a head announces may never come.
    bytes_in: usize,
    status: u16,
}

impl Outcome<'_> {
    /// The path is logged as its pattern, a method that is none of ours not by its name, the query never: all may
    /// hold what nobody may read later.
    fn log(&self, took: Duration) {
        let (method, status) = (method_name(self.method), self.status);
        let path = self.endpoint.map_or("(no route)", |endpoint| endpoint.path);
        let client = self.caller.map(|caller| caller.tenant.client_id().0);
        let ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        let is_routine = status < 400 && self.endpoint.is_some_and(|endpoint| endpoint.is_ingest);
        if is_routine {
            tracing::debug!(method, path, status, ms, client);
        } else {
            tracing::info!(method, path, status, ms, client);
        }
    }

    fn count(&self, services: &Services) {
        let route = self.endpoint.map_or("none", |endpoint| endpoint.path);
        services.metrics.count_request(route, self.status);
        self.meter(services);
    }

    fn meter(&self, services: &Services) {
        let (Some(caller), Some(endpoint)) = (self.caller, self.endpoint) else {
            return;
        };
        let cost = match self.metering {
            Some(Metering::Done) => return,
            Some(Metering::ByMinute(cost)) => cost,
            None => MicroEuros::ZERO,
        };
        let count = RequestCount {
            key_id: caller.key_id,
            endpoint: endpoint.path,
            method: method_name(self.method),
            status_code: self.status,
            bytes_in: u64::try_from(self.bytes_in).unwrap_or(u64::MAX),
            cost,
        };
        services.meter.count(count, services.clock.now());
    }
}

/// The name of a method of ours; what else may be asked for is as long as its sender likes.
pub(in crate::http) fn method_name(method: &Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "POST" => "POST",
        "PATCH" => "PATCH",
        "DELETE" => "DELETE",
        "HEAD" => "HEAD",
        _ => "OTHER",
    }
}
