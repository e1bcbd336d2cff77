//! The way to a provider: sends what it is given and reads the whole answer.

use std::time::Duration;

use reqwest::header::RETRY_AFTER;
use reqwest::{Client, Response};

use super::provider::Outgoing;
use super::reply::{Fault, Reply};
use crate::http_client::{self, ReadError};

/// A verdict is a few kilobytes; thoughts beside it may be more.
const MOST_BYTES: usize = 1 << 20;

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
        let client = http_client::client(is_loopback)?;
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

async fn read(response: Response) -> Result<Received, Broken> {
    let status = response.status().as_u16();
    let retry_after = response.headers().get(RETRY_AFTER);
    let retry_after = retry_after.and_then(|value| Some(value.to_str().ok()?.to_owned()));
    let body = http_client::read(response, MOST_BYTES).await;
    let body = body.map_err(|error| match error {
        ReadError::Broken(error) => broken(error),
        ReadError::TooLong => Broken {
            fault: Fault::NoVerdict(format!("the answer is longer than {MOST_BYTES} bytes")),
            may_be_paid: true,
        },
    })?;
    Ok(Received {
        status,
        retry_after,
        body,
    })
}

fn broken(error: reqwest::Error) -> Broken {
    let may_be_paid = !error.is_connect() && !error.is_builder();
    Broken {
        fault: Fault::Trouble {
            why: http_client::causes(error),
            retry_after: None,
        },
        may_be_paid,
    }
}
