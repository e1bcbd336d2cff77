//! Moments as a person reads them: how far away they are.

use vigint_core::clock::UtcTime;

/// `3 min ago`, `in 2 h`; `just now` within a second. What is to come is rounded, so that a day is not 23 hours.
pub(crate) fn distance(at: UtcTime, now: UtcTime) -> String {
    if at > now {
        match span(at.since(now).as_millis().div_ceil(1000), true) {
            Some(span) => format!("in {span}"),
            None => "just now".to_owned(),
        }
    } else {
        match span(now.since(at).as_millis() / 1000, false) {
            Some(span) => format!("{span} ago"),
            None => "just now".to_owned(),
        }
    }
}

/// The moment itself (UTC, to the second), and how far away it is.
pub(crate) fn with_distance(at: UtcTime, now: UtcTime) -> String {
    let text = at.to_string();
    let seconds = text
        .split_once('.')
        .map_or(text.as_str(), |(whole, _)| whole);
    format!("{}Z ({})", seconds.trim_end_matches('Z'), distance(at, now))
}

/// In the largest unit that is not left empty.
fn span(seconds: u128, is_rounded: bool) -> Option<String> {
    [(24 * 3600, "d"), (3600, "h"), (60, "min"), (1, "s")]
        .into_iter()
        .map(|(unit, name)| {
            (
                (seconds + if is_rounded { unit / 2 } else { 0 }) / unit,
                unit,
                name,
            )
        })
        .find(|(count, unit, _)| *count > 0 && seconds + unit / 30 >= *unit)
        .map(|(count, _, name)| format!("{count} {name}"))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_largest_unit_is_used() {
        let now: UtcTime = "2026-11-25T10:00:00Z".parse().unwrap();
        for (seconds, ahead, back) in [
            (0, "just now", "just now"),
            (24 * 3600 - 1, "in 1 d", "23 h ago"),
            (90 * 24 * 3600 - 2, "in 90 d", "89 d ago"),
            (3600 - 1, "in 1 h", "59 min ago"),
            (20 * 3600, "in 20 h", "20 h ago"),
            (50, "in 50 s", "50 s ago"),
            (60, "in 1 min", "1 min ago"),
            (3 * 3600 + 1, "in 3 h", "3 h ago"),
            (49 * 3600, "in 2 d", "2 d ago"),
        ] {
            let span = Duration::from_secs(seconds);
            assert_eq!(distance(now + span, now), ahead);
            assert_eq!(distance(now - span, now), back);
        }
        let earlier = now - Duration::from_millis(61_001);
        assert_eq!(
            with_distance(earlier, now),
            "2026-11-25T09:58:58Z (1 min ago)"
        );
    }
}
