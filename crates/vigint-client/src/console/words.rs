//! An event in words, on one line for people.

use std::time::Duration;

use jiff::tz::TimeZone;
use vigint_client::Event;
use vigint_core::wire::AnalysisResponse;

use super::{one_line, whole};
use crate::outage_words::words_of_outage;

/// What there is to say of an event, and where.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Words {
    /// Nothing.
    Nothing,
    /// Something for whoever follows what happens.
    Said(String),
    /// Something went wrong.
    Complaint(String),
}

/// What there is to say of `event`, with the link to a film only where it `shows_links`: the link opens the film to
/// whoever has it.
pub(super) fn words_of(event: &Event, shows_links: bool) -> Words {
    match event {
        Event::Error {
            source_id, message, ..
        } => {
            let of = source_id
                .as_ref()
                .map_or(String::new(), |id| format!("{id}: "));
            Words::Complaint(format!("{of}{}", whole(message)))
        }
        Event::ServerLost { .. } | Event::ServerBack { .. } => {
            match words_of_outage(event, &TimeZone::system()) {
                Some(line) => Words::Complaint(whole(&line)),
                None => Words::Nothing,
            }
        }
        Event::SourceOpened {
            source_id,
            location,
            width,
            height,
            away_seconds,
            tries,
            ..
        } => {
            let mut line = format!("{source_id}: opened {location} ({width}x{height})");
            if let Some(seconds) = away_seconds {
                let tries = match tries {
                    1 => "the first try".to_owned(),
                    tries => format!("{tries} tries"),
                };
                line.push_str(&format!(
                    " after {} and {tries}",
                    span(Duration::from_secs(*seconds))
                ));
            }
            Words::Said(line)
        }
        Event::Analysis { answer, .. } => Words::Said(of_analysis(answer, shows_links)),
        Event::SourceEnded {
            source_id,
            frames_sent,
            frames_dropped,
            frames_thinned,
            frames_refused,
            ..
        } => {
            let mut line = format!("{source_id}: ended, {frames_sent} frames sent");
            for (count, what) in [
                (frames_thinned, "left out"),
                (frames_dropped, "dropped"),
                (frames_refused, "refused"),
            ] {
                if *count > 0 {
                    line.push_str(&format!(", {count} {what}"));
                }
            }
            Words::Said(line)
        }
        Event::Stopped { .. } => Words::Said("stopped".to_owned()),
        _ => Words::Nothing,
    }
}

/// A span of time in its two largest units, such as `45 s`, `12 min 5 s` or `3 h 20 min`.
pub(crate) fn span(span: Duration) -> String {
    let seconds = span.as_secs();
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{} min {} s", seconds / 60, seconds % 60),
        _ => format!("{} h {} min", seconds / 3600, seconds / 60 % 60),
    }
}

/// An analysis in words.
fn of_analysis(answer: &AnalysisResponse, shows_links: bool) -> String {
    let source = one_line(&answer.source_id);
    if !answer.has_security_incident {
        let why = match answer.skipped {
            Some(skipped) => format!(" ({skipped})"),
            None => String::new(),
        };
        return format!("{source}: {}{why}", answer.verdict);
    }
    let mut line = format!(
        "{source}: INCIDENT ({}, risk {}): {}: {}",
        answer.verdict,
        answer.risk_level,
        one_line(&answer.incident_type),
        one_line(&answer.description)
    );
    let url = answer
        .incident
        .as_ref()
        .and_then(|incident| incident.video_url.as_deref());
    let url = url.filter(|_| shows_links);
    if let Some(url) = url.filter(|url| url.starts_with("http") && !url.contains(char::is_control))
    {
        line.push_str(&format!("\n  clip: {url}"));
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scripted_server::theft;

    #[test]
    fn a_camera_that_is_back_says_for_how_long_it_was_away() {
        let opened = |away_seconds, tries| Event::SourceOpened {
            at: vigint_core::clock::UtcTime::UNIX_EPOCH,
            source_id: "till".parse().unwrap(),
            location: "rtsp://***@cam/1".to_owned(),
            width: 640,
            height: 360,
            away_seconds,
            tries,
        };
        let said = |text: &str| Words::Said(text.to_owned());
        assert_eq!(
            words_of(&opened(None, 1), true),
            said("till: opened rtsp://***@cam/1 (640x360)")
        );
        assert_eq!(
            words_of(&opened(Some(75), 6), true),
            said("till: opened rtsp://***@cam/1 (640x360) after 1 min 15 s and 6 tries")
        );
    }

    #[test]
    fn the_link_to_a_film_is_said_only_where_it_may_be() {
        let answer = theft("till", "http://h/video/x?expires=1&token=canary");
        let event = Event::Analysis {
            at: vigint_core::clock::UtcTime::UNIX_EPOCH,
            answer: serde_json::from_value(answer).unwrap(),
        };
        let said = "till: INCIDENT (confirmed, risk HIGH): theft: a bag";
        let linked = format!("{said}\n  clip: http://h/video/x?expires=1&token=canary");
        assert_eq!(words_of(&event, true), Words::Said(linked));
        assert_eq!(words_of(&event, false), Words::Said(said.to_owned()));
    }

    #[test]
    fn times_are_said_as_people_say_them() {
        assert_eq!(
            [45, 60, 12_000].map(|seconds| span(Duration::from_secs(seconds))),
            ["45 s", "1 min 0 s", "3 h 20 min"]
        );
    }
}
