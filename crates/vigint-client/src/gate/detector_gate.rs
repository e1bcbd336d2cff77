//! The real gate: the motion detector on grey planes of JPEGs, a few times a second.

use std::time::Duration;

use bytes::Bytes;
use vigint_core::clock::UtcTime;
use vigint_video::grey::{DecodeError, JpegGreyDecoder};
use vigint_video::motion::{MotionDetector, MotionSample, MotionScratch, MotionSettings};

use super::MotionGate;

/// Time from look to look, as the server has it: five a second.
const INTERVAL_MS: i64 = 200;
/// A picture may come this much too early for its look: a camera's jitter.
const EARLY_MS: i64 = INTERVAL_MS / 10;
/// Times that go back further than this mean that the clock was set back.
const SET_BACK: Duration = Duration::from_secs(1);

/// Looks at most five times a second.
#[derive(Debug)]
pub struct DetectorGate {
    settings: MotionSettings,
    detector: MotionDetector,
    scratch: MotionScratch,
    /// When the next look is due.
    next_at: Option<UtcTime>,
    last: Option<(UtcTime, MotionSample)>,
}

impl DetectorGate {
    /// A gate that has seen nothing yet.
    #[must_use]
    pub fn new(settings: MotionSettings) -> Self {
        Self {
            detector: MotionDetector::new(settings.clone()),
            settings,
            scratch: MotionScratch::default(),
            next_at: None,
            last: None,
        }
    }

    /// The last word, for a picture between two looks.
    fn last_word(&self, at: UtcTime) -> Option<MotionSample> {
        let is_early = self
            .next_at
            .is_some_and(|next_at| at < next_at.plus_millis(-EARLY_MS));
        let (_, sample) = self.last.as_ref().filter(|_| is_early)?;
        Some(sample.clone())
    }

    /// The beat keeps its own time, so that jitter makes neither more looks nor fewer; after a gap it starts anew.
    fn beat(&mut self, at: UtcTime) {
        let on_time = self
            .next_at
            .filter(|next_at| at.millis_since(*next_at) < INTERVAL_MS);
        self.next_at = Some(on_time.unwrap_or(at).plus_millis(INTERVAL_MS));
    }

    fn was_set_back(&self, at: UtcTime) -> bool {
        self.last
            .as_ref()
            .is_some_and(|(last_at, _)| at + SET_BACK < *last_at)
    }
}

impl Default for DetectorGate {
    fn default() -> Self {
        Self::new(MotionSettings::default())
    }
}

impl MotionGate for DetectorGate {
    fn look(&mut self, at: UtcTime, jpeg: &Bytes) -> Result<MotionSample, DecodeError> {
        if self.was_set_back(at) {
            // The detector's time goes only forward.
            *self = Self::new(self.settings.clone());
        }
        if let Some(sample) = self.last_word(at) {
            return Ok(sample);
        }
        self.beat(at);
        let sample = self
            .detector
            .look(at, jpeg, &JpegGreyDecoder, &mut self.scratch)?;
        self.last = Some((at, sample.clone()));
        Ok(sample)
    }
}

#[cfg(test)]
mod tests {
    use vigint_testkit::scene::Scene;
    use vigint_video::motion::MotionState;

    use super::*;

    fn at(time: Duration) -> UtcTime {
        UtcTime::from_unix_seconds(1_700_000_000) + time
    }

    /// What a fresh gate says of the drawn scene at so many frames a second.
    fn said(frames_per_second: u32, length: u64) -> Vec<(Duration, MotionSample)> {
        let scene = Scene {
            frames_per_second,
            length: Duration::from_secs(length),
            ..Scene::default()
        };
        let mut gate = DetectorGate::default();
        scene
            .frames()
            .map(|frame| {
                let sample = gate.look(at(frame.at), &Bytes::from(frame.jpeg));
                (frame.at, sample.unwrap())
            })
            .collect()
    }

    #[test]
    fn it_opens_for_the_visitor_and_for_nobody_before() {
        let visit = Scene::visit();
        let said = said(10, visit.start.as_secs() + 3);
        let opened = said.iter().find(|(_, sample)| sample.on).unwrap();
        assert!(opened.0 >= visit.start, "{opened:?}");
        assert!(opened.0 <= visit.start + Duration::from_millis(700));
        assert_eq!(opened.1.state, MotionState::Moving);
        assert!(!opened.1.boxes.is_empty());
        assert_eq!(said[0].1.state, MotionState::Starting);
    }

    #[test]
    fn between_its_five_looks_a_second_it_gives_its_last_word() {
        let frames = |fps| -> Vec<_> {
            let words = said(fps, Scene::visit().start.as_secs() + 2);
            words.into_iter().map(|(_, sample)| sample).collect()
        };
        // The frames in between are other pictures: had it looked, it would have said something else.
        let twice: Vec<_> = frames(10);
        assert!(twice.chunks(2).all(|pair| pair[0] == pair[1]));
        let looked: Vec<_> = twice
            .into_iter()
            .step_by(2)
            .map(|sample| sample.state)
            .collect();
        assert!(looked.contains(&MotionState::Moving));
    }

    #[test]
    fn a_broken_picture_is_an_error_and_the_next_is_judged() {
        let scene = Scene {
            length: Duration::from_secs(2),
            ..Scene::default()
        };
        let mut gate = DetectorGate::default();
        for frame in scene.frames() {
            let is_broken = frame.at == Duration::from_secs(1);
            let jpeg = if is_broken {
                b"no picture".to_vec()
            } else {
                frame.jpeg
            };
            let sample = gate.look(at(frame.at), &Bytes::from(jpeg));
            assert_eq!(sample.is_err(), is_broken, "{:?}", frame.at);
        }
    }

    #[test]
    fn a_clock_that_was_set_back_makes_it_start_anew() {
        let mut gate = DetectorGate::default();
        let scene = Scene {
            length: Duration::from_secs(2),
            ..Scene::default()
        };
        let mut states = Vec::new();
        for back in [Duration::ZERO, Duration::from_secs(3_600)] {
            for frame in scene.frames() {
                let sample = gate.look(at(frame.at) - back, &Bytes::from(frame.jpeg));
                states.push(sample.unwrap().state);
            }
        }
        assert_eq!(states[19], MotionState::Quiet);
        assert_eq!(states[20], MotionState::Starting);
        assert_eq!(states[39], MotionState::Quiet);
    }
}
