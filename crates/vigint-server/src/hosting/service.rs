//! The hosting service as it is called.

use std::time::Duration;

use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Client, Response};
use tokio::sync::Notify;
use url::Url;
use vigint_core::clock::UtcTime;
use vigint_core::key::Secret;
use vigint_db::clips::HostedFilm;

use super::answer::{self, Asked};
use super::error::{SetupError, UploadError};
use super::form::Film;
use crate::http_client::{self, ReadError};
use crate::vitals::Vital;

const PATH: [&str; 4] = ["api", "v1", "videos", "upload"];
const VIDEO_ID: HeaderName = HeaderName::from_static("x-video-id");

/// How long an upload may take whatever its size…
const PATIENCE: Duration = Duration::from_secs(30);
/// …and a second for each so many bytes.
const SLOWEST: u64 = 32 * 1024;
/// A longer answer is none.
const MOST_BYTES: usize = 64 << 10;

/// What the service is called with.
#[derive(Clone, Debug)]
pub struct HostingOptions {
    /// Where it is: `https://…`, without a slash at its end.
    pub base_url: String,
    /// Our key.
    pub api_key: Secret,
    /// How long films stay there.
    pub stay: Duration,
}

/// The hosting service.
pub struct Hosting {
    client: Client,
    endpoint: Url,
    is_loopback: bool,
    api_key: Secret,
    authorization: HeaderValue,
    stay: Duration,
    vital: Vital,
    /// Rung when a film is to be handed over.
    pub waiting: Notify,
}

impl Hosting {
    /// Makes ready to call it.
    ///
    /// # Errors
    /// See [`SetupError`].
    pub fn new(options: HostingOptions) -> Result<Self, SetupError> {
        let mut endpoint: Url = options.base_url.parse().map_err(|_| SetupError::Address)?;
        endpoint
            .path_segments_mut()
            .map_err(|()| SetupError::Address)?
            .pop_if_empty()
            .extend(PATH);
        let authorization = format!("Bearer {}", options.api_key.reveal());
        let is_loopback = http_client::is_loopback(&endpoint);
        Ok(Self {
            client: http_client::client(is_loopback).map_err(SetupError::Tls)?,
            is_loopback,
            endpoint,
            authorization: http_client::secret_header(&authorization).ok_or(SetupError::Key)?,
            api_key: options.api_key,
            stay: options.stay,
            vital: Vital::default(),
            waiting: Notify::new(),
        })
    }

    /// Hands a film over, from its first byte: streamed from the disk, never as a whole in memory. Takes 30 s and a
    /// second more for each 32 KiB at most. Who drops the future breaks the upload off.
    ///
    /// # Errors
    /// See [`UploadError`].
    pub async fn upload(&self, film: &Film, now: UtcTime) -> Result<HostedFilm, UploadError> {
        let uploaded = self.try_to_upload(film, now).await;
        // Health speaks of the service, not of one film that it would not take.
        match &uploaded {
            Err(error) if !error.is_of_service() => {}
            uploaded => self.vital.note(uploaded.is_ok()),
        }
        uploaded
    }

    async fn try_to_upload(&self, film: &Film, now: UtcTime) -> Result<HostedFilm, UploadError> {
        let stay = film.stay(self.stay, now);
        let form = film.form(stay, now).await?;
        let response = self
            .client
            .post(self.endpoint.clone())
            .headers(self.headers(film))
            .timeout(patience(film.bytes))
            .multipart(form)
            .send()
            .await
            .map_err(unreachable)?;
        let asked = Asked {
            at: now,
            until: now + stay,
            key: &self.api_key,
            is_loopback: self.is_loopback,
        };
        read(response, &asked).await
    }

    fn headers(&self, film: &Film) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, self.authorization.clone());
        // An id has no characters that a header cannot have.
        if let Ok(id) = HeaderValue::try_from(film.clip.to_string()) {
            headers.insert(VIDEO_ID, id);
        }
        headers
    }

    /// How it fares, as health shows it.
    #[must_use]
    pub const fn vital(&self) -> &Vital {
        &self.vital
    }
}

async fn read(response: Response, asked: &Asked<'_>) -> Result<HostedFilm, UploadError> {
    let (status, is_taken) = (response.status().as_u16(), response.status().is_success());
    let body = match http_client::read(response, MOST_BYTES).await {
        Ok(body) => body,
        Err(ReadError::TooLong) if is_taken => return Err(UploadError::Answer("it is too long")),
        // What it means is said by its status.
        Err(ReadError::TooLong) => Vec::new(),
        Err(ReadError::Broken(error)) => return Err(unreachable(error)),
    };
    answer::read(status, &body, asked)
}

/// How long one upload of so many bytes may take.
const fn patience(bytes: u64) -> Duration {
    PATIENCE.saturating_add(Duration::from_secs(bytes / SLOWEST))
}

fn unreachable(error: reqwest::Error) -> UploadError {
    UploadError::Unreachable(http_client::causes(error))
}
