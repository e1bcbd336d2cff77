//! The one place that makes an HTTP client: time limits, no redirects, and whom to trust.

use std::time::Duration;

use hyper_util::client::proxy::matcher::Matcher;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use reqwest::redirect::Policy;
use reqwest::{Client, ClientBuilder};
use rustls::ClientConfig;
use url::Url;
use vigint_core::key::ApiKey;

use super::authorities::Authorities;
use super::names::Names;
use super::trust::tls_config;

const CONNECT_LIMIT: Duration = Duration::from_secs(10);
/// For one request and its whole answer, unless the request says otherwise.
const REQUEST_LIMIT: Duration = Duration::from_secs(30);
/// A connection that lies idle for longer may have been forgotten by a router on the way.
const IDLE_LIMIT: Duration = Duration::from_secs(60);
/// What was sent and nobody has acknowledged for so long is lost: the connection is dead (`TCP_USER_TIMEOUT`).
#[cfg(target_os = "linux")]
const UNHEARD_LIMIT: Duration = Duration::from_secs(10);

/// What stands in the way of an HTTP client.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SetUpError {
    #[error(transparent)]
    Tls(#[from] rustls::Error),
    #[error(transparent)]
    Http(#[from] reqwest::Error),
}

/// A client that says the key in every request and trusts `authorities` besides the system's.
///
/// # Errors
/// When no TLS can be set up.
pub(super) fn http_client(
    key: Option<&ApiKey>,
    is_loopback: bool,
    authorities: &Authorities,
) -> Result<Client, SetUpError> {
    Ok(builder(key, is_loopback, tls_config(authorities)?).build()?)
}

/// A client that says no key and keeps what TLS says of the other end, which costs a copy for each answer.
///
/// # Errors
/// When no TLS can be set up.
pub(super) fn inquiring_client(
    is_loopback: bool,
    authorities: &Authorities,
) -> Result<Client, SetUpError> {
    let builder = builder(None, is_loopback, tls_config(authorities)?);
    Ok(builder.tls_info(true).build()?)
}

/// Host and port of the proxy between here and there, as reqwest finds it in the environment.
pub(super) fn proxy_on_the_way_to(server: &Url, is_loopback: bool) -> Option<String> {
    if is_loopback {
        return None;
    }
    let found = Matcher::from_system().intercept(&server.as_str().parse().ok()?)?;
    // Of its address only this: it may hold a password.
    let host = found.uri().host()?;
    Some(match found.uri().port_u16() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    })
}

#[allow(
    clippy::disallowed_methods,
    reason = "this is the one place that makes an HTTP client"
)]
fn builder(key: Option<&ApiKey>, is_loopback: bool, tls: ClientConfig) -> ClientBuilder {
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
        .tls_backend_preconfigured(tls)
        // What times out on a connection that several requests share would not end that connection: one that is dead
        // would be used for ever.
        .http1_only()
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
