//! Calls to services of others: the one place that makes an HTTP client, with bounds on time and on what is read.

use std::time::Duration;

use reqwest::header::HeaderValue;
use reqwest::redirect::Policy;
use reqwest::{Certificate, Client, ClientBuilder, Response};
use url::Url;

/// A service that cannot be reached is found out soon.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// A client for a service on this machine, or elsewhere. It follows no redirect: that would carry the key elsewhere.
///
/// # Errors
/// When no TLS can be set up.
pub(crate) fn client(is_loopback: bool) -> Result<Client, reqwest::Error> {
    // Without certificates of its own the system offers nothing to trust; Mozilla's list is then used.
    builder(is_loopback).build().or_else(|_| {
        let roots = webpki_root_certs::TLS_SERVER_ROOT_CERTS.iter();
        let roots = roots.filter_map(|der| Certificate::from_der(der).ok());
        builder(is_loopback).tls_certs_only(roots).build()
    })
}

#[allow(
    clippy::disallowed_methods,
    reason = "this is the one place that makes an HTTP client"
)]
fn builder(is_loopback: bool) -> ClientBuilder {
    let builder = Client::builder()
        .user_agent(concat!("vigint-server/", env!("CARGO_PKG_VERSION")))
        .redirect(Policy::none())
        .connect_timeout(CONNECT_TIMEOUT)
        .tcp_nodelay(true);
    // A proxy cannot reach what only this machine can.
    if is_loopback {
        builder.no_proxy()
    } else {
        builder
    }
}

/// Why an answer could not be read.
#[derive(Debug)]
pub(crate) enum ReadError {
    /// It is longer than allowed.
    TooLong,
    /// The connection broke, or the time was over.
    Broken(reqwest::Error),
}

/// The whole body of an answer, of at most `most` bytes.
///
/// # Errors
/// See [`ReadError`].
pub(crate) async fn read(mut response: Response, most: usize) -> Result<Vec<u8>, ReadError> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(ReadError::Broken)? {
        if body.len() + chunk.len() > most {
            return Err(ReadError::TooLong);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// What went wrong with a call, with all its causes and without its address, which may hold a password.
pub(crate) fn causes(error: reqwest::Error) -> String {
    let error = error.without_url();
    let causes = std::iter::successors(Some(&error as &dyn std::error::Error), |error| {
        error.source()
    });
    let causes: Vec<String> = causes.map(ToString::to_string).collect();
    causes.join(": ")
}

/// A secret as a header, which no log shows; none when it has characters that no header can have.
pub(crate) fn secret_header(value: &str) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(value).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// Whether an address is of this machine, which nobody else can listen to.
pub(crate) fn is_loopback(address: &Url) -> bool {
    match address.host() {
        Some(url::Host::Domain(name)) => name.eq_ignore_ascii_case("localhost"),
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}
