//! What the motion detector says of a camera itself: that its picture hangs, that it shows another scene.
//!
//! A pure state: it is told what each look said, and says what is new.

use std::time::Duration;

use vigint_core::clock::UtcTime;
use vigint_video::motion::MotionState;

/// For how long the same picture has come at least when the detector first calls it frozen.
const FROZEN_SAYS: Duration = Duration::from_secs(5);

/// What one look at a camera changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum News {
    /// It was covered, blinded or turned.
    SceneChanged,
    /// Its scene can be judged again.
    SceneIsKnown,
}

/// How a camera is, as far as its pictures tell.
#[derive(Debug, Default)]
pub(super) struct Condition {
    /// The first and the last look of those in a row that called it frozen.
    frozen: Option<(UtcTime, UtcTime)>,
    shows_another_scene: bool,
}

impl Condition {
    /// Takes note of a look.
    pub(super) fn note(&mut self, at: UtcTime, state: MotionState) -> Option<News> {
        self.frozen = (state == MotionState::Frozen).then(|| {
            let since = self.frozen.map_or(at, |(since, _)| since);
            (since, at)
        });
        let shows_another_scene = match state {
            MotionState::SceneChanged => true,
            // These say nothing of the scene.
            MotionState::Starting | MotionState::Frozen => self.shows_another_scene,
            _ => false,
        };
        let before = std::mem::replace(&mut self.shows_another_scene, shows_another_scene);
        match (before, shows_another_scene) {
            (false, true) => Some(News::SceneChanged),
            (true, false) => Some(News::SceneIsKnown),
            _ => None,
        }
    }

    /// For how long the very same picture has come at least; zero unless it is frozen.
    pub(super) fn unchanged_for(&self) -> Duration {
        self.frozen
            .map_or(Duration::ZERO, |(since, to)| FROZEN_SAYS + to.since(since))
    }
}

#[cfg(test)]
mod tests {
    use super::super::ring::tests::time;
    use super::*;

    #[test]
    fn another_scene_is_news_once_when_it_begins_and_once_when_it_is_over() {
        use MotionState::{Frozen, Moving, Quiet, SceneChanged, Starting};
        let mut condition = Condition::default();
        let mut news = |states: &[MotionState]| -> Vec<News> {
            states
                .iter()
                .filter_map(|state| condition.note(time(0), *state))
                .collect()
        };
        assert_eq!(news(&[Starting, Quiet, Moving]), []);
        assert_eq!(news(&[SceneChanged; 5]), [News::SceneChanged]);
        assert_eq!(news(&[Starting, Frozen, SceneChanged, Starting]), []);
        assert_eq!(news(&[Quiet, Quiet]), [News::SceneIsKnown]);
        assert_eq!(news(&[SceneChanged]), [News::SceneChanged]);
    }

    #[test]
    fn a_picture_has_not_changed_for_as_long_as_it_is_called_frozen_and_five_seconds_more() {
        let mut condition = Condition::default();
        condition.note(time(0), MotionState::Quiet);
        assert_eq!(condition.unchanged_for(), Duration::ZERO);
        for millis in [5_000, 5_200, 9_000] {
            condition.note(time(millis), MotionState::Frozen);
        }
        assert_eq!(condition.unchanged_for(), Duration::from_secs(9));
        condition.note(time(9_200), MotionState::Quiet);
        assert_eq!(condition.unchanged_for(), Duration::ZERO);
    }
}
