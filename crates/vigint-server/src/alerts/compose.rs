//! What mails about incidents say, in the client's language and time zone: one incident, or those that were held back.
//!
//! All texts are cleaned where they are kept, and once more here: a row from elsewhere may not turn a mail's head or
//! put a link into it. The only links are our own.

mod clip;
mod digest;
mod incident;
#[cfg(test)]
pub(super) mod tests;
mod words;

use vigint_core::clock::UtcTime;
use vigint_core::text::clean_line;
use vigint_db::clients::ClientRow;

pub(super) use self::clip::{ClipNews, WhyNoClip};
pub(super) use self::digest::{Digest, DigestMail, HeldLine};
pub(super) use self::incident::{IncidentMail, IncidentNews};
pub(super) use self::words::keep_safe;
use super::message::{day_and_minute, day_and_second};

/// How many letters of a kind of incident or of a camera's name a subject shows: telephones show no more.
const MAX_SUBJECT_PART: usize = 60;

/// How grave it is, as a word on its own ground: the same by day and by night.
struct Risk {
    words: String,
    /// Colours of at least 4.5:1 to each other.
    style: &'static str,
}

/// A kind or a name for a subject.
pub(super) fn subject_part(text: &str) -> String {
    let line = clean_line(text);
    if line.chars().count() <= MAX_SUBJECT_PART {
        return line;
    }
    let kept: String = line.chars().take(MAX_SUBJECT_PART - 1).collect();
    // What was cut may look like a link that it was not.
    clean_line(&format!("{}…", kept.trim_end()))
}

fn second(at: UtcTime, client: &ClientRow) -> String {
    day_and_second(at, client.locale, &client.time_zone)
}

fn minute(at: UtcTime, client: &ClientRow) -> String {
    day_and_minute(at, client.locale, &client.time_zone)
}
