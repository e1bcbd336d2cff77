//! One request to the admin API and its answer: time limits, no redirects, errors in words.

use std::path::Path;
use std::time::Duration;

use reqwest::header::{HeaderMap, HeaderValue, RETRY_AFTER};
use reqwest::redirect::Policy;
use reqwest::{Certificate, Client, ClientBuilder, Method, Response};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::runtime::Runtime;
use vigint_core::key::Secret;
use vigint_core::wire::ErrorBody;

use super::ServerAddress;
use super::no_answer::{in_words, root_cause};
use crate::failure::Failure;

const CONNECT_LIMIT: Duration = Duration::from_secs(10);
/// For a request and its whole answer; a delete waits for files to go.
const REQUEST_LIMIT: Duration = Duration::from_secs(60);
/// The largest answer is a page of usage.
const LARGEST_ANSWER: usize = 64 * 1024 * 1024;
/// The header that carries the admin key.
const ADMIN_KEY_HEADER: &str = "x-admin-key";

/// A way to the admin API of one server.
pub(super) struct Transport {
    server: ServerAddress,
    http: Client,
    runtime: Runtime,
}

impl Transport {
    /// With `ca_file` only the authorities in it are trusted.
    pub(super) fn new(
        server: ServerAddress,
        key: &Secret,
        ca_file: Option<&Path>,
    ) -> Result<Self, Failure> {
        // reqwest panics when nobody has chosen.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut key = HeaderValue::from_str(key.reveal()).map_err(|_| Failure::UnusableAdminKey)?;
        key.set_sensitive(true);
        let headers = HeaderMap::from_iter([(
            reqwest::header::HeaderName::from_static(ADMIN_KEY_HEADER),
            key,
        )]);
        let unusable = |error: reqwest::Error| Failure::Unreachable {
            server: server.to_string(),
            reason: error.to_string(),
        };
        let builder = || builder(headers.clone(), server.is_loopback);
        let http = match ca_file {
            Some(path) => builder().tls_certs_only(authorities(path)?).build(),
            // Without certificates of its own the system offers nothing to trust; Mozilla's list is then used.
            None => builder().build().or_else(|_| {
                let roots = webpki_root_certs::TLS_SERVER_ROOT_CERTS.iter();
                let roots = roots.filter_map(|der| Certificate::from_der(der).ok());
                builder().tls_certs_only(roots).build()
            }),
        };
        let http = http.map_err(unusable)?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(Failure::NoRuntime)?;
        Ok(Self {
            server,
            http,
            runtime,
        })
    }

    /// Asks, and reads the answer.
    ///
    /// # Errors
    /// What the server refused, in its words; or why there is no answer.
    pub(super) fn ask<Answer: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        query: &[(&str, String)],
        body: Option<&impl Serialize>,
    ) -> Result<Answer, Failure> {
        let mut request = self
            .http
            .request(method.clone(), self.server.at(path, query));
        if let Some(body) = body {
            request = request.json(body);
        }
        let answered = self.runtime.block_on(async {
            let mut response = request.send().await?;
            let body = read_bounded(&mut response).await?;
            Ok::<_, reqwest::Error>((response, body))
        });
        let (response, body) = answered.map_err(|error| self.unreachable(&method, &error))?;
        let status = response.status().as_u16();
        if status == 429 {
            let wait = response.headers().get(RETRY_AFTER);
            let wait = wait.and_then(|wait| wait.to_str().ok()).unwrap_or("some");
            return Err(Failure::TooManyTries(wait.to_owned()));
        }
        if !(200..300).contains(&status) {
            return Err(self.refused(status, &body));
        }
        serde_json::from_slice(&body)
            .map_err(|_| self.not_vigint("its answer is not one of Vigint's admin API".to_owned()))
    }

    fn refused(&self, status: u16, body: &[u8]) -> Failure {
        let Ok(said) = serde_json::from_slice::<ErrorBody>(body) else {
            let reason = match status {
                300..=399 => format!(
                    "it redirects ({status}), which is not followed: give the address it redirects to"
                ),
                _ => format!("it answers {status}"),
            };
            return self.not_vigint(reason);
        };
        if status == 404 && said.error == "Not found" {
            return Failure::NoAdminApi(self.server.to_string());
        }
        Failure::Refused {
            status,
            message: said.error.into_owned(),
        }
    }

    fn not_vigint(&self, reason: String) -> Failure {
        Failure::NotVigint {
            server: self.server.to_string(),
            reason,
        }
    }

    fn unreachable(&self, method: &Method, error: &reqwest::Error) -> Failure {
        let mut reason = in_words(error, self.server.is_plain());
        if *method != Method::GET && !error.is_connect() {
            reason.push_str(
                "; whether it was done is not known: look with `vigint-admin list` or `audit`",
            );
        }
        Failure::Unreachable {
            server: self.server.to_string(),
            reason,
        }
    }
}

#[allow(
    clippy::disallowed_methods,
    reason = "this is the one place that makes an HTTP client"
)]
fn builder(headers: HeaderMap, is_loopback: bool) -> ClientBuilder {
    let builder = Client::builder()
        .user_agent(concat!("vigint-admin/", env!("CARGO_PKG_VERSION")))
        .default_headers(headers)
        .redirect(Policy::none())
        .connect_timeout(CONNECT_LIMIT)
        .timeout(REQUEST_LIMIT);
    // A proxy cannot reach what only this machine can.
    if is_loopback {
        builder.no_proxy()
    } else {
        builder
    }
}

fn authorities(path: &Path) -> Result<Vec<Certificate>, Failure> {
    let wrong = |reason: String| Failure::CaFile {
        path: path.to_owned(),
        reason,
    };
    let pem = std::fs::read(path).map_err(|error| wrong(error.to_string()))?;
    match Certificate::from_pem_bundle(&pem) {
        Ok(found) if !found.is_empty() => Ok(found),
        Ok(_) => Err(wrong("there is no certificate in it (PEM)".to_owned())),
        Err(error) => Err(wrong(root_cause(&error))),
    }
}

async fn read_bounded(response: &mut Response) -> Result<Vec<u8>, reqwest::Error> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        let room = LARGEST_ANSWER.saturating_sub(body.len());
        body.extend_from_slice(chunk.get(..chunk.len().min(room)).unwrap_or_default());
        if room < chunk.len() {
            break;
        }
    }
    Ok(body)
}
