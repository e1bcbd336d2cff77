//! The layer inside of `auth` that ends a request when its key is put out while it runs.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::ConnectionType;
use actix_web::middleware::Next;
use actix_web::{HttpRequest, ResponseError as _};
use bytes::Bytes;

use crate::http::auth::SignedIn;
use crate::http::error::{ApiError, Code, internal};
use crate::presence::{Connection, Visit};

/// The layer. What a handler has handed on by then, such as an incident being kept, goes on without it.
pub(in crate::http) async fn end_when_shown_out(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let named = request.request().clone();
    let Some(visit) = enter(&named) else {
        let error = internal(&"a layer is missing");
        return Ok(ServiceResponse::new(named, error.error_response()));
    };
    match visit.unless_shown_out(next.call(request)).await {
        // An answer that was ready at the same moment is none any more.
        Some(response) if !visit.is_shown_out() => {
            let response = response?.map_into_boxed_body();
            Ok(response.map_body(|_, answer| ending_with(visit, answer)))
        }
        _ => Ok(refusal(named, &visit)),
    }
}

fn enter(request: &HttpRequest) -> Option<Visit> {
    let caller = SignedIn::of(request)?;
    let connection = request.conn_data::<Arc<Connection>>()?;
    Some(connection.enter(caller.key_id, caller.tenant.client_id()))
}

fn refusal(request: HttpRequest, visit: &Visit) -> ServiceResponse<BoxBody> {
    let mut response = ApiError::new(Code::InvalidKey).error_response();
    // Of a body that is still coming actix closes the connection anyway.
    if !visit.leaves_connection_open() {
        response
            .head_mut()
            .set_connection_type(ConnectionType::Close);
    }
    ServiceResponse::new(request, response)
}

/// An answer in memory is as good as sent; one that is read from somewhere, such as a film, ends with its key.
fn ending_with(visit: Visit, answer: BoxBody) -> BoxBody {
    match answer.try_into_bytes() {
        Ok(bytes) => BoxBody::new(bytes),
        Err(answer) => BoxBody::new(BodyOfVisit { answer, visit }),
    }
}

struct BodyOfVisit {
    answer: BoxBody,
    visit: Visit,
}

/// The key was put out in the middle of an answer.
#[derive(Debug, thiserror::Error)]
#[error("the key was put out")]
struct ShownOut;

impl MessageBody for BodyOfVisit {
    type Error = Box<dyn std::error::Error>;

    fn size(&self) -> BodySize {
        self.answer.size()
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Self::Error>>> {
        if self.visit.is_shown_out() {
            return Poll::Ready(Some(Err(ShownOut.into())));
        }
        Pin::new(&mut self.answer).poll_next(cx)
    }
}
