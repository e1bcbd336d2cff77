//! One request and its answer, read within bounds. It must not know what is asked nor what an answer means.

use std::time::Duration;

use reqwest::header::{HeaderMap, RETRY_AFTER};
use reqwest::{RequestBuilder, Response};

/// The most bytes of an answer that are read.
const MAX_ANSWER_BYTES: usize = 8 * 1024 * 1024;
/// A server that asks for more patience than this is asked again all the same.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(300);

/// An answer as far as it was read.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) retry_after: Option<Duration>,
    pub(super) body: Vec<u8>,
}

/// Whether a request is made again.
#[derive(Clone, Copy, Debug)]
pub(super) enum Repeat {
    Never,
    OnDeadConnection,
}

/// Asks. A kept connection may be dead without anybody knowing (the server was restarted, a router forgot it): what it
/// lost is sent once more, on another one. Not so what must not be done twice.
pub(super) async fn exchange(
    request: RequestBuilder,
    repeat: Repeat,
) -> Result<Answer, reqwest::Error> {
    let spare = match repeat {
        Repeat::OnDeadConnection => request.try_clone(),
        Repeat::Never => None,
    };
    match (once(request).await, spare) {
        (Err(error), Some(spare)) if !error.is_timeout() && !error.is_connect() => {
            once(spare).await
        }
        (answer, _) => answer,
    }
}

async fn once(request: RequestBuilder) -> Result<Answer, reqwest::Error> {
    let mut response = request.send().await?;
    let body = read_bounded(&mut response).await?;
    Ok(Answer {
        status: response.status().as_u16(),
        retry_after: retry_after(response.headers()),
        body,
    })
}

/// The body, cut at [`MAX_ANSWER_BYTES`].
pub(super) async fn read_bounded(answer: &mut Response) -> Result<Vec<u8>, reqwest::Error> {
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
pub(super) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers
        .get(RETRY_AFTER)?
        .to_str()
        .ok()?
        .trim()
        .parse()
        .ok()?;
    Some(Duration::from_secs(seconds).min(MAX_RETRY_AFTER))
}

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderValue;

    use super::*;

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
