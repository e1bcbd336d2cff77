//! What came back from a provider, and what can become of it.

use std::fmt;
use std::time::Duration;

use serde_json::Value;

use super::provider::Dialect;
use super::verdict::ModelVerdict;

/// A provider that wants to be left alone for longer says nothing of use.
const LONGEST_SPAN: Duration = Duration::from_secs(7 * 24 * 3600);

/// What came back.
#[derive(Clone, Copy, Debug)]
pub struct Reply<'a> {
    /// The HTTP status.
    pub status: u16,
    /// `Retry-After`, if it is there.
    pub retry_after: Option<&'a str>,
    /// The body, as far as it is bounded.
    pub body: &'a [u8],
}

/// What a provider makes of a reply.
#[derive(Clone, Debug, PartialEq)]
pub struct Reading {
    /// What the model thinks, or why it does not say.
    pub verdict: Result<ModelVerdict, Fault>,
    /// What it counted. `None` when it did not take part: nothing is to be paid then.
    pub count: Option<TokenCount>,
}

impl Reading {
    /// It did not take part.
    pub(super) const fn fault(fault: Fault) -> Self {
        Self {
            verdict: Err(fault),
            count: None,
        }
    }
}

/// What the answer says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TokenCount {
    /// Which model answered, when it says so.
    pub model: Option<String>,
    /// Tokens that went in.
    pub prompt: Option<u64>,
    /// Tokens that came out, thinking included.
    pub completion: Option<u64>,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Truncated => f.write_str("the answer was cut off"),
            Self::Adapt(_) => f.write_str("the request was not understood"),
            Self::NoVerdict(why) => write!(f, "no verdict: {why}"),
            Self::Blocked(why) => write!(f, "blocked: {why}"),
            Self::TooLarge(why) => write!(f, "too large: {why}"),
            Self::Refused(why) => write!(f, "refused: {why}"),
            Self::Trouble { why, .. } => write!(f, "trouble: {why}"),
            Self::Rate { why, .. } => write!(f, "too many requests: {why}"),
            Self::ShutOut { why, .. } => write!(f, "shut out: {why}"),
        }
    }
}

/// Why there is no verdict. Texts are the provider's: for the log, once they are cleaned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The answer ends in the middle: with more room it may not.
    Truncated,
    /// An answer without a verdict in it: another try may have one.
    NoVerdict(String),
    /// The provider will not judge these pictures.
    Blocked(String),
    /// It wants the request otherwise.
    Adapt(Dialect),
    /// There is too much in the request.
    TooLarge(String),
    /// It does not accept this request, and will not accept it again.
    Refused(String),
    /// Trouble over there that passes by itself.
    Trouble {
        /// What it said.
        why: String,
        /// When to come again, if it said so.
        retry_after: Option<Duration>,
    },
    /// Too many requests.
    Rate {
        /// What it said.
        why: String,
        /// When to come again, if it said so.
        retry_after: Option<Duration>,
    },
    /// It does not take us in: the key, the plan, the model's name, the quota of the day. Somebody has to mend that.
    ShutOut {
        /// What it said.
        why: String,
        /// When to come again, if it said so.
        retry_after: Option<Duration>,
    },
}

/// `Retry-After` in seconds. A date is not read: what is told to our caller is a span.
pub(super) fn retry_after(reply: &Reply<'_>) -> Option<Duration> {
    let seconds = reply.retry_after?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds)).filter(|wait| *wait <= LONGEST_SPAN)
}

/// A span as Google's APIs write it: `21s`, `34.4s`.
pub(super) fn span(text: &str) -> Option<Duration> {
    let seconds: f64 = text.trim().strip_suffix('s')?.parse().ok()?;
    let span = Duration::try_from_secs_f64(seconds).ok()?;
    Some(span).filter(|span| *span <= LONGEST_SPAN)
}

/// The status of an error. One that came with 200 has it in the body, or else it is trouble of theirs.
pub(super) fn error_status(reply: &Reply<'_>, error: &Value) -> u16 {
    if reply.status != 200 {
        return reply.status;
    }
    let code = error.get("code").and_then(Value::as_u64);
    code.and_then(|code| u16::try_from(code).ok())
        .unwrap_or(500)
}

/// The text at this place, if there is one.
pub(super) fn str_at<'v>(value: &'v Value, pointer: &str) -> Option<&'v str> {
    value.pointer(pointer).and_then(Value::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_read_and_nonsense_is_none() {
        assert_eq!(span("21s"), Some(Duration::from_secs(21)));
        assert_eq!(span("34.4s"), Some(Duration::from_millis(34_400)));
        for nonsense in ["", "s", "21", "-1s", "NaNs", "infs", "1e300s", "21 m"] {
            assert_eq!(span(nonsense), None, "{nonsense}");
        }
        let after = |text| {
            retry_after(&Reply {
                status: 429,
                retry_after: Some(text),
                body: b"",
            })
        };
        assert_eq!(after(" 30 "), Some(Duration::from_secs(30)));
        assert_eq!(after("Wed, 21 Oct 2026 07:28:00 GMT"), None);
        assert_eq!(after("99999999999"), None);
    }
}
