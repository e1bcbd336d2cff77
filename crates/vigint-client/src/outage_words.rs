//! A server that was lost and is back, in words for whoever stands in the shop. Must not print.

use jiff::tz::TimeZone;
use vigint_client::Event;
use vigint_core::clock::UtcTime;

use crate::console::span;

/// The sentence for the loss of the server or its return; `None` for any other event.
pub(crate) fn words_of_outage(event: &Event, zone: &TimeZone) -> Option<String> {
    match event {
        Event::ServerLost { since, reason, .. } => Some(format!(
            "{reason} (since {}); of each camera the newest 10 seconds are kept; trying again",
            time_of_day(*since, zone)
        )),
        Event::ServerBack {
            at,
            since,
            frames_lost,
            lost_of_source,
        } => {
            let mut line = format!(
                "the server is back: it was away since {}, for {}; ",
                time_of_day(*since, zone),
                span(at.since(*since))
            );
            if *frames_lost == 0 {
                line.push_str("no frame was lost");
            } else {
                let of_each: Vec<String> = lost_of_source
                    .iter()
                    .map(|(source, frames)| format!("{source} {frames}"))
                    .collect();
                line.push_str(&format!(
                    "{frames_lost} frames were lost ({})",
                    of_each.join(", ")
                ));
            }
            Some(line)
        }
        _ => None,
    }
}

fn time_of_day(at: UtcTime, zone: &TimeZone) -> String {
    let local = at.timestamp().to_zoned(zone.clone());
    local.strftime("%H:%M:%S").to_string()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn at(seconds: i64) -> UtcTime {
        UtcTime::from_unix_seconds(43_200 + seconds)
    }

    #[test]
    fn a_lost_server_is_told_with_since_when_and_its_return_with_what_was_lost() {
        let lost = Event::ServerLost {
            at: at(3),
            since: at(1),
            reason: "the server at http://s cannot be reached: no answer in time".into(),
            code: "server_unreachable".into(),
        };
        assert_eq!(
            words_of_outage(&lost, &TimeZone::UTC).unwrap(),
            "the server at http://s cannot be reached: no answer in time (since 12:00:01); of each camera the newest 10 seconds are kept; trying again"
        );
        let zone = TimeZone::fixed(jiff::tz::offset(2));
        let back = |lost: &[(&str, u64)], seconds| Event::ServerBack {
            at: at(seconds),
            since: at(1),
            frames_lost: lost.iter().map(|(_, frames)| frames).sum(),
            lost_of_source: lost
                .iter()
                .map(|(source, frames)| (source.parse().unwrap(), *frames))
                .collect::<BTreeMap<_, _>>(),
        };
        assert_eq!(
            words_of_outage(&back(&[("door", 40), ("till", 2)], 126), &zone).unwrap(),
            "the server is back: it was away since 14:00:01, for 2 min 5 s; 42 frames were lost (door 40, till 2)"
        );
        assert_eq!(
            words_of_outage(&back(&[], 41), &zone).unwrap(),
            "the server is back: it was away since 14:00:01, for 40 s; no frame was lost"
        );
    }
}
