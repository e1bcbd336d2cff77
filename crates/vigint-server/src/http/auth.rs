//! Who is calling: the key of a request becomes a [`Caller`], once, before the body is read.

use std::future::{Ready, ready};
use std::ops::Deref;
use std::rc::Rc;

use actix_web::body::MessageBody;
use actix_web::dev::{Payload, RequestHead, ServiceRequest, ServiceResponse};
use actix_web::http::header::{self, HeaderMap};
use actix_web::middleware::Next;
use actix_web::{FromRequest, HttpMessage as _, HttpRequest, web};
use vigint_core::key::ApiKey;
use vigint_db::auth::Caller;

use super::error::{ApiError, Code};
use super::leaks::key_in_query;
use super::middleware::refuse_unread;
use super::refused_keys::Refusal;
use super::services::Services;

/// The header that carries a client's key beside `Authorization`.
const API_KEY_HEADER: &str = "X-API-Key";

/// The caller of a route that is not public.
#[derive(Clone)]
pub(super) struct SignedIn(Rc<Caller>);

impl Deref for SignedIn {
    type Target = Caller;
    fn deref(&self) -> &Caller {
        &self.0
    }
}

impl FromRequest for SignedIn {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    /// Reads what the middleware found. Without it nobody is let in.
    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let caller = request.extensions().get::<Self>().cloned();
        ready(caller.ok_or_else(|| ApiError::new(Code::KeyRequired)))
    }
}

impl SignedIn {
    /// The caller of a request, if its key was good.
    pub(super) fn of(request: &HttpRequest) -> Option<Self> {
        request.extensions().get::<Self>().cloned()
    }
}

/// Lets a request with a good key through, and answers any other before its body is read.
pub(super) async fn require_client_key(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, actix_web::Error> {
    let services = request.app_data::<web::Data<Services>>().cloned();
    let found = match services {
        Some(services) => authenticate(request.head(), &services).await,
        None => Err(super::error::internal(&"the services are missing")),
    };
    match found {
        Ok(caller) => {
            request.extensions_mut().insert(SignedIn(Rc::new(caller)));
            Ok(next.call(request).await?.map_into_left_body())
        }
        Err(error) => Ok(refuse_unread(request, &error).map_into_right_body()),
    }
}

/// The caller behind the key of a request.
pub(super) async fn authenticate(
    head: &RequestHead,
    services: &Services,
) -> Result<Caller, ApiError> {
    let refused = &services.refused_keys;
    let address = || services.trusted_proxies.address_of(head);
    // Not even beside a good key in a header.
    if let Some(presented) = key_in_query(head.uri.query().unwrap_or_default()) {
        return Err(refused.note_in_url(address(), Refusal::InUrl, &presented));
    }
    let key = presented_key(&head.headers).map_err(|why| refused.note(address(), why))?;
    let now = services.clock.now();
    let hash = key.hash();
    services
        .database
        .authenticate(hash, now)
        .await?
        .ok_or_else(|| refused.note_key(address(), hash))
}

/// Where no key is asked for: one that stands in the URL all the same has leaked like any other. The answer is what it
/// would be without.
pub(super) fn note_key_in_url(head: &RequestHead, services: &Services) {
    if let Some(presented) = key_in_query(head.uri.query().unwrap_or_default()) {
        let address = services.trusted_proxies.address_of(head);
        let refused = &services.refused_keys;
        refused.note_in_url(address, Refusal::InUrl, &presented);
    }
}

/// The key in the headers. When both headers are there, `Authorization` counts.
fn presented_key(headers: &HeaderMap) -> Result<ApiKey, Refusal> {
    let presented = match only(headers, header::AUTHORIZATION.as_str())? {
        Some(value) => bearer(value),
        None => only(headers, API_KEY_HEADER)?.map(str::trim),
    };
    match presented {
        None | Some("") => Err(Refusal::Missing),
        Some(text) => text.parse().map_err(|_| Refusal::Malformed),
    }
}

/// A header that stands once, if it is there. Standing twice, it could mean one caller to us and another to a proxy.
fn only<'a>(headers: &'a HeaderMap, name: &str) -> Result<Option<&'a str>, Refusal> {
    let mut values = headers.get_all(name);
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => value.to_str().map(Some).map_err(|_| Refusal::Malformed),
        (Some(_), Some(_)) => Err(Refusal::Malformed),
    }
}

/// What stands behind `Bearer`, in any case and after any number of spaces; none for another scheme.
fn bearer(authorization: &str) -> Option<&str> {
    let authorization = authorization.trim();
    let (scheme, key) = authorization
        .split_once(char::is_whitespace)
        .unwrap_or((authorization, ""));
    scheme.eq_ignore_ascii_case("bearer").then(|| key.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_stands_twice_is_refused() {
        let key = "a-key-of-the-earlier-vigint";
        for name in ["authorization", "x-api-key"] {
            let name = header::HeaderName::from_static(name);
            let value = if name == header::AUTHORIZATION {
                format!("Bearer {key}")
            } else {
                key.to_owned()
            };
            let mut headers = HeaderMap::new();
            headers.append(name.clone(), value.parse().unwrap());
            assert!(presented_key(&headers).is_ok());
            headers.append(
                name,
                header::HeaderValue::from_static("Bearer another-key-of-the-earlier"),
            );
            assert_eq!(presented_key(&headers).err(), Some(Refusal::Malformed));
        }
    }

    #[test]
    fn the_scheme_may_be_written_in_any_case_with_any_spaces() {
        for good in ["Bearer k", "bearer k", "BEARER    k", "  Bearer\tk  "] {
            assert_eq!(bearer(good), Some("k"), "{good:?}");
        }
        assert_eq!(bearer("Bearer"), Some(""));
        assert_eq!(bearer("Basic k"), None);
        assert_eq!(bearer("k"), None);
    }
}
