//! `Expect: 100-continue`: a sender that asks first gets its refusal before it sends a byte.
//!
//! actix says "100 Continue" before any middleware runs, so what the layers would refuse by the head alone is
//! refused here, in the order in which they would: no such path, the key, how often it was
//! used, the announced length, the method.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use actix_http::{HttpMessage as _, Request};
use actix_service::{Service, ServiceFactory};
use actix_web::{HttpResponse, ResponseError as _};

use super::admin_auth::admit;
use super::auth::{authenticate, note_key_in_url};
use super::body::{announced_length, too_large};
use super::error::{ApiError, Code, method_not_allowed};
use super::middleware::{CountedEarly, EarlyRefusal, hold_body, observe_early};
use super::routes::{Access, AdminRoutes, Resource};
use super::services::Services;

/// Makes a [`RefuseEarly`] for each worker.
#[derive(Clone)]
pub(super) struct RefuseEarlyFactory {
    /// Who knows the keys.
    pub(super) services: Arc<Services>,
}

/// Answers requests that would be refused anyway, instead of telling them to go on.
pub(super) struct RefuseEarly(RefuseEarlyFactory);

impl ServiceFactory<Request> for RefuseEarlyFactory {
    type Response = Request;
    type Error = actix_web::Error;
    type Config = ();
    type Service = RefuseEarly;
    type InitError = actix_web::Error;
    type Future = std::future::Ready<Result<RefuseEarly, actix_web::Error>>;

    fn new_service(&self, (): ()) -> Self::Future {
        std::future::ready(Ok(RefuseEarly(self.clone())))
    }
}

impl Service<Request> for RefuseEarly {
    type Response = Request;
    type Error = actix_web::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Request, actix_web::Error>>>>;

    fn poll_ready(&self, _: &mut Context<'_>) -> Poll<Result<(), actix_web::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&self, mut request: Request) -> Self::Future {
        let RefuseEarlyFactory { services } = self.0.clone();
        Box::pin(async move {
            let look = refusal(&request, &services);
            let head = request.head();
            match observe_early(&head.method, &services, look).await {
                None => Ok(request),
                Some(mut response) => {
                    response
                        .head_mut()
                        .set_connection_type(actix_http::ConnectionType::Close);
                    let response = hold_body(response, request.take_payload());
                    Err(actix_web::error::InternalError::from_response("refused", response).into())
                }
            }
        })
    }
}

/// The refusal that this request will get whatever its body holds.
async fn refusal(request: &Request, services: &Services) -> Option<EarlyRefusal> {
    let Some(resource) = Resource::find(request.uri(), AdminRoutes::of(services)) else {
        note_key_in_url(request.head(), services);
        return Some(EarlyRefusal {
            response: ApiError::new(Code::NotFound).error_response(),
            endpoint: None,
            caller: None,
        });
    };
    let mut caller = None;
    let response = match resource.access {
        Access::Public => None,
        Access::Client => match authenticate(request.head(), services).await {
            Ok(known) => {
                let scarce = resource.endpoint.scarce;
                let counted = services.request_limits.take(&known, scarce);
                request.extensions_mut().insert(CountedEarly);
                caller = Some(known);
                match counted {
                    Ok(()) => over_its_bound(request, resource, services),
                    Err(error) => Some(error.error_response()),
                }
            }
            Err(error) => Some(error.error_response()),
        },
        Access::Admin => match admit(request.head(), resource.endpoint, services).await {
            Ok(_) => over_its_bound(request, resource, services),
            Err(error) => Some(error.error_response()),
        },
    };
    let response = response.or_else(|| {
        let is_taken = resource.takes(request.method());
        (!is_taken).then(|| method_not_allowed(&resource.allowed))
    })?;
    Some(EarlyRefusal {
        response,
        endpoint: Some(resource.endpoint),
        caller,
    })
}

fn over_its_bound(
    request: &Request,
    resource: &Resource,
    services: &Services,
) -> Option<HttpResponse> {
    let max_bytes = resource.endpoint.max_body_bytes(&services.limits);
    let announced = announced_length(request.headers())?;
    (announced > max_bytes).then(|| too_large(max_bytes).error_response())
}
