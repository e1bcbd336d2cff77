//! `Expect: 100-continue`: a sender that asks first gets its refusal before it sends a byte.
//!
//! actix says "100 Continue" before any middleware runs, so the key is looked at here, too.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use actix_http::{HttpMessage as _, Request};
use actix_service::{Service, ServiceFactory};
use actix_web::ResponseError as _;

use super::auth::authenticate;
use super::routes::{Access, access_of};
use super::services::Services;

/// Makes a [`RefuseEarly`] for each worker.
#[derive(Clone)]
pub(super) struct RefuseEarlyFactory(pub(super) Arc<Services>);

/// Answers requests that would be refused anyway, instead of telling them to go on.
pub(super) struct RefuseEarly(Arc<Services>);

impl ServiceFactory<Request> for RefuseEarlyFactory {
    type Response = Request;
    type Error = actix_web::Error;
    type Config = ();
    type Service = RefuseEarly;
    type InitError = actix_web::Error;
    type Future = std::future::Ready<Result<RefuseEarly, actix_web::Error>>;

    fn new_service(&self, (): ()) -> Self::Future {
        std::future::ready(Ok(RefuseEarly(Arc::clone(&self.0))))
    }
}

impl Service<Request> for RefuseEarly {
    type Response = Request;
    type Error = actix_web::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Request, actix_web::Error>>>>;

    fn poll_ready(&self, _: &mut Context<'_>) -> Poll<Result<(), actix_web::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&self, request: Request) -> Self::Future {
        let services = Arc::clone(&self.0);
        Box::pin(async move {
            if access_of(request.path()) == Some(Access::Client) {
                let query = request.uri().query().unwrap_or_default();
                if let Err(error) = authenticate(request.headers(), query, &services).await {
                    let mut response = error.error_response();
                    response
                        .head_mut()
                        .set_connection_type(actix_http::ConnectionType::Close);
                    return Err(
                        actix_web::error::InternalError::from_response(error, response).into(),
                    );
                }
            }
            Ok(request)
        })
    }
}
