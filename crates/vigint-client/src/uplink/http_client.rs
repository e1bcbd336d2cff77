//! The one place that makes an HTTP client: time limits, no redirects, and whom to trust.

use std::time::Duration;

use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use reqwest::redirect::Policy;
use reqwest::{Certificate, Client, ClientBuilder};
use vigint_core::key::ApiKey;

use super::authorities::Authorities;
use super::names::Names;

const CONNECT_LIMIT: Duration = Duration::from_secs(10);
/// For one request and its whole answer, unless the request says otherwise.
const REQUEST_LIMIT: Duration = Duration::from_secs(30);
/// A connection that lies idle for longer may have been forgotten by a router on the way.
const IDLE_LIMIT: Duration = Duration::from_secs(60);
/// What was sent and nobody has acknowledged for so long is lost: the connection is dead (`TCP_USER_TIMEOUT`).
#[cfg(target_os = "linux")]
const UNHEARD_LIMIT: Duration = Duration::from_secs(10);

/// A client that says the key in every request and trusts `authorities` besides the system's.
///
/// # Errors
/// When no TLS can be set up.
pub(super) fn http_client(
    key: Option<&ApiKey>,
    is_loopback: bool,
    authorities: &Authorities,
) -> Result<Client, reqwest::Error> {
    trusting(|| builder(key, is_loopback), authorities)
}

/// A client that says no key and keeps what TLS says of the other end, which costs a copy for each answer.
///
/// # Errors
/// When no TLS can be set up.
pub(super) fn inquiring_client(
    is_loopback: bool,
    authorities: &Authorities,
) -> Result<Client, reqwest::Error> {
    trusting(|| builder(None, is_loopback).tls_info(true), authorities)
}

fn trusting(
    builder: impl Fn() -> ClientBuilder,
    authorities: &Authorities,
) -> Result<Client, reqwest::Error> {
    // reqwest panics when nobody has chosen; whoever embeds this library may have chosen already.
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        let _ = rustls::crypto::ring::default_provider().install_default();
    }
    match builder().build() {
        Ok(client) if authorities.is_empty() => Ok(client),
        Ok(_) => builder()
            .tls_certs_merge(authorities.certificates())
            .build(),
        // Without certificates of its own the system offers nothing to trust; Mozilla's list is then used.
        Err(_) => {
            let roots = webpki_root_certs::TLS_SERVER_ROOT_CERTS.iter();
            let roots = roots.filter_map(|der| Certificate::from_der(der).ok());
            builder()
                .tls_certs_only(roots.chain(authorities.certificates()))
                .build()
        }
    }
}

#[allow(
    clippy::disallowed_methods,
    reason = "this is the one place that makes an HTTP client"
)]
fn builder(key: Option<&ApiKey>, is_loopback: bool) -> ClientBuilder {
    let mut headers = HeaderMap::new();
    let bearer =
        key.and_then(|key| HeaderValue::from_str(&format!("Bearer {}", key.reveal())).ok());
    if let Some(mut bearer) = bearer {
        bearer.set_sensitive(true);
        headers.insert(AUTHORIZATION, bearer);
    }
    let builder = Client::builder()
        .user_agent(concat!("vigint-client/", env!("CARGO_PKG_VERSION")))
        .default_headers(headers)
        .dns_resolver(Names::of_system())
        .redirect(Policy::none())
        .connect_timeout(CONNECT_LIMIT)
        .timeout(REQUEST_LIMIT)
        .pool_idle_timeout(IDLE_LIMIT)
        .tcp_nodelay(true);
    #[cfg(target_os = "linux")]
    let builder = builder.tcp_user_timeout(UNHEARD_LIMIT);
    // A proxy cannot reach what only this machine can.
    if is_loopback {
        builder.no_proxy()
    } else {
        builder
    }
}
