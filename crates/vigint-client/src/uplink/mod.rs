//! The way to the server: one method a route, one try each. Who calls decides whether to try again.
//!
//! It follows no redirect, waits for nothing longer than its time limits, and puts the key into a header and
//! nowhere else.

mod account;
mod authorities;
mod certificate;
mod error;
mod film;
mod http_client;
mod no_answer;

use std::net::IpAddr;
use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, HeaderMap, RETRY_AFTER};
use reqwest::{Client, RequestBuilder, Response};
use serde::de::DeserializeOwned;
use url::{Host, Url};
use vigint_core::ids::SourceId;
use vigint_core::key::ApiKey;
use vigint_core::wire::{
    AnalysisResponse, AnalyzeRequest, BufferResponse, HealthResponse, WhoamiResponse,
};

pub use account::{IncidentQuery, UsageQuery};
pub(crate) use authorities::Authorities;
pub use authorities::AuthorityError;
pub use certificate::ServerCertificate;
pub use error::ApiError;
pub(crate) use film::{ComingFilm, Film};

use crate::frame::Frame;

/// The server ends an analysis within 25 s; a call that joins a running one waits for that first.
const ANALYSIS_LIMIT: Duration = Duration::from_secs(55);
/// The most bytes of an answer that are read.
const MAX_ANSWER_BYTES: usize = 8 * 1024 * 1024;
/// A server that asks for more patience than this is asked again all the same.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(300);

/// An address that cannot be the server's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// No URL, or of another kind.
    #[error("the server's address must be a URL such as https://vigint.example.com:5002")]
    NotHttp,
    /// It holds a user name or a password.
    #[error(
        "the server's address must not hold a user name or password: the API key is the only secret"
    )]
    HoldsUser,
}

/// The server as this client reaches it. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Uplink {
    http: Client,
    base: Url,
    has_key: bool,
    authorities: Authorities,
}

impl Uplink {
    /// With whom the system trusts, as tests need it.
    #[cfg(test)]
    pub(crate) fn new(base: &Url, key: Option<&ApiKey>) -> Result<Self, reqwest::Error> {
        Self::trusting(base, key, Authorities::default())
    }

    /// Sets up the client; connects to nothing yet.
    pub(crate) fn trusting(
        base: &Url,
        key: Option<&ApiKey>,
        authorities: Authorities,
    ) -> Result<Self, reqwest::Error> {
        Ok(Self {
            http: http_client::http_client(key, is_loopback(base), &authorities)?,
            base: base.clone(),
            has_key: key.is_some(),
            authorities,
        })
    }

    pub(crate) fn has_key(&self) -> bool {
        self.has_key
    }

    /// `POST /api/video/buffer`, the JPEG as it is.
    pub(crate) async fn buffer(&self, frame: &Frame) -> Result<BufferResponse, ApiError> {
        let request = self
            .http
            .post(self.frame_url(frame))
            .header(CONTENT_TYPE, "image/jpeg");
        self.ask_with_key(request.body(frame.jpeg.clone())).await
    }

    /// `POST /api/video/analyze`.
    pub(crate) async fn analyze(&self, source: &SourceId) -> Result<AnalysisResponse, ApiError> {
        let body = AnalyzeRequest {
            source_id: Some(source.to_string()),
        };
        let request = self.http.post(self.url("api/video/analyze")).json(&body);
        self.ask_with_key(request.timeout(ANALYSIS_LIMIT)).await
    }

    /// `GET /api/health`; needs no key. A server that is not well says so with 503 and the same body.
    pub(crate) async fn health(&self) -> Result<HealthResponse, ApiError> {
        let answer = self.answer(self.http.get(self.url("api/health"))).await?;
        match serde_json::from_slice(&answer.body) {
            Ok(health) if answer.status == 503 => Ok(health),
            // Whatever else answers there, such as a proxy before it, has no such body.
            _ => self.understood(&answer),
        }
    }

    /// `GET /api/whoami`.
    pub(crate) async fn whoami(&self) -> Result<WhoamiResponse, ApiError> {
        self.ask_with_key(self.http.get(self.url("api/whoami")))
            .await
    }

    /// What the server is told about a raw JPEG stands in the query.
    fn frame_url(&self, frame: &Frame) -> Url {
        let mut url = self.url("api/video/buffer");
        let mut query = url.query_pairs_mut();
        query.append_pair("source_id", frame.source_id.as_str());
        if let Some(number) = frame.number {
            query.append_pair("frame_count", &number.to_string());
        }
        if let Some(name) = &frame.source_name {
            query.append_pair("source_name", name);
        }
        if let Some(captured_at) = frame.captured_at {
            query.append_pair("captured_at", &captured_at.to_string());
        }
        drop(query);
        url
    }

    fn url(&self, path: &str) -> Url {
        let mut url = self.base.clone();
        let folder = url.path().trim_end_matches('/').to_owned();
        url.set_path(&format!("{folder}/{path}"));
        url
    }

    async fn ask_with_key<T: DeserializeOwned>(
        &self,
        request: RequestBuilder,
    ) -> Result<T, ApiError> {
        if !self.has_key {
            return Err(ApiError::NoKey);
        }
        self.ask(request).await
    }

    async fn ask<T: DeserializeOwned>(&self, request: RequestBuilder) -> Result<T, ApiError> {
        let answer = self.answer(request).await?;
        self.understood(&answer)
    }

    /// Whatever is answered.
    async fn answer(&self, request: RequestBuilder) -> Result<Answer, ApiError> {
        let failure = |error: reqwest::Error| ApiError::of_failure(self.server(), &error);
        let mut response = request.send().await.map_err(failure)?;
        let body = read_bounded(&mut response).await.map_err(failure)?;
        Ok(Answer {
            status: response.status().as_u16(),
            retry_after: retry_after(response.headers()),
            body,
        })
    }

    /// What a good answer says, or the error that another one means.
    fn understood<T: DeserializeOwned>(&self, answer: &Answer) -> Result<T, ApiError> {
        if answer.status != 200 {
            return Err(ApiError::of_answer(
                self.server(),
                answer.status,
                answer.retry_after,
                &answer.body,
            ));
        }
        serde_json::from_slice(&answer.body).map_err(|_| ApiError::NotVigint {
            server: self.server().to_owned(),
            reason: "its answer is not what this version understands".to_owned(),
        })
    }

    fn server(&self) -> &str {
        self.base.as_str().trim_end_matches('/')
    }
}

/// An answer as far as it was read.
struct Answer {
    status: u16,
    retry_after: Option<Duration>,
    body: Vec<u8>,
}

/// The body, cut at [`MAX_ANSWER_BYTES`].
async fn read_bounded(answer: &mut Response) -> Result<Vec<u8>, reqwest::Error> {
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await? {
        let room = MAX_ANSWER_BYTES.saturating_sub(body.len());
        body.extend_from_slice(chunk.get(..room).unwrap_or(&chunk));
        if chunk.len() > room {
            break;
        }
    }
    Ok(body)
}

/// `Retry-After` in seconds (RFC 9110, 10.2.3). Its other form, a date, would need two clocks that agree: our
/// own delays serve as well.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers
        .get(RETRY_AFTER)?
        .to_str()
        .ok()?
        .trim()
        .parse()
        .ok()?;
    Some(Duration::from_secs(seconds).min(MAX_RETRY_AFTER))
}

/// The server's address, checked.
pub(crate) fn parse_address(text: &str) -> Result<Url, AddressError> {
    let url = Url::parse(text.trim()).map_err(|_| AddressError::NotHttp)?;
    if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
        return Err(AddressError::NotHttp);
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(AddressError::HoldsUser);
    }
    let mut url = url;
    url.set_query(None);
    url.set_fragment(None);
    Ok(url)
}

/// Whether the key and the pictures could be read on their way there.
pub(crate) fn is_exposed(url: &Url) -> bool {
    url.scheme() == "http" && !is_loopback(url)
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => IpAddr::V4(address).is_loopback(),
        Some(Host::Ipv6(address)) => IpAddr::V6(address).to_canonical().is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderValue;

    use super::*;

    #[test]
    fn only_http_addresses_without_a_user_are_the_servers() {
        assert_eq!(parse_address("localhost:5002"), Err(AddressError::NotHttp));
        assert_eq!(parse_address("ftp://x"), Err(AddressError::NotHttp));
        assert_eq!(parse_address("http://u:p@x"), Err(AddressError::HoldsUser));
        let url = parse_address("https://host/vigint/?x=1#y").unwrap();
        let uplink = Uplink::new(&url, None).unwrap();
        assert_eq!(
            uplink.url("api/usage").as_str(),
            "https://host/vigint/api/usage"
        );
    }

    #[test]
    fn plain_http_is_exposed_beyond_this_machine_only() {
        let exposed = |text: &str| is_exposed(&parse_address(text).unwrap());
        for safe in [
            "http://localhost:5002",
            "http://127.0.0.1",
            "http://[::1]:1",
            "https://shop.example",
        ] {
            assert!(!exposed(safe), "{safe}");
        }
        for open in [
            "http://shop.example",
            "http://192.168.1.2:5002",
            "http://localhost.example",
        ] {
            assert!(exposed(open), "{open}");
        }
    }

    #[test]
    fn retry_after_is_bounded_and_a_date_is_passed_over() {
        let of = |value: &'static str| {
            retry_after(&HeaderMap::from_iter([(
                RETRY_AFTER,
                HeaderValue::from_static(value),
            )]))
        };
        assert_eq!(of("7"), Some(Duration::from_secs(7)));
        assert_eq!(of("999999999999"), Some(MAX_RETRY_AFTER));
        assert_eq!(of("Wed, 21 Oct 2026 07:28:00 GMT"), None);
        assert_eq!(of("-1"), None);
    }
}
