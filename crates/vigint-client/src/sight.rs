//! What a motion gate said, on one line for a person.

use std::fmt;
use std::time::Duration;

use jiff::tz::TimeZone;
use vigint_client::{Location, MotionLook, MotionSample, MotionState};
use vigint_core::clock::UtcTime;
use vigint_core::locale::Locale;
use vigint_core::place::Place;

/// Cells of a whole score bar.
const BAR: usize = 10;

/// How moments are named.
pub(crate) enum Stamp {
    /// A film: by how far it is.
    Position,
    /// A camera: by the time of day where this program runs.
    TimeOfDay(TimeZone),
}

impl Stamp {
    pub(crate) fn of(location: &Location) -> Self {
        if location.is_live() {
            Self::TimeOfDay(TimeZone::system())
        } else {
            Self::Position
        }
    }

    fn text(&self, at: UtcTime, first_at: UtcTime) -> String {
        match self {
            Self::Position => position(at.since(first_at)),
            Self::TimeOfDay(zone) => {
                let at = at.timestamp().to_zoned(zone.clone());
                at.strftime("%H:%M:%S%.1f").to_string()
            }
        }
    }
}

/// Such as `1:05.8`.
fn position(time: Duration) -> String {
    let (minutes, seconds) = (time.as_secs() / 60, time.as_secs() % 60);
    format!("{minutes}:{seconds:02}.{}", time.subsec_millis() / 100)
}

/// The whole line.
pub(crate) fn line_of(look: &MotionLook<'_>, stamp: &Stamp) -> String {
    let sample = look.sample;
    let time = stamp.text(look.at, look.first_at);
    let gate = if sample.on { "open" } else { "shut" };
    let state = words_of(sample.state);
    format!(
        "{time:>7}  {gate}  {} {:.2}  {state}{}",
        bar(sample.score),
        sample.score,
        place_of(sample)
    )
}

fn words_of(state: MotionState) -> &'static str {
    match state {
        MotionState::Starting => "starting",
        MotionState::Quiet => "quiet",
        MotionState::Moving => "moving",
        MotionState::Present => "still there, or changed",
        MotionState::SceneChanged => "the camera was covered or turned",
        MotionState::Frozen => "frozen: the same picture again and again",
        _ => "unknown",
    }
}

fn bar(score: f32) -> String {
    let full = (1_u8..=10)
        .filter(|cell| f32::from(*cell) <= score * 10.0 + 0.5)
        .count();
    format!(
        "{}{}",
        "█".repeat(full),
        "░".repeat(BAR.saturating_sub(full))
    )
}

/// How much of the picture it is and where its largest part is; nothing when there is none.
fn place_of(sample: &MotionSample) -> String {
    let Some(largest) = sample.boxes.first() else {
        return String::new();
    };
    let place = Place::of(
        largest.x + largest.width / 2.0,
        largest.y + largest.height / 2.0,
    );
    let place = place.words(Locale::English);
    let more = match sample.boxes.len() {
        1 => String::new(),
        2 => " and in one more place".to_owned(),
        places => format!(" and in {} more places", places - 1),
    };
    let percent = sample.share * 100.0;
    format!(", {percent:.1}% of the picture, {place}{more}")
}

/// How often and for how long the gate was open.
#[derive(Default)]
pub(crate) struct Openings {
    first_at: Option<UtcTime>,
    last: Option<(UtcTime, bool)>,
    times: u32,
    open_for: Duration,
}

impl Openings {
    /// Takes note of a look at the picture taken then: whether the gate was open.
    pub(crate) fn note(&mut self, at: UtcTime, on: bool) {
        self.first_at.get_or_insert(at);
        let was_open = self.last.filter(|(_, was_on)| *was_on);
        if let Some((since, _)) = was_open {
            self.open_for += at.since(since);
        }
        if on && was_open.is_none() {
            self.times += 1;
        }
        self.last = Some((at, on));
    }
}

impl fmt::Display for Openings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Some(first_at), Some((last_at, _))) = (self.first_at, self.last) else {
            return f.write_str("no picture came");
        };
        let seen = last_at.since(first_at).as_secs_f64();
        let times = match self.times {
            0 => return write!(f, "{seen:.1} s seen; the gate stayed shut"),
            1 => "once".to_owned(),
            2 => "twice".to_owned(),
            times => format!("{times} times"),
        };
        let open = self.open_for.as_secs_f64();
        write!(
            f,
            "{seen:.1} s seen; the gate opened {times}, for {open:.1} s in all"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_is_as_full_as_the_score_and_a_position_in_minutes() {
        assert_eq!(bar(0.0), "░░░░░░░░░░");
        assert_eq!(bar(0.3), "███░░░░░░░");
        assert_eq!(bar(1.0), "██████████");
        assert_eq!(position(Duration::from_millis(65_850)), "1:05.8");
    }

    #[test]
    fn the_sum_counts_openings_and_the_time_between_looks() {
        let mut openings = Openings::default();
        assert_eq!(openings.to_string(), "no picture came");
        let mut note = |millis, on| {
            openings.note(UtcTime::from_unix_millis(millis), on);
            openings.to_string()
        };
        assert_eq!(note(0, false), "0.0 s seen; the gate stayed shut");
        note(1_000, true);
        assert_eq!(
            note(2_500, true),
            "2.5 s seen; the gate opened once, for 1.5 s in all"
        );
        note(3_000, false);
        note(4_000, true);
        assert_eq!(
            note(5_000, false),
            "5.0 s seen; the gate opened twice, for 3.0 s in all"
        );
    }
}
