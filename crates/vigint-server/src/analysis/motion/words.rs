//! What the motion analyzer says, in the customer's language and time zone.
//!
//! Here: the facts, taken from a window; `english` and `french` put them into sentences. Nothing is said that the
//! detector does not know: it sees areas that change, not who or what they are.

mod english;
mod french;
#[cfg(test)]
mod tests;

use vigint_core::clock::UtcTime;
use vigint_core::locale::Locale;
use vigint_core::place::{Place, Third};
use vigint_video::motion::{MotionBox, MotionState};

use super::Seen;
use crate::analysis::analyzer::Look;

/// An area of this share of the picture is everywhere.
const NO_PLACE_FROM: f32 = 0.5;

/// The texts of one opinion.
#[derive(Debug)]
pub(super) struct Texts {
    pub(super) kind: String,
    pub(super) description: String,
    pub(super) analysis: String,
}

/// Says what a window showed. `seen` is oldest first; `share`, 0..=1, is how much of it was in motion.
pub(super) fn describe(look: &Look, seen: &[Seen], share: f64) -> Texts {
    let facts = Facts::of(look, seen, share);
    match look.locale {
        Locale::English => english::texts(&facts),
        Locale::French => french::texts(&facts),
    }
}

/// What there is to say.
struct Facts<'a> {
    camera: &'a str,
    motion: Option<Motion>,
    /// What moved, now or earlier, stands there at the end, or left something behind or took something away.
    is_present: bool,
    /// When the camera first showed another scene than before, on the customer's wall.
    changed_at: Option<String>,
    /// The same picture came again and again.
    is_frozen: bool,
}

/// That something moved.
struct Motion {
    /// The first and the last time, on the customer's wall.
    from: String,
    to: String,
    route: Option<Route>,
    /// The largest area, in whole percent of the picture; `None` when no area is known.
    size: Option<String>,
    /// How much of the window was in motion, in percent.
    duration: String,
}

/// Where something moved. The detector follows nobody: with several movers the first and the last place may be
/// different movers', so no route says that one thing went from here to there.
enum Route {
    /// In one part of the picture.
    At(Place),
    /// From one side to the other.
    Across(Direction),
    /// First here, last there.
    FirstAndLast(Place, Place),
}

enum Direction {
    Rightward,
    Leftward,
    /// It came back, or there were several.
    Both,
}

impl<'a> Facts<'a> {
    fn of(look: &'a Look, seen: &[Seen], share: f64) -> Self {
        let first_of = |state| seen.iter().find(|seen| seen.state == state);
        Self {
            camera: &look.camera,
            motion: Motion::of(look, seen, share),
            is_present: seen
                .last()
                .is_some_and(|seen| seen.state == MotionState::Present),
            changed_at: first_of(MotionState::SceneChanged).map(|seen| shown_time(look, seen.at)),
            is_frozen: first_of(MotionState::Frozen).is_some(),
        }
    }
}

impl Motion {
    fn of(look: &Look, seen: &[Seen], share: f64) -> Option<Self> {
        let moving = || seen.iter().filter(|seen| seen.is_moving());
        let areas: Vec<&MotionBox> = moving().filter_map(|seen| seen.largest.as_ref()).collect();
        let places: Vec<Place> = areas.iter().filter_map(|area| place(area)).collect();
        let sizes = areas.iter().map(|area| area.width * area.height);
        let largest = sizes.max_by(f32::total_cmp);
        Some(Self {
            from: shown_time(look, moving().next()?.at),
            to: shown_time(look, moving().next_back()?.at),
            route: Route::through(&places),
            size: largest.map(|share| format!("{:.0}", share.clamp(0.0, 1.0) * 100.0)),
            duration: format!("{:.0}", (share * 100.0).max(1.0)),
        })
    }
}

impl Route {
    fn through(places: &[Place]) -> Option<Self> {
        let (first, last) = (*places.first()?, *places.last()?);
        let has_been = |column| places.iter().any(|place| place.column == column);
        let is_across = [Third::First, Third::Middle, Third::Last]
            .into_iter()
            .all(has_been);
        Some(match (first.column, last.column) {
            (Third::First, Third::Last) if is_across => Self::Across(Direction::Rightward),
            (Third::Last, Third::First) if is_across => Self::Across(Direction::Leftward),
            _ if is_across => Self::Across(Direction::Both),
            _ if first == last => Self::At(first),
            _ => Self::FirstAndLast(first, last),
        })
    }
}

/// Where the middle of an area lies. What fills most of the picture has no place in it.
fn place(area: &MotionBox) -> Option<Place> {
    let has_place = area.width * area.height < NO_PLACE_FROM;
    has_place.then(|| Place::of(area.x + area.width / 2.0, area.y + area.height / 2.0))
}

/// A frame's time by the server's clock, on the customer's wall.
fn shown_time(look: &Look, at: UtcTime) -> String {
    let at = at.plus_millis(look.clock_offset_ms).timestamp();
    let zone = jiff::tz::TimeZone::get(&look.time_zone).unwrap_or(jiff::tz::TimeZone::UTC);
    at.to_zoned(zone).strftime("%H:%M:%S").to_string()
}
