//! Who may call an admin route: whoever shows the operator's key in its header. Decided before the body is read.
//!
//! Every other attempt is written to the audit log, as long as there are not too many.

use std::future::{Ready, ready};
use std::net::IpAddr;

use actix_web::body::MessageBody;
use actix_web::dev::{Payload, RequestHead, ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;
use actix_web::{FromRequest, HttpMessage as _, HttpRequest, web};
use vigint_core::key::Secret;
use vigint_db::Operator;
use vigint_db::admin::Admin;

use super::error::{ApiError, Code, internal};
use super::leaks::{admin_key_in_query, key_in_query};
use super::middleware::refuse_unread;
use super::refused_admins::Attempt;
use super::refused_keys::Refusal;
use super::routes::Endpoint;
use super::services::Services;

/// The header that carries the operator's key on admin routes.
pub const ADMIN_KEY_HEADER: &str = "X-Admin-Key";

/// The caller of an admin route: somebody who knows the operator's key.
pub(super) struct AdminCaller {
    /// From where: who it was, for the audit log.
    pub(super) address: IpAddr,
}

impl AdminCaller {
    /// What this caller may do, and by whom it was done.
    pub(super) fn admin(&self) -> Admin {
        Admin::new(Operator::named("admin API"), self.address.to_string())
    }
}

/// The proof that a request showed the operator's key.
#[derive(Clone, Copy)]
pub(super) struct Admitted {
    address: IpAddr,
}

impl FromRequest for AdminCaller {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    /// Reads what the middleware found. Without it nobody is let in.
    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let admitted = request.extensions().get::<Admitted>().copied();
        let caller = admitted.map(|Admitted { address }| Self { address });
        ready(caller.ok_or_else(|| ApiError::new(Code::AdminKeyRequired)))
    }
}

impl Admitted {
    /// Whether a request showed the operator's key.
    pub(super) fn is_on(request: &HttpRequest) -> bool {
        request.extensions().get::<Self>().is_some()
    }
}

/// Lets a request with the operator's key through, and answers any other before its body is read.
pub(super) async fn require_admin_key(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, actix_web::Error> {
    let services = request.app_data::<web::Data<Services>>().cloned();
    let endpoint = request.extensions().get::<Endpoint>().copied();
    let found = match (services, endpoint) {
        (Some(services), Some(endpoint)) => admit(request.head(), endpoint, &services).await,
        _ => Err(internal(&"the services are missing")),
    };
    match found {
        Ok(admitted) => {
            request.extensions_mut().insert(admitted);
            Ok(next.call(request).await?.map_into_left_body())
        }
        Err(error) => Ok(refuse_unread(request, &error).map_into_right_body()),
    }
}

/// Lets in who shows the operator's key; notes and writes down everybody else.
pub(super) async fn admit(
    head: &RequestHead,
    endpoint: Endpoint,
    services: &Services,
) -> Result<Admitted, ApiError> {
    // Such a route is not even registered when there is no key.
    let Some(key) = &services.admin_key else {
        return Err(ApiError::new(Code::NotFound));
    };
    let address = services.trusted_proxies.address_of(head);
    let Some(refusal) = refusal(head, key) else {
        return Ok(Admitted { address });
    };
    let refused = &services.refused_keys;
    let error = match key_in_query(head.uri.query().unwrap_or_default()) {
        // It may be a client's.
        Some(presented) => refused.note_in_url(address, refusal, &presented),
        None => refused.note(address, refusal),
    };
    let attempt = Attempt {
        address,
        method: &head.method,
        path: endpoint.path,
        refusal,
    };
    services
        .refused_admins
        .note(&attempt, &error, services)
        .await;
    Err(error)
}

/// Why this request does not show the operator's key, if it does not.
fn refusal(head: &RequestHead, key: &Secret) -> Option<Refusal> {
    // Not even beside the right one in its header.
    if admin_key_in_query(head.uri.query().unwrap_or_default()) {
        return Some(Refusal::AdminInUrl);
    }
    // Standing twice, it could mean one caller to us and another to a proxy.
    if head.headers.get_all(ADMIN_KEY_HEADER).nth(1).is_some() {
        return Some(Refusal::AdminWrong);
    }
    let shown = head.headers.get(ADMIN_KEY_HEADER);
    let shown = shown.map(|value| value.as_bytes().trim_ascii());
    match shown {
        None | Some([]) => Some(Refusal::AdminMissing),
        Some(shown) => {
            let is_it = std::str::from_utf8(shown).is_ok_and(|shown| key.matches(shown));
            (!is_it).then_some(Refusal::AdminWrong)
        }
    }
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::{HeaderName, HeaderValue};

    use super::*;

    const KEY: &str = "the-operators-own-secret-of-42";

    fn refused(header: Option<&str>, query: &str) -> Option<Refusal> {
        let mut head = RequestHead::default();
        head.uri = format!("/metrics{query}").parse().unwrap();
        if let Some(value) = header {
            let name = HeaderName::from_static("x-admin-key");
            head.headers
                .insert(name, HeaderValue::from_str(value).unwrap());
        }
        refusal(&head, &Secret::new(KEY))
    }

    #[test]
    fn only_the_whole_key_in_its_header_is_let_in() {
        assert_eq!(refused(Some(KEY), ""), None);
        assert_eq!(refused(Some(KEY), "?from=2026-11-24&key_id=3"), None);
        assert_eq!(refused(None, ""), Some(Refusal::AdminMissing));
        assert_eq!(refused(Some(""), ""), Some(Refusal::AdminMissing));
        let near = [&KEY[1..], &format!("{KEY}x"), &KEY.to_uppercase(), "é"];
        for wrong in near {
            assert_eq!(
                refused(Some(wrong), ""),
                Some(Refusal::AdminWrong),
                "{wrong}"
            );
        }
    }

    #[test]
    fn a_key_in_the_url_is_refused_even_beside_the_right_one() {
        for name in [
            "admin_key",
            "X-Admin-Key",
            "x%5Fadmin%5Fkey",
            "api_key",
            "key",
            "access_token",
        ] {
            let query = format!("?{name}={KEY}");
            assert_eq!(
                refused(Some(KEY), &query),
                Some(Refusal::AdminInUrl),
                "{name}"
            );
        }
    }
}
