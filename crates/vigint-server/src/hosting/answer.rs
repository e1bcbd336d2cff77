//! What the hosting service answers.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde_json::Value;
use url::Url;
use vigint_core::clock::UtcTime;
use vigint_core::key::Secret;
use vigint_core::secrecy::{self, HIDDEN};
use vigint_core::text::plain_line;
use vigint_db::clips::HostedFilm;

use super::error::UploadError;
use crate::http_client::is_loopback;

/// A longer name or link is none.
const MOST_LETTERS: usize = 2048;

/// What an answer is read against.
pub(super) struct Asked<'a> {
    /// When the film was handed over.
    pub(super) at: UtcTime,
    /// Until when it was to stay.
    pub(super) until: UtcTime,
    /// What it was handed over with.
    pub(super) key: &'a Secret,
    /// Whether the service is on this machine.
    pub(super) is_loopback: bool,
}

/// The film as the service has it now.
///
/// # Errors
/// When the service did not take it, or its answer cannot be used.
pub(super) fn read(status: u16, body: &[u8], asked: &Asked<'_>) -> Result<HostedFilm, UploadError> {
    let answer: Option<Value> = serde_json::from_slice(body).ok();
    let words = || words(answer.as_ref(), asked.key);
    match status {
        200..=299 => {}
        300..=399 => return Err(UploadError::Elsewhere(status)),
        401 | 403 => {
            return Err(UploadError::Key {
                status,
                words: words(),
            });
        }
        408 | 425 | 429 | 500.. => {
            return Err(UploadError::Trouble {
                status,
                words: words(),
            });
        }
        _ => {
            return Err(UploadError::Refused {
                status,
                words: words(),
            });
        }
    }
    let Some(answer) = &answer else {
        return Err(UploadError::Answer("it is no JSON"));
    };
    match answer.get("success") {
        Some(Value::Bool(true)) => {}
        Some(Value::Bool(false)) => {
            return Err(UploadError::Refused {
                status,
                words: words(),
            });
        }
        _ => {
            return Err(UploadError::Answer(
                "it does not say whether it was a success",
            ));
        }
    }
    let text = |name| {
        let text = answer.get(name).and_then(Value::as_str);
        text.filter(|text| !text.is_empty() && text.len() <= MOST_LETTERS)
    };
    let id = text("video_id").map(plain_line);
    // It is shown to people and stands in logs.
    let id = id.filter(|id| !id.contains("://") && !id.contains(asked.key.reveal()));
    let id = id.ok_or(UploadError::Answer("it has no video_id"))?;
    let url = text("private_link").ok_or(UploadError::Answer("it has no private_link"))?;
    if !may_be_mailed(url, asked.is_loopback) {
        return Err(UploadError::Answer("its private_link is no https address"));
    }
    let until = text("expiration_time").and_then(time);
    let until = until.unwrap_or(asked.until);
    if until <= asked.at {
        return Err(UploadError::Answer("its expiration_time is past"));
    }
    Ok(HostedFilm {
        id,
        url: Secret::new(url),
        until,
    })
}

/// Whether it can be given to a person: a whole web address, https, without a login. Only a service on this machine may
/// name this machine, and that without https: elsewhere such an address would be the reader's own machine.
fn may_be_mailed(link: &str, of_loopback: bool) -> bool {
    let is_plain = link.bytes().all(|byte| byte.is_ascii_graphic());
    let Some(url) = Url::parse(link).ok().filter(|_| is_plain) else {
        return false;
    };
    let is_private = match (is_loopback(&url), url.scheme()) {
        (true, "http" | "https") => of_loopback,
        (false, scheme) => scheme == "https",
        _ => false,
    };
    is_private && url.username().is_empty() && url.password().is_none()
}

/// A time as services write it: RFC 3339, or the same without an offset, which is then UTC.
fn time(text: &str) -> Option<UtcTime> {
    let with_offset = text.parse::<Timestamp>().ok();
    let of_utc = || {
        let date: DateTime = text.parse().ok()?;
        Some(date.to_zoned(TimeZone::UTC).ok()?.timestamp())
    };
    let time = with_offset.or_else(of_utc)?;
    Some(UtcTime::from_unix_millis(time.as_millisecond()))
}

/// What the service says of its refusal, fit for a log: one short line behind a colon, without our key, addresses (which
/// may be private links) and what else looks like a secret; empty when it says nothing.
fn words(answer: Option<&Value>, key: &Secret) -> String {
    let said = ["error", "message", "detail"]
        .into_iter()
        .find_map(|name| answer?.get(name)?.as_str());
    let Some(said) = said.filter(|said| !said.trim().is_empty()) else {
        return String::new();
    };
    // Only without what is invisible is a key that is split by it found.
    let line = plain_line(said).replace(key.reveal(), HIDDEN);
    let words = line.split(' ').map(|word| match word.contains("://") {
        true => HIDDEN,
        false => word,
    });
    let line = words.collect::<Vec<_>>().join(" ");
    format!(": {}", secrecy::without(&line, line.split(' ')))
}
