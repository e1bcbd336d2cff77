//! The film of an incident, as it comes in from the server, whole or from where an earlier try broke off.

use std::time::Duration;

use reqwest::Response;
use reqwest::header::{CONTENT_RANGE, CONTENT_TYPE, ETAG, HeaderMap, IF_RANGE, RANGE};
use tokio::time::timeout;
use vigint_core::ids::IncidentId;

use super::exchange::{read_bounded, retry_after};
use super::no_answer::NO_ANSWER_IN_TIME;
use super::{ApiError, Uplink};

/// For all of a film over a slow line.
const FILM_LIMIT: Duration = Duration::from_secs(30 * 60);
/// For the next piece of it.
const PIECE_LIMIT: Duration = Duration::from_secs(30);
/// When the server does not say when to ask again.
const MADE_SOON: Duration = Duration::from_secs(2);

/// What the server has of a film.
#[derive(Debug)]
pub(crate) enum Film {
    /// It comes.
    Coming(ComingFilm),
    /// It is being made; ask again after this time.
    BeingMade(Duration),
}

/// A film that comes in.
#[derive(Debug)]
pub(crate) struct ComingFilm {
    response: Response,
    server: String,
    /// The first byte that comes; 0 unless it goes on where an earlier try broke off.
    pub(crate) from: u64,
    /// Bytes of the whole film, when the server says so.
    pub(crate) length: Option<u64>,
    /// What tells this film from another one under the same id.
    pub(crate) tag: Option<String>,
}

impl ComingFilm {
    /// The next piece; `None` at the end.
    pub(crate) async fn next(&mut self) -> Result<Option<bytes::Bytes>, ApiError> {
        match timeout(PIECE_LIMIT, self.response.chunk()).await {
            Ok(Ok(piece)) => Ok(piece),
            Ok(Err(error)) => Err(ApiError::of_failure(&self.server, None, false, &error)),
            Err(_) => Err(ApiError::Unreachable {
                server: self.server.clone(),
                reason: format!(
                    "nothing more of the film came for {} seconds",
                    PIECE_LIMIT.as_secs()
                ),
            }),
        }
    }
}

impl Uplink {
    /// `GET /api/incidents/{id}/clip`, from this byte on if it still is the film with this tag, else from its start.
    pub(crate) async fn film(
        &self,
        id: IncidentId,
        from: u64,
        tag: Option<&str>,
    ) -> Result<Film, ApiError> {
        if !self.has_key {
            return Err(ApiError::NoKey);
        }
        let mut request = self
            .http
            .get(self.url(&format!("api/incidents/{id}/clip")))
            .timeout(FILM_LIMIT);
        if let (Some(tag), 1..) = (tag, from) {
            request = request
                .header(RANGE, format!("bytes={from}-"))
                .header(IF_RANGE, tag);
        }
        let failure = |error: reqwest::Error| self.failure(&error);
        let mut response = timeout(PIECE_LIMIT, request.send())
            .await
            .map_err(|_| ApiError::Unreachable {
                server: self.server().to_owned(),
                reason: NO_ANSWER_IN_TIME.to_owned(),
            })?
            .map_err(failure)?;
        let status = response.status().as_u16();
        match status {
            200 | 206 => {}
            202 => {
                let wait = retry_after(response.headers());
                return Ok(Film::BeingMade(wait.unwrap_or(MADE_SOON)));
            }
            _ => {
                let wait = retry_after(response.headers());
                let body = timeout(PIECE_LIMIT, read_bounded(&mut response)).await;
                let body = body.ok().and_then(Result::ok).unwrap_or_default();
                return Err(ApiError::of_answer(self.server(), status, wait, &body));
            }
        }
        let headers = response.headers();
        // A portal of some network answers everything with a page of its own.
        if !text(headers, &CONTENT_TYPE).is_some_and(|kind| kind.starts_with("video/")) {
            return Err(self.not_a_film("its answer is no film"));
        }
        let (from, length) = if status == 206 {
            let range = text(headers, &CONTENT_RANGE).and_then(parse_range);
            let (start, length) = range
                .ok_or_else(|| self.not_a_film("it does not say which part of the film comes"))?;
            if start != from {
                return Err(self.not_a_film("it answers with another part of the film"));
            }
            (start, length)
        } else {
            (0, response.content_length())
        };
        Ok(Film::Coming(ComingFilm {
            from,
            length,
            tag: text(headers, &ETAG).map(str::to_owned),
            server: self.server().to_owned(),
            response,
        }))
    }

    fn not_a_film(&self, reason: &str) -> ApiError {
        ApiError::NotVigint {
            server: self.server().to_owned(),
            reason: reason.to_owned(),
        }
    }
}

fn text<'h>(headers: &'h HeaderMap, name: &reqwest::header::HeaderName) -> Option<&'h str> {
    headers.get(name)?.to_str().ok()
}

/// `bytes 5-9/10`: where it begins, and the length of the whole unless that is `*`.
fn parse_range(range: &str) -> Option<(u64, Option<u64>)> {
    let (part, whole) = range.strip_prefix("bytes ")?.split_once('/')?;
    let (start, _) = part.split_once('-')?;
    Some((start.parse().ok()?, whole.parse().ok()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_a_film_say_where_they_begin() {
        assert_eq!(parse_range("bytes 5-9/10"), Some((5, Some(10))));
        assert_eq!(parse_range("bytes 5-9/*"), Some((5, None)));
        assert_eq!(parse_range("bytes */10"), None);
        assert_eq!(parse_range("lines 1-2/3"), None);
    }
}
