//! The one place of xtask that knows the motion gate.

use anyhow::{Context as _, bail};
use vigint_core::clock::UtcTime;
use vigint_testkit::battery::{Said, State};
use vigint_video::grey::JpegGreyDecoder;
use vigint_video::motion::{MotionBox, MotionDetector, MotionScratch, MotionSettings, MotionState};

/// The gate at one source.
pub(super) struct Watch {
    detector: MotionDetector,
    scratch: MotionScratch,
}

/// What it said of one frame.
pub(super) struct Seen {
    pub(super) said: Said,
    /// How much moves, 0..=1.
    pub(super) score: f32,
    /// Where.
    pub(super) boxes: Vec<MotionBox>,
}

impl Watch {
    pub(super) fn new() -> Self {
        Self {
            detector: MotionDetector::new(MotionSettings::default()),
            scratch: MotionScratch::default(),
        }
    }

    /// Shows it the next frame.
    pub(super) fn look(&mut self, at_millis: i64, jpeg: &[u8]) -> anyhow::Result<Seen> {
        let at = std::time::Duration::from_millis(at_millis.unsigned_abs());
        let sample = self
            .detector
            .look(
                UtcTime::from_unix_millis(at_millis),
                jpeg,
                &JpegGreyDecoder,
                &mut self.scratch,
            )
            .with_context(|| format!("the gate cannot read the frame at {at:?}"))?;
        Ok(Seen {
            said: Said {
                at: at.as_secs_f64(),
                on: sample.on,
                state: state(sample.state)?,
            },
            score: sample.score,
            boxes: sample.boxes,
        })
    }
}

fn state(state: MotionState) -> anyhow::Result<State> {
    Ok(match state {
        MotionState::Starting => State::Starting,
        MotionState::Quiet => State::Quiet,
        MotionState::Moving => State::Moving,
        MotionState::Present => State::Present,
        MotionState::SceneChanged => State::SceneChanged,
        MotionState::Frozen => State::Frozen,
        other => bail!("xtask/src/gate/watch.rs does not know {other:?} yet"),
    })
}
