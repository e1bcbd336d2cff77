//! The one table of errors: what a caller reads and with which status.
//!
//! Causes go to the log with the request's id; a caller never sees the text of an exception, a path of
//! the server or SQL.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderValue};
use actix_web::{HttpResponse, ResponseError};
use vigint_core::text::sentence;
use vigint_core::wire::ErrorBody;
use vigint_db::DbError;
use vigint_db::admin::AdminError;

use super::rate::Wait;
use crate::analysis::AnalyzerError;
use crate::buffer::BufferError;
use crate::incidents::{DetectError, ReviewError};

/// Seconds after which a caller may try again when nobody knows better.
const RETRY_SOON: u64 = 2;

macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident = $status:literal $name:literal $message:literal),+ $(,)?) => {
        /// Every way a request can fail.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(super) enum Code {
            $($(#[$doc])* $variant,)+
        }

        impl Code {
            const fn row(self) -> (u16, &'static str, &'static str) {
                match self { $(Self::$variant => ($status, $name, $message),)+ }
            }

            #[cfg(test)]
            const ALL: &'static [Self] = &[$(Self::$variant),+];
        }
    };
}

codes! {
    // The first five are promised to the letter and have no code.
    KeyRequired = 401 "" "API key required",
    InvalidKey = 401 "" "Invalid API key",
    AdminKeyRequired = 401 "" "Admin key required",
    InvalidAdminKey = 401 "" "Invalid admin key",
    AccessDenied = 403 "" "Access denied",
    LinkRefused = 403 "link_refused" "This link is not valid or has expired",
    LinkTokenRequired = 401 "link_token_required" "This link has no token",

    Malformed = 400 "malformed" "The request is malformed",
    BadCursor = 400 "bad_cursor" "The cursor is not one that this server gave out",
    NotFound = 404 "not_found" "Not found",
    NoClip = 404 "no_clip" "There is no clip",
    MethodNotAllowed = 405 "method_not_allowed" "This path does not take that method",
    RequestTimeout = 408 "request_timeout" "The body did not arrive in time",
    NoFrames = 409 "no_frames" "Nothing is buffered for this source: send frames first",
    EmailTaken = 409 "email_taken" "A client has that e-mail address already",
    KeyNotLive = 409 "key_not_live" "The key is not honoured any more",
    SeveralKeys = 409 "several_keys" "The client has several keys that are honoured: say which",
    ForbiddenTransition = 409 "forbidden_transition" "The incident cannot take that step",
    PreconditionFailed = 412 "precondition_failed" "The clip is not the one that this request asks for",
    TooLarge = 413 "too_large" "The body is too large",
    UnsupportedMediaType = 415 "unsupported_media_type" "Send application/json or image/jpeg",
    RangeNotSatisfiable = 416 "range_not_satisfiable" "The clip has no such bytes: Content-Range says how many it has",
    NotAJpeg = 422 "not_a_jpeg" "The frame is not a JPEG",
    TooManyPixels = 422 "too_many_pixels" "The frame has too many pixels",
    InvalidField = 422 "invalid_field" "A field has a value that is not accepted",
    TooManySources = 422 "too_many_sources" "Too many sources",
    RateLimited = 429 "rate_limited" "Too many requests",
    Internal = 500 "internal" "Something went wrong here; the request id finds it in our log",
    AnalyzerFailed = 502 "analyzer_failed" "The analyzer failed: there is no verdict",
    AnalyzerUnavailable = 503 "analyzer_unavailable" "The analyzer cannot be reached: there is no verdict",
    Busy = 503 "busy" "The server is busy: try again shortly",
}

/// An error on its way to a caller.
#[derive(Clone, Debug)]
pub(super) struct ApiError {
    code: Code,
    message: Cow<'static, str>,
    retry_after_seconds: Option<u64>,
}

impl ApiError {
    /// The error as the table has it.
    pub(super) fn new(code: Code) -> Self {
        let (status, _, message) = code.row();
        Self {
            code,
            message: Cow::Borrowed(message),
            retry_after_seconds: (status == 503 || status == 429).then_some(RETRY_SOON),
        }
    }

    /// The same with a sentence that says more.
    pub(super) fn saying(code: Code, message: impl Into<Cow<'static, str>>) -> Self {
        Self {
            message: message.into(),
            ..Self::new(code)
        }
    }

    /// The same, said of one frame of a batch.
    pub(super) fn in_frame(mut self, index: usize) -> Self {
        self.message = Cow::Owned(format!("frames[{index}]: {}", self.message));
        self
    }

    /// Too many requests: when there is room again.
    pub(super) fn rate_limited(wait: Wait) -> Self {
        Self::new(Code::RateLimited).retry_after(Some(wait.seconds()))
    }

    /// Whether it says that there were too many.
    pub(super) fn is_rate_limited(&self) -> bool {
        self.code == Code::RateLimited
    }

    fn retry_after(mut self, seconds: Option<u64>) -> Self {
        self.retry_after_seconds = seconds.or(self.retry_after_seconds);
        self
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl ResponseError for ApiError {
    fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.code.row().0).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    fn error_response(&self) -> HttpResponse {
        let (_, name, _) = self.code.row();
        let mut response = HttpResponse::build(self.status_code());
        match self.code {
            Code::KeyRequired => {
                response.insert_header((header::WWW_AUTHENTICATE, "Bearer"));
            }
            Code::InvalidKey => {
                let challenge = HeaderValue::from_static("Bearer error=\"invalid_token\"");
                response.insert_header((header::WWW_AUTHENTICATE, challenge));
            }
            _ => {}
        }
        if let Some(seconds) = self.retry_after_seconds {
            response.insert_header((header::RETRY_AFTER, seconds));
        }
        response.json(ErrorBody {
            error: self.message.clone(),
            code: (!name.is_empty()).then_some(Cow::Borrowed(name)),
        })
    }
}

impl From<DbError> for ApiError {
    fn from(error: DbError) -> Self {
        match error {
            DbError::BadCursor => Self::new(Code::BadCursor),
            DbError::Forbidden(step) => {
                Self::saying(Code::ForbiddenTransition, sentence(&step.to_string()))
            }
            DbError::Busy => {
                tracing::warn!("no database connection was free in time");
                Self::new(Code::Busy)
            }
            other => {
                tracing::error!(error = %other, "the database failed");
                Self::new(Code::Internal)
            }
        }
    }
}

impl From<AdminError> for ApiError {
    fn from(error: AdminError) -> Self {
        let code = match &error {
            AdminError::Details(_) | AdminError::KeyRequest(_) => Code::InvalidField,
            AdminError::NoClient(_)
            | AdminError::NoKey(_)
            | AdminError::NoAlert(_)
            | AdminError::KeyOfAnother { .. } => Code::NotFound,
            AdminError::EmailTaken(_) => Code::EmailTaken,
            AdminError::KeyIsDead(_) | AdminError::KeyNotLive(_) | AdminError::NoLiveKey(_) => {
                Code::KeyNotLive
            }
            AdminError::SeveralLiveKeys { .. } => Code::SeveralKeys,
            AdminError::NotToRetry { .. } => Code::ForbiddenTransition,
            AdminError::Database(_) => Code::Internal,
        };
        match error {
            AdminError::Database(error) => error.into(),
            // The names of fields stay as they are written.
            AdminError::Details(_) | AdminError::KeyRequest(_) => {
                Self::saying(code, error.to_string())
            }
            other => Self::saying(code, sentence(&other.to_string())),
        }
    }
}

impl From<BufferError> for ApiError {
    fn from(error: BufferError) -> Self {
        match error {
            BufferError::TooManySources { max } => Self::saying(
                Code::TooManySources,
                format!("source_id: this client already has {max} sources, the most it may have"),
            ),
        }
    }
}

impl From<DetectError> for ApiError {
    fn from(error: DetectError) -> Self {
        match error {
            DetectError::NoFrames => Self::new(Code::NoFrames),
            DetectError::Analyzer { error, .. } => error.into(),
            DetectError::Busy | DetectError::Late => Self::new(Code::Busy),
            DetectError::Database(error) => match *error {
                DbError::Busy => Self::new(Code::Busy),
                _ => internal(&error),
            },
            DetectError::Lost => internal(&error),
        }
    }
}

impl From<AnalyzerError> for ApiError {
    fn from(error: AnalyzerError) -> Self {
        match error {
            AnalyzerError::Unavailable { retry_after, .. } => {
                Self::new(Code::AnalyzerUnavailable).retry_after(retry_after.map(whole_seconds))
            }
            AnalyzerError::NothingLeft => Self::new(Code::AnalyzerUnavailable),
            AnalyzerError::Failed(_)
            | AnalyzerError::Rejected(_)
            | AnalyzerError::Undecodable { .. }
            | AnalyzerError::TimedOut => Self::new(Code::AnalyzerFailed),
        }
    }
}

/// Rounded up: who comes a moment too early is sent away again.
fn whole_seconds(wait: Duration) -> u64 {
    let is_more = wait.subsec_nanos() > 0;
    (wait.as_secs() + u64::from(is_more)).max(1)
}

impl From<ReviewError> for ApiError {
    fn from(error: ReviewError) -> Self {
        match error {
            ReviewError::NotFound => Self::new(Code::NotFound),
            ReviewError::NoClip | ReviewError::ClipPending => Self::new(Code::NoClip),
            ReviewError::FolderAway => Self::new(Code::Busy),
            ReviewError::Database(error) => error.into(),
            ReviewError::Disk(error) => internal(&error),
        }
    }
}

/// 405, with the methods that the path does take (RFC 9110, section 15.5.6).
pub(super) fn method_not_allowed(allowed: &str) -> HttpResponse {
    let mut response = ApiError::new(Code::MethodNotAllowed).error_response();
    if let Ok(allowed) = HeaderValue::from_str(allowed) {
        response.headers_mut().insert(header::ALLOW, allowed);
    }
    response
}

/// A failure of ours: the cause is logged, the caller gets none of it.
pub(super) fn internal(cause: &dyn fmt::Display) -> ApiError {
    tracing::error!(%cause, "a request failed");
    ApiError::new(Code::Internal)
}

/// A field, or a parameter of the URL, whose value is not accepted.
pub(super) fn invalid(field: &str, why: &dyn fmt::Display) -> ApiError {
    let why = why.to_string();
    let message = if why.starts_with(field) {
        why
    } else {
        format!("{field}: {why}")
    };
    ApiError::saying(Code::InvalidField, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_snake_case_and_have_a_real_status() {
        let mut names: Vec<_> = Code::ALL.iter().map(|code| code.row().1).collect();
        names.retain(|name| !name.is_empty());
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
        for code in Code::ALL {
            let (status, name, message) = code.row();
            assert!((400..600).contains(&status));
            assert!(name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'));
            assert!(!message.is_empty());
        }
    }

    #[test]
    fn an_analysis_that_failed_is_written_down_as_it_is_answered() {
        let unavailable = AnalyzerError::Unavailable {
            reason: String::new(),
            retry_after: None,
        };
        for error in [
            AnalyzerError::Failed(String::new()),
            AnalyzerError::Rejected(String::new()),
            AnalyzerError::TimedOut,
            AnalyzerError::Undecodable { bad: 2, of: 3 },
            AnalyzerError::NothingLeft,
            unavailable,
        ] {
            let status = error.status_code();
            assert_eq!(ApiError::from(error).status_code().as_u16(), status);
        }
    }

    #[test]
    fn every_429_and_503_says_when_to_come_back() {
        let comes_back = |code: &&Code| matches!(code.row().0, 429 | 503);
        for code in Code::ALL.iter().filter(comes_back) {
            assert!(ApiError::new(*code).retry_after_seconds.is_some());
        }
    }
}
