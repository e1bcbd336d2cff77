//! The way to a provider: one HTTP client, with bounds on time and on what is read.

use std::time::Duration;

use reqwest::header::RETRY_AFTER;
use reqwest::redirect::Policy;
use reqwest::{Certificate, Client, ClientBuilder, Response};

use super::provider::Outgoing;
use super::reply::{Fault, Reply};

/// A verdict is a few kilobytes; thoughts beside it may be more.
const MOST_BYTES: usize = 1 << 20;
/// A provider that cannot be reached is found out soon.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Who asks ends a call that takes too long. This is for one that nobody ends.
const AFTER_ALL_HAVE_GONE: Duration = Duration::from_secs(1);

/// Sends requests.
pub(super) struct Transport {
    client: Client,
}

/// An answer, read to its end.
pub(super) struct Received {
    status: u16,
    retry_after: Option<String>,
    body: Vec<u8>,
}

impl Received {
    pub(super) fn reply(&self) -> Reply<'_> {
        Reply {
            status: self.status,
            retry_after: self.retry_after.as_deref(),
            body: &self.body,
        }
    }
}

/// Why there is no answer.
pub(super) struct Broken {
    pub(super) fault: Fault,
    /// Whether the provider may have worked on it.
    pub(super) may_be_paid: bool,
}

impl Transport {
    /// To a provider on this machine, or elsewhere.
    ///
    /// # Errors
    /// When no TLS can be set up.
    pub(super) fn new(is_loopback: bool) -> Result<Self, reqwest::Error> {
        // Without certificates of its own the system offers nothing to trust; Mozilla's list is then used.
        let client = builder(is_loopback).build().or_else(|_| {
            let roots = webpki_root_certs::TLS_SERVER_ROOT_CERTS.iter();
            let roots = roots.filter_map(|der| Certificate::from_der(der).ok());
            builder(is_loopback).tls_certs_only(roots).build()
        })?;
        Ok(Self { client })
    }

    /// Sends it and reads the whole answer. After `limit` nobody waits for it any more.
    pub(super) async fn send(
        &self,
        outgoing: Outgoing,
        limit: Duration,
    ) -> Result<Received, Broken> {
        let request = self
            .client
            .post(outgoing.url)
            .headers(outgoing.headers)
            .timeout(limit + AFTER_ALL_HAVE_GONE)
            .body(outgoing.body);
        let response = request.send().await.map_err(broken)?;
        read(response).await
    }
}

#[allow(
    clippy::disallowed_methods,
    reason = "this is the one place that makes an HTTP client"
)]
fn builder(is_loopback: bool) -> ClientBuilder {
    let builder = Client::builder()
        .user_agent(concat!("vigint-server/", env!("CARGO_PKG_VERSION")))
        // A redirect would carry the key elsewhere.
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

async fn read(mut response: Response) -> Result<Received, Broken> {
    let status = response.status().as_u16();
    let retry_after = response.headers().get(RETRY_AFTER);
    let retry_after = retry_after.and_then(|value| Some(value.to_str().ok()?.to_owned()));
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(broken)? {
        if body.len() + chunk.len() > MOST_BYTES {
            return Err(Broken {
                fault: Fault::NoVerdict(format!("the answer is longer than {MOST_BYTES} bytes")),
                may_be_paid: true,
            });
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Received {
        status,
        retry_after,
        body,
    })
}

fn broken(error: reqwest::Error) -> Broken {
    let may_be_paid = !error.is_connect() && !error.is_builder();
    // An address may hold a password.
    let error = error.without_url();
    let causes = std::iter::successors(Some(&error as &dyn std::error::Error), |error| {
        error.source()
    });
    let why: Vec<String> = causes.map(ToString::to_string).collect();
    Broken {
        fault: Fault::Trouble {
            why: why.join(": "),
            retry_after: None,
        },
        may_be_paid,
    }
}
