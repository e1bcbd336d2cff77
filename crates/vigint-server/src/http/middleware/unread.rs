//! What is left of a request when it has been answered must not keep its connection open.
//!
//! actix closes a connection whose body was not read to its end; but of a chunked body that nobody holds any
//! more it waits for the end instead, without a time limit, and whoever has no key can make it wait. So the
//! answer holds the body.

use std::cell::RefCell;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use actix_web::body::{BodySize, BoxBody, EitherBody, MessageBody};
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::error::PayloadError;
use actix_web::http::ConnectionType;
use actix_web::http::header::{self, HeaderMap};
use actix_web::middleware::Next;
use actix_web::{HttpMessage as _, HttpResponse, ResponseError as _};
use bytes::Bytes;
use futures_util::Stream;

use crate::http::error::{ApiError, Code};

/// The layer: the answer to a request with a chunked body holds that body, and who asks for another protocol is
/// refused.
pub(in crate::http) async fn end_unread_bodies(
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, actix_web::Error> {
    if asks_for_websocket(request.headers()) {
        let (request, payload) = request.into_parts();
        let error = ApiError::saying(
            Code::Malformed,
            "This server speaks HTTP alone: leave out the header Upgrade",
        );
        let mut response = error.error_response();
        response
            .head_mut()
            .set_connection_type(ConnectionType::Close);
        let body = Rc::new(RefCell::new(payload));
        let response = response.map_body(|_, answer| EitherBody::right(Holding::new(answer, body)));
        return Ok(ServiceResponse::new(request, response));
    }
    if !request.headers().contains_key(header::TRANSFER_ENCODING) {
        return Ok(next.call(request).await?.map_into_left_body());
    }
    let body = Rc::new(RefCell::new(request.take_payload()));
    let reading: Pin<Box<dyn Stream<Item = _>>> = Box::pin(Shared(Rc::clone(&body)));
    request.set_payload(Payload::from(reading));
    let response = next.call(request).await?.map_into_boxed_body();
    Ok(response.map_body(|_, answer| EitherBody::right(Holding::new(answer, body))))
}

/// actix takes all that follows such a head for its body, whatever length it announces.
fn asks_for_websocket(headers: &HeaderMap) -> bool {
    headers.get_all(header::UPGRADE).any(|value| {
        let mut protocols = value.as_bytes().split(|byte| *byte == b',');
        protocols.any(|protocol| protocol.trim_ascii().eq_ignore_ascii_case(b"websocket"))
    })
}

/// The same for a refusal made before any layer ran.
pub(in crate::http) fn hold_body(
    response: HttpResponse,
    body: impl Unpin + 'static,
) -> HttpResponse {
    response.map_body(|_, answer| BoxBody::new(Holding::new(answer, body)))
}

/// A request's body that is read in one place and held in another.
struct Shared(Rc<RefCell<Payload>>);

impl Stream for Shared {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        Pin::new(&mut *self.0.borrow_mut()).poll_next(cx)
    }
}

/// An answer's body that holds its request's.
struct Holding<P> {
    answer: BoxBody,
    _body: P,
}

impl<P> Holding<P> {
    const fn new(answer: BoxBody, body: P) -> Self {
        Self {
            answer,
            _body: body,
        }
    }
}

impl<P: Unpin> MessageBody for Holding<P> {
    type Error = <BoxBody as MessageBody>::Error;

    fn size(&self) -> BodySize {
        self.answer.size()
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Self::Error>>> {
        Pin::new(&mut self.answer).poll_next(cx)
    }
}
