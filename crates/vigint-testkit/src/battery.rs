//! The battery of the motion gate: drawn recordings of all that a camera does to its pictures, with what
//! truly happens in them, and a score for what a gate said.
//!
//! Every run draws the same pictures. It must not know any gate: whoever has one feeds it
//! [`Case::frames`], keeps what it said as [`Said`], and asks [`Score::of`].

mod bars;
mod camera;
mod cases;
mod figure;
mod overlay;
mod picture;
mod room;
mod score;
mod shot;
mod timing;
mod truth;

use self::camera::{Camera, Coding};
pub use self::cases::cases;
pub use self::picture::{HEIGHT, WIDTH};
use self::room::View;
pub use self::score::{Reports, Said, Score, State, spans};
use self::shot::Shot;
use self::timing::Timing;
pub use self::truth::{Span, Truth};

/// One drawn recording.
#[derive(Debug, Clone)]
pub struct Case {
    /// What it is called, in words joined by `_`.
    pub name: &'static str,
    /// What truly happens in it.
    pub truth: Truth,
    /// How long it is, in seconds.
    seconds: f64,
    /// What the room and the noise are made from.
    seed: u64,
    /// How its pictures are coded.
    coding: Coding,
    /// When they are taken.
    timing: Timing,
    /// The room that the camera sees later on, where it does.
    other_room: Option<(u64, View)>,
    /// What is to be seen.
    draw: fn(&mut Shot<'_>),
}

/// One picture of a case.
#[derive(Debug, Clone)]
pub struct BatteryFrame {
    /// When, in milliseconds from the beginning.
    pub at_millis: i64,
    /// The picture, a baseline JPEG of [`WIDTH`] x [`HEIGHT`] pixels.
    pub jpeg: Vec<u8>,
}

impl Case {
    /// The pictures at this rate, oldest first. Each is drawn when it is asked for. A case whose frames come
    /// irregularly takes the rate as that of a perfect camera, from which frames are late or lost.
    ///
    /// # Panics
    /// When the rate is 0.
    pub fn frames(&self, frames_per_second: u32) -> impl Iterator<Item = BatteryFrame> + use<> {
        let case = self.clone();
        let empty = room::draw(case.seed, View::Day);
        let other_room = case.other_room.map(|(seed, view)| room::draw(seed, view));
        let mut camera = Camera::new(case.seed);
        let mut scene = empty.clone();
        let mut last = Vec::new();
        let times = case
            .timing
            .times(frames_per_second, case.seconds, case.seed);
        times.into_iter().map(move |at_millis| {
            let now = seconds(at_millis);
            let is_frozen = case
                .truth
                .frozen
                .iter()
                .any(|span| span.0 < now && now < span.1);
            if !is_frozen || last.is_empty() {
                scene.copy_from(&empty);
                let mut shot = Shot::new(
                    now,
                    case.seed,
                    &mut scene,
                    other_room.as_ref().unwrap_or(&empty),
                );
                (case.draw)(&mut shot);
                let (look, overlays) = (shot.look, shot.overlays);
                let pixels = camera.expose(&scene, &look);
                for overlay in overlays {
                    overlay.write(pixels);
                }
                last = camera.jpeg(case.coding);
            }
            BatteryFrame {
                at_millis,
                jpeg: last.clone(),
            }
        })
    }
}

/// Seconds of these milliseconds.
fn seconds(millis: i64) -> f64 {
    std::time::Duration::from_millis(millis.unsigned_abs()).as_secs_f64()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_case_has_a_name_of_its_own_and_a_truth_within_its_length() {
        let names: BTreeSet<_> = cases().iter().map(|case| case.name).collect();
        assert_eq!(names.len(), cases().len());
        for case in cases() {
            let Truth {
                moving,
                visits,
                ignore,
                scene_changed,
                frozen,
            } = &case.truth;
            for list in [moving, visits, ignore, scene_changed, frozen] {
                let mut before = 0.0;
                for span in list {
                    assert!(
                        span.0 < span.1 && span.1 <= case.seconds,
                        "{}: {span:?}",
                        case.name
                    );
                    assert!(span.0 >= before, "{}: {list:?}", case.name);
                    before = span.0;
                }
            }
            for span in moving {
                let in_visit = |visit: &Span| visit.0 <= span.0 && span.1 <= visit.1;
                assert!(visits.iter().any(in_visit), "{}: {span:?}", case.name);
            }
        }
    }

    #[test]
    fn the_same_case_has_the_same_pictures() {
        let case = cases()
            .into_iter()
            .find(|case| case.name == "rain")
            .unwrap();
        let draw = || {
            case.frames(10)
                .take(3)
                .map(|frame| frame.jpeg)
                .collect::<Vec<_>>()
        };
        assert_eq!(draw(), draw());
        let [first, second, ..] = &draw()[..] else {
            panic!("three frames")
        };
        assert_ne!(first, second);
    }

    #[test]
    fn a_frozen_picture_is_the_same_bytes_until_it_lives_again() {
        let case = cases()
            .into_iter()
            .find(|case| case.name == "frozen_stream")
            .unwrap();
        let span = case.truth.frozen[0];
        assert!(span.1 - span.0 >= 10.0);
        let frames: Vec<_> = case.frames(5).collect();
        for pair in frames.windows(2) {
            let [before, after] = pair else {
                unreachable!()
            };
            let now = seconds(after.at_millis);
            let is_frozen = now > span.0 && now < span.1;
            assert_eq!(before.jpeg == after.jpeg, is_frozen, "at {now}");
        }
    }
}
