//! How good the gate has to be.

use super::score::{GRACE, Reports, Score};

/// Seconds from the first frame, and from the beginning of motion.
const READY_WITHIN: f64 = 1.0;
const ON_WITHIN: f64 = 0.6;
/// Share of the empty time.
const OPEN_SHARE: f64 = 0.1;
/// Times of frames are whole milliseconds, and may round to just above a bar.
const ROUNDING: f64 = 0.0005;

impl Score {
    /// What is not as good as the gate has to be: ready within 1 s, open within 0.6 s, shut within 3 s, open
    /// in less than a tenth of the empty time, and everything reported once.
    #[must_use]
    pub fn complaints(&self) -> Vec<String> {
        let above =
            |value: Option<f64>, limit: f64| value.is_some_and(|value| value > limit + ROUNDING);
        let Reports {
            missed, invented, ..
        } = self.scene_changes;
        let rules = [
            (
                self.ready.is_none() || above(self.ready, READY_WITHIN),
                "it is ready too late",
            ),
            (above(self.on_latency, ON_WITHIN), "it opens too late"),
            (above(self.off_latency, GRACE), "it shuts too late"),
            (self.open_when_empty >= OPEN_SHARE, "it is open for nothing"),
            (self.visits_missed > 0, "it misses a visit"),
            (self.visits_split > 0, "it makes several visits of one"),
            (missed > 0, "it does not report a changed scene"),
            (invented > 0, "it reports a changed scene that is none"),
            (
                self.frozen.missed > 0,
                "it does not report a frozen picture",
            ),
            (
                self.frozen.invented > 0,
                "it reports a frozen picture that is none",
            ),
        ];
        let broken = rules.iter().filter(|(is_broken, _)| *is_broken);
        broken.map(|(_, what)| (*what).to_owned()).collect()
    }
}
