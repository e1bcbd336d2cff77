//! Why the server did not do what was asked, sorted by what one can do about it.

use std::time::Duration;

use vigint_core::text::plain_line;
use vigint_core::wire::ErrorBody;

use super::no_answer::{NO_ANSWER_IN_TIME, in_words};

/// What `deploy/nginx.conf` says in the place of a Vigint that does not answer.
const UNAVAILABLE: &str = "unavailable";
/// The longest name of an error.
const MAX_CODE_BYTES: usize = 64;

/// Why a request failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ApiError {
    /// Nothing was sent: there is no key.
    #[error("there is no API key: set VIGINT_API_KEY in .env or give --api-key")]
    NoKey,
    /// 401: this key will never do.
    #[error(
        "the server refused the API key: {0}. Check VIGINT_API_KEY; if it is right, the key was revoked or has expired or the account is suspended: whoever runs the server can tell, and give you a new one"
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
    /// 408, 429 and 5xx: the same request may be answered later.
    #[error("{}", words_of_busy(*status, code.as_deref(), message))]
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
    #[error("{} ({status}): {message}", words_of_refused(*status))]
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

    /// Whether it means that there is no server to talk to: nothing answers, or only what stands before it.
    pub(crate) fn is_away(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::NotVigint { .. } => true,
            // A proxy may say it of itself: it has too much to do.
            Self::Busy {
                status: 503,
                code: None,
                ..
            } => false,
            Self::Busy { status, .. } => *status >= 500 && self.is_of_proxy(),
            _ => false,
        }
    }

    /// Whether it is not Vigint's own word: Vigint always gives its name for what is wrong, and that is another one.
    pub(crate) fn is_of_proxy(&self) -> bool {
        match self {
            Self::Busy { code, .. } => code.as_deref().is_none_or(|code| code == UNAVAILABLE),
            _ => false,
        }
    }

    /// Whether something was there that took too long to answer.
    pub(crate) fn is_late(&self) -> bool {
        match self {
            Self::Unreachable { reason, .. } => reason.starts_with(NO_ANSWER_IN_TIME),
            Self::Busy { status, .. } => *status == 504,
            _ => false,
        }
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
        let sentence = said.as_ref().map(|body| plain_line(&body.error));
        let code = said
            .and_then(|body| body.code)
            .filter(|code| is_name(code))
            .map(std::borrow::Cow::into_owned);
        match (status, sentence) {
            (401, Some(sentence)) => Self::KeyRefused(sentence),
            // Vigint always gives its reason: this key may be as good as ever.
            (401, None) => Self::NotVigint {
                server: server.to_owned(),
                reason: "something before it, such as a proxy or a network's portal, asks for a login (401)"
                    .to_owned(),
            },
            (408 | 429 | 500..=599, sentence) => Self::Busy {
                status,
                code,
                message: sentence.unwrap_or_else(|| "no reason is given".into()),
                retry_after,
            },
            (400..=499, Some(message)) => Self::Refused {
                status,
                code,
                message,
            },
            // Not Vigint's own word, but smaller requests may well reach it.
            (413, None) => Self::Refused {
                status,
                code,
                message: "something before it, such as a proxy, takes nothing this large"
                    .to_owned(),
            },
            (300..=399, _) => Self::NotVigint {
                server: server.to_owned(),
                reason: format!(
                    "it redirects ({status}), which is not followed: give the address it redirects to"
                ),
            },
            (403, None) => Self::NotVigint {
                server: server.to_owned(),
                reason: "something before it, such as a firewall or a proxy, forbids access (403)"
                    .to_owned(),
            },
            _ => Self::NotVigint {
                server: server.to_owned(),
                reason: format!("it answers {status}"),
            },
        }
    }

    /// The error of a request that got no answer, by way of `proxy` if there is one. Of a server that never gave a good
    /// answer, `is_first`, it is not known yet what it is.
    pub(super) fn of_failure(
        server: &str,
        proxy: Option<&str>,
        is_first: bool,
        error: &reqwest::Error,
    ) -> Self {
        let mut reason = in_words(error, is_first && server.starts_with("http:"));
        if let Some(proxy) = proxy {
            reason.push_str(&format!(
                " (by way of the proxy {proxy}, which the environment names in HTTPS_PROXY, HTTP_PROXY or ALL_PROXY)"
            ));
        }
        Self::Unreachable {
            server: server.to_owned(),
            reason,
        }
    }
}

/// What 408, 429 or a status from 500 up means for whoever runs a camera.
fn words_of_busy(status: u16, code: Option<&str>, message: &str) -> String {
    let meaning = match (status, code) {
        (408, _) => {
            "the network is too slow for what is sent: fewer frames a second (--fps), narrower ones (--width) or a coarser --quality help"
        }
        (429, _) => {
            "the server takes no more for now: this key sends too much at once; fewer frames a second (--fps) or fewer cameras help"
        }
        (502 | 504, None) | (_, Some(UNAVAILABLE)) => {
            "the server is there, and what stands before it (a proxy) gets no answer from Vigint"
        }
        (502, _) => "the server's analysis service failed",
        (503, _) => "the server is overloaded or being worked on",
        _ => "something is wrong inside the server, and whoever runs it finds the cause in its log",
    };
    format!("{meaning} ({status}): {message}")
}

/// Whether it is a name as Vigint gives them: whatever answers may send another text of any length.
fn is_name(code: &str) -> bool {
    let is_letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    (1..=MAX_CODE_BYTES).contains(&code.len()) && code.bytes().all(is_letter)
}

/// What another 4xx means.
fn words_of_refused(status: u16) -> &'static str {
    match status {
        403 => "the server knows the API key but does not let it do this",
        _ => "the server refused",
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
    fn each_kind_of_busy_is_told_in_words_and_only_a_proxy_counts_as_away() {
        for (status, body, words, is_away) in [
            (
                429,
                r#"{"error":"Too many requests","code":"rate_limited"}"#,
                "--fps",
                false,
            ),
            (408, "", "too slow", false),
            (429, "", "--fps", false),
            (
                503,
                r#"{"error":"Busy","code":"busy"}"#,
                "overloaded",
                false,
            ),
            (503, "<html>", "overloaded", false),
            (500, "<html>", "inside the server", true),
            (502, "<html>", "a proxy", true),
            (
                503,
                r#"{"error":"The server cannot be reached","code":"unavailable"}"#,
                "a proxy",
                true,
            ),
            (504, "", "a proxy", true),
            (
                502,
                r#"{"error":"x","code":"analyzer_failed"}"#,
                "analysis service",
                false,
            ),
            (
                500,
                r#"{"error":"x","code":"internal"}"#,
                "inside the server",
                false,
            ),
        ] {
            let error = of(status, body);
            let said = error.to_string();
            assert!(
                said.contains(words) && said.contains(&status.to_string()),
                "{said}"
            );
            assert_eq!(error.is_away(), is_away, "{said}");
        }
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

        for (status, body, words) in [
            (
                403,
                r#"{"error":"no"}"#,
                "the server knows the API key but does not let it do this (403): no",
            ),
            (
                429,
                r#"{"error":"no"}"#,
                "the server takes no more for now: this key sends too much at once; fewer frames a second (--fps) or fewer cameras help (429): no",
            ),
            (
                503,
                r#"{"error":"no","code":"overloaded"}"#,
                "the server is overloaded or being worked on (503): no",
            ),
            (
                504,
                r#"{"error":"no"}"#,
                "the server is there, and what stands before it (a proxy) gets no answer from Vigint (504): no",
            ),
        ] {
            assert_eq!(of(status, body).to_string(), words);
        }
        assert!(
            of(403, "<html>")
                .to_string()
                .contains("a firewall or a proxy")
        );
        let of_proxy = of(401, "<html>nginx</html>");
        assert!(of_proxy.to_string().contains("asks for a login (401)"));
        assert!(
            of_proxy.may_pass() && of_proxy.is_away(),
            "no end of the key"
        );
        assert_eq!(of(413, "<html>").code(), "refused");
        assert_eq!(of(302, "").code(), "not_vigint");
        assert_eq!(of(404, "<html>nginx</html>").code(), "not_vigint");
    }

    #[test]
    fn a_server_that_is_late_is_told_from_one_that_cannot_be_reached() {
        let unreachable = |reason: &str| ApiError::Unreachable {
            server: "http://s".into(),
            reason: reason.into(),
        };
        assert!(unreachable(NO_ANSWER_IN_TIME).is_late() && of(504, "").is_late());
        assert!(!unreachable("no connection in time").is_late() && !of(502, "").is_late());
    }

    #[test]
    fn a_code_that_is_no_name_is_none() {
        let code = |code: &str| {
            let body = serde_json::json!({"error": "x", "code": code}).to_string();
            of(422, &body).code().to_owned()
        };
        let longest = "a".repeat(64);
        for name in ["too_large", "e2", &longest] {
            assert_eq!(code(name), name);
        }
        for other in ["", "Too large", "x\u{1b}[2J", "é", &format!("{longest}a")] {
            assert_eq!(code(other), "refused", "{other}");
        }
    }
}
