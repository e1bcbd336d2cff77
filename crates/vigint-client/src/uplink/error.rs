//! Why the server did not do what was asked, sorted by what one can do about it.

use std::time::Duration;

use vigint_core::wire::ErrorBody;

use super::no_answer::in_words;

/// Why a request failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ApiError {
    /// Nothing was sent: there is no key.
    #[error("there is no API key: set VIGINT_API_KEY in .env or give --api-key")]
    NoKey,
    /// 401: this key will never do.
    #[error(
        "the server refused the API key: {0}. Check VIGINT_API_KEY; if it is right it was revoked, and whoever runs the server can give you a new one"
    )]
    KeyRefused(String),
    /// No answer: the network, TLS, a time limit.
    #[error("the server at {server} cannot be reached: {reason}")]
    Unreachable {
        /// Its address.
        server: String,
        /// In words.
        reason: String,
    },
    /// 429 and 5xx: the same request may be answered later.
    #[error("{} ({status}): {message}", what_is_wrong(*status))]
    Busy {
        /// The HTTP status.
        status: u16,
        /// The server's stable name for it, if it gave one.
        code: Option<String>,
        /// Its sentence.
        message: String,
        /// How long it asked to wait.
        retry_after: Option<Duration>,
    },
    /// Whatever answers there, it is not Vigint, or not at this address. A redirect is never followed.
    #[error("what answers at {server} is not a Vigint server: {reason}. Check the address")]
    NotVigint {
        /// Its address.
        server: String,
        /// What it answered.
        reason: String,
    },
    /// Any other 4xx: this request will never do.
    #[error("the server {} ({status}): {message}", how_it_refuses(*status))]
    Refused {
        /// The HTTP status.
        status: u16,
        /// The server's stable name for it, if it gave one.
        code: Option<String>,
        /// Its sentence.
        message: String,
    },
}

impl ApiError {
    /// A stable name in snake case, for programs: the server's own where it gave one.
    #[must_use]
    pub fn code(&self) -> &str {
        match self {
            Self::NoKey => "no_key",
            Self::KeyRefused(_) => "key_refused",
            Self::Unreachable { .. } => "server_unreachable",
            Self::NotVigint { .. } => "not_vigint",
            Self::Busy {
                code: Some(code), ..
            }
            | Self::Refused {
                code: Some(code), ..
            } => code,
            Self::Busy { .. } => "server_busy",
            Self::Refused { .. } => "refused",
        }
    }

    /// Whether the same request may do later.
    #[must_use]
    pub fn may_pass(&self) -> bool {
        matches!(
            self,
            Self::Unreachable { .. } | Self::Busy { .. } | Self::NotVigint { .. }
        )
    }

    /// How long the server asked to wait before the next try.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Busy { retry_after, .. } => *retry_after,
            _ => None,
        }
    }

    /// The error that an answer other than 200 means. `body` is what could be read of it.
    pub(super) fn of_answer(
        server: &str,
        status: u16,
        retry_after: Option<Duration>,
        body: &[u8],
    ) -> Self {
        let said = serde_json::from_slice::<ErrorBody>(body).ok();
        let sentence = said.as_ref().map(|body| body.error.to_string());
        let code = said
            .and_then(|body| body.code)
            .map(std::borrow::Cow::into_owned);
        match (status, sentence) {
            (401, sentence) => {
                Self::KeyRefused(sentence.unwrap_or_else(|| "401 Unauthorized".into()))
            }
            (429 | 500..=599, sentence) => Self::Busy {
                status,
                code,
                message: sentence.unwrap_or_else(|| "it did not say why".into()),
                retry_after,
            },
            (400..=499, Some(message)) => Self::Refused {
                status,
                code,
                message,
            },
            (300..=399, _) => Self::NotVigint {
                server: server.to_owned(),
                reason: format!(
                    "it redirects ({status}), which is not followed: give the address it redirects to"
                ),
            },
            _ => Self::NotVigint {
                server: server.to_owned(),
                reason: format!("it answers {status}"),
            },
        }
    }

    /// The error of a request that got no answer.
    pub(super) fn of_failure(server: &str, error: &reqwest::Error) -> Self {
        Self::Unreachable {
            server: server.to_owned(),
            reason: in_words(error, server.starts_with("http:")),
        }
    }
}

/// Of a server that may do it later.
fn what_is_wrong(status: u16) -> &'static str {
    match status {
        429 => "the server was asked too often and wants a pause",
        500 => "the server failed, and whoever runs it finds the cause in its log",
        502 => "the server got no good answer from a service that it needs",
        503 => "the server is overloaded or not ready",
        504 => "the server was not done in time",
        _ => "the server is busy or failing",
    }
}

/// Of a server that will never do it.
fn how_it_refuses(status: u16) -> &'static str {
    match status {
        403 => "knows the API key but does not let it do this",
        _ => "refused",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(status: u16, body: &str) -> ApiError {
        ApiError::of_answer(
            "http://s",
            status,
            Some(Duration::from_secs(7)),
            body.as_bytes(),
        )
    }

    #[test]
    fn statuses_are_sorted_by_what_can_be_done() {
        let refused = of(401, r#"{"error":"Invalid API key"}"#);
        assert!(matches!(&refused, ApiError::KeyRefused(said) if said == "Invalid API key"));
        assert!(!refused.may_pass());

        let failed = of(
            502,
            r#"{"error":"The provider failed","code":"analyzer_failed"}"#,
        );
        assert_eq!(
            (failed.code(), failed.may_pass()),
            ("analyzer_failed", true)
        );
        assert_eq!(failed.retry_after(), Some(Duration::from_secs(7)));
        assert!(of(429, "").may_pass() && of(504, "<html>").may_pass());

        let refused = of(413, r#"{"error":"At most 8 MiB","code":"too_large"}"#);
        assert_eq!((refused.code(), refused.may_pass()), ("too_large", false));
        assert_eq!(
            refused.to_string(),
            "the server refused (413): At most 8 MiB"
        );

        for (status, words) in [
            (
                403,
                "the server knows the API key but does not let it do this (403): no",
            ),
            (
                429,
                "the server was asked too often and wants a pause (429): no",
            ),
            (
                500,
                "the server failed, and whoever runs it finds the cause in its log (500): no",
            ),
            (503, "the server is overloaded or not ready (503): no"),
            (507, "the server is busy or failing (507): no"),
        ] {
            assert_eq!(of(status, r#"{"error":"no"}"#).to_string(), words);
        }

        assert_eq!(of(302, "").code(), "not_vigint");
        assert_eq!(of(404, "<html>nginx</html>").code(), "not_vigint");
    }
}
