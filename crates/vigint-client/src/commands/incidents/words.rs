//! What an incident holds, in words: times where this machine is, sizes, states.

use std::fmt::Write as _;

use jiff::tz::TimeZone;
use vigint_core::clock::UtcTime;
use vigint_core::incident::{ClipState, Triage};
use vigint_core::text::plain_line;
use vigint_core::verdict::Confirmation;
use vigint_core::wire::{ClipInfo, IncidentInfo};

/// Letters of a line of text.
const LINE: usize = 100;

/// Such as `2026-11-22 16:40:03 CET`, where this machine is.
pub(super) fn moment(at: UtcTime) -> String {
    let at = at.timestamp().to_zoned(TimeZone::system());
    at.strftime("%Y-%m-%d %H:%M:%S %Z").to_string()
}

/// Where its film can be watched.
pub(super) fn link(incident: &IncidentInfo) -> Option<String> {
    let url = incident.video_url.as_deref()?;
    Some(url.replace(char::is_control, ""))
}

pub(super) fn of_status(status: Triage) -> &'static str {
    match status {
        Triage::New => "new: nobody has looked at it yet",
        Triage::Acknowledged => "acknowledged: somebody has seen it and goes on",
        Triage::Dismissed => "dismissed: it was nothing",
        Triage::Resolved => "resolved: it has been dealt with",
        Triage::Vetoed => "vetoed: the second look said no; nobody was alerted",
    }
}

pub(super) fn of_confirmation(confirmation: Confirmation) -> &'static str {
    match confirmation {
        Confirmation::Confirmed => "confirmed by the second look",
        Confirmation::Vetoed => "refused by the second look",
        Confirmation::Unavailable => "not confirmed: the second look failed",
        Confirmation::NotNeeded => "without a second look",
    }
}

pub(super) fn of_clip(clip: &ClipInfo) -> String {
    let until = moment(clip.expires_at);
    match clip.state {
        ClipState::Pending => format!("is being made; kept until {until}"),
        ClipState::Ready => {
            let mut words = String::from("ready");
            if let Some(millis) = clip.duration_ms {
                let (seconds, tenths) = (millis / 1000, millis % 1000 / 100);
                let _ = write!(words, ", {seconds}.{tenths} s");
            }
            if let Some(bytes) = clip.bytes.and_then(|bytes| u64::try_from(bytes).ok()) {
                let _ = write!(words, ", {}", size(bytes));
            }
            format!("{words}; kept until {until}")
        }
        ClipState::Failed => "could not be made".to_owned(),
        ClipState::Expired => "its time is over, and it is gone".to_owned(),
    }
}

/// Such as `1.2 MB`.
pub(super) fn size(bytes: u64) -> String {
    match bytes {
        0..1_000 => format!("{bytes} bytes"),
        1_000..1_000_000 => format!("{}.{} kB", bytes / 1_000, bytes % 1_000 / 100),
        _ => format!("{}.{} MB", bytes / 1_000_000, bytes % 1_000_000 / 100_000),
    }
}

/// A text of any length in lines that fit a terminal, without anything that steers one.
pub(super) fn lines(text: &str) -> Vec<String> {
    let mut lines = Vec::new();
    for paragraph in text.lines() {
        let mut line = String::new();
        // A word at a time: one call for all would cut what is longer than a line.
        for word in paragraph.split_whitespace().map(plain_line) {
            if !line.is_empty() && line.chars().count() + word.chars().count() >= LINE {
                lines.push(std::mem::take(&mut line));
            }
            if !line.is_empty() && !word.is_empty() {
                line.push(' ');
            }
            line.push_str(&word);
        }
        if !line.is_empty() {
            lines.push(line);
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_texts_are_broken_between_words_and_steer_no_terminal() {
        let text = format!("{}\u{1b}[2J end\n\nnext", "word ".repeat(30));
        let lines = lines(&text);
        assert_eq!(lines.len(), 3);
        assert!(lines.iter().all(|line| line.chars().count() <= LINE));
        assert_eq!(lines[1].rsplit(' ').next(), Some("end"));
        assert_eq!(lines[2], "next");
        assert!(!lines.concat().contains('\u{1b}'));
    }

    #[test]
    fn sizes_are_in_the_unit_that_reads_best() {
        assert_eq!(size(999), "999 bytes");
        assert_eq!(size(1_950), "1.9 kB");
        assert_eq!(size(12_345_678), "12.3 MB");
    }
}
