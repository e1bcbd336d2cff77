//! The way to the server: one method a route, one try each. Who calls decides whether to try again.
//!
//! It follows no redirect, waits for nothing longer than its time limits, and puts the key into a header and
//! nowhere else.

mod account;
mod authorities;
mod batch;
mod certificate;
mod error;
mod exchange;
mod film;
mod http_client;
mod names;
mod no_answer;
mod trust;

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use reqwest::header::CONTENT_TYPE;
use reqwest::{Client, RequestBuilder};
use serde::de::DeserializeOwned;
use url::{Host, Url};
use vigint_core::ids::SourceId;
use vigint_core::key::ApiKey;
use vigint_core::wire::{
    AnalysisResponse, AnalyzeRequest, BatchResponse, BufferResponse, HealthResponse, WhoamiResponse,
};

pub use account::{IncidentQuery, UsageQuery};
pub(crate) use authorities::Authorities;
pub use authorities::AuthorityError;
pub(crate) use batch::most_at_once;
pub use certificate::ServerCertificate;
pub use error::ApiError;
use exchange::{Answer, Repeat, exchange};
pub(crate) use film::{ComingFilm, Film};
use http_client::SetUpError;

use crate::frame::Frame;

/// The server ends an analysis within 25 s; a call that joins a running one waits for that first.
const ANALYSIS_LIMIT: Duration = Duration::from_secs(55);

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
    /// Host and port of the proxy that the environment puts on the way.
    proxy: Option<String>,
    /// Whether the server takes raw pictures in batches, as far as is known.
    batches: Arc<batch::Trial>,
    /// Whether it ever gave a good answer: what does is the server that is meant.
    is_known: Arc<AtomicBool>,
}

impl Uplink {
    /// With whom the system trusts, as tests need it.
    #[cfg(test)]
    pub(crate) fn new(base: &Url, key: Option<&ApiKey>) -> Result<Self, SetUpError> {
        Self::trusting(base, key, Authorities::default())
    }

    /// Sets up the client; connects to nothing yet.
    pub(crate) fn trusting(
        base: &Url,
        key: Option<&ApiKey>,
        authorities: Authorities,
    ) -> Result<Self, SetUpError> {
        Ok(Self {
            http: http_client::http_client(key, is_loopback(base), &authorities)?,
            base: base.clone(),
            has_key: key.is_some(),
            authorities,
            proxy: http_client::proxy_on_the_way_to(base, is_loopback(base)),
            batches: Arc::default(),
            is_known: Arc::default(),
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
        // By its time the server knows a picture that comes twice.
        let repeat = match frame.captured_at {
            Some(_) => Repeat::OnDeadConnection,
            None => Repeat::Never,
        };
        let request = request.body(frame.jpeg.clone());
        let answer = self.ask(request, repeat).await;
        self.batches.learn(answer.as_ref().err());
        answer
    }

    /// Whether several frames may go together.
    pub(crate) fn takes_batches(&self) -> bool {
        self.batches.is_on()
    }

    /// `POST /api/video/buffer/batch`, the JPEGs as they are: all are taken or none. `None`: this batch, or any, is
    /// not for this server, and its frames are to be sent one by one.
    pub(crate) async fn buffer_batch(
        &self,
        frames: &[Frame],
    ) -> Result<Option<BatchResponse>, ApiError> {
        let request = self
            .http
            .post(self.url("api/video/buffer/batch"))
            .header(CONTENT_TYPE, batch::CONTENT_TYPE);
        let request = request.body(batch::body_of(frames));
        match self.ask_with_key(request).await {
            Ok(answer) => Ok(Some(answer)),
            Err(error) => {
                let verdict = batch::verdict_on(&error).ok_or(error)?;
                if verdict == batch::Verdict::Never {
                    self.batches.refused();
                }
                Ok(None)
            }
        }
    }

    /// Has frames go one by one for a while: what goes by itself arrives, batches do not.
    pub(crate) fn leave_batches(&self) {
        self.batches.refused();
    }

    /// `POST /api/video/analyze`.
    pub(crate) async fn analyze(&self, source: &SourceId) -> Result<AnalysisResponse, ApiError> {
        let body = AnalyzeRequest {
            source_id: Some(source.to_string()),
        };
        let request = self.http.post(self.url("api/video/analyze")).json(&body);
        self.require_key()?;
        let request = request.timeout(ANALYSIS_LIMIT);
        let answer = self.answer(request, Repeat::Never).await?;
        let answer: AnalysisResponse = self.understood(&answer)?;
        // Whoever keeps what was said of each source must not be made to keep more than was asked about.
        if answer.source_id != source.as_str() {
            return Err(ApiError::NotVigint {
                server: self.server().to_owned(),
                reason: "its answer is about another source than was asked about".to_owned(),
            });
        }
        Ok(answer)
    }

    /// `GET /api/health`; needs no key. A server that is not well says so with 503 and the same body.
    pub(crate) async fn health(&self) -> Result<HealthResponse, ApiError> {
        let request = self.http.get(self.url("api/health"));
        let answer = self.answer(request, Repeat::OnDeadConnection).await?;
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
        url.set_query(Some(&said_of(frame)));
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
        self.ask(request, Repeat::OnDeadConnection).await
    }

    async fn ask<T: DeserializeOwned>(
        &self,
        request: RequestBuilder,
        repeat: Repeat,
    ) -> Result<T, ApiError> {
        self.require_key()?;
        let answer = self.answer(request, repeat).await?;
        self.understood(&answer)
    }

    fn require_key(&self) -> Result<(), ApiError> {
        self.has_key.then_some(()).ok_or(ApiError::NoKey)
    }

    /// Whatever is answered.
    async fn answer(&self, request: RequestBuilder, repeat: Repeat) -> Result<Answer, ApiError> {
        exchange(request, repeat).await.map_err(|error| {
            // Who is there when it is back may be of another version.
            self.batches.begin_anew();
            self.failure(&error)
        })
    }

    /// What it means that there was no answer.
    fn failure(&self, error: &reqwest::Error) -> ApiError {
        let is_first = !self.is_known.load(Relaxed);
        ApiError::of_failure(self.server(), self.proxy.as_deref(), is_first, error)
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
        let said = serde_json::from_slice(&answer.body).map_err(|_| ApiError::NotVigint {
            server: self.server().to_owned(),
            reason: "its answer is not what this version understands".to_owned(),
        })?;
        self.is_known.store(true, Relaxed);
        Ok(said)
    }

    fn server(&self) -> &str {
        self.base.as_str().trim_end_matches('/')
    }
}

/// What the server is told about a raw JPEG, as a query.
fn said_of(frame: &Frame) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
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
    query.finish()
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
    use super::*;
    use crate::scripted_server::{Reply, Request, ScriptedServer};

    fn uplink(server: &ScriptedServer) -> Uplink {
        let key = "a-key-of-16-chars".parse().unwrap();
        Uplink::new(&parse_address(&server.url()).unwrap(), Some(&key)).unwrap()
    }

    #[tokio::test]
    async fn that_it_may_speak_https_is_said_only_until_it_has_spoken_http() {
        let server = ScriptedServer::start(|request: &Request| match request.path() {
            "/api/whoami" => Reply::of_vigint(request),
            _ => Reply::hang_up(),
        })
        .await;
        let uplink = uplink(&server);
        let frame = Frame {
            number: Some(1),
            ..Frame::from(vec![0xFF, 0xD8, 0xFF])
        };
        let first = uplink.buffer(&frame).await.unwrap_err().to_string();
        assert!(first.contains("perhaps it speaks https"), "{first}");
        uplink.whoami().await.unwrap();
        let second = uplink.buffer(&frame).await.unwrap_err().to_string();
        assert!(second.contains("cannot be reached"), "{second}");
        assert!(!second.contains("https"), "{second}");
    }

    #[tokio::test]
    async fn an_analysis_of_another_source_than_was_asked_about_is_refused() {
        let server = ScriptedServer::start(Reply::of_vigint).await;
        let asked: SourceId = "till".parse().unwrap();
        let answer = uplink(&server).analyze(&asked).await.unwrap();
        assert_eq!(answer.source_id, "till");
        let server = ScriptedServer::start(|request: &Request| {
            let mut other = request.clone();
            other.body = br#"{"source_id":"door"}"#.to_vec();
            Reply::of_vigint(&other)
        })
        .await;
        let error = uplink(&server).analyze(&asked).await.unwrap_err();
        assert!(error.to_string().contains("another source"), "{error}");
    }

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
}
