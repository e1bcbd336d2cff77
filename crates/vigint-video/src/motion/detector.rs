//! The motion gate of one source: pictures in order of time go in, what it thinks after each comes out.

use vigint_core::clock::UtcTime;

use super::unchanged::{Fingerprint, Unchanged};
use super::watch::Watch;
use super::{MotionSample, MotionScratch, MotionSettings, MotionState};
use crate::grey::{DecodeError, GreyDecoder, GreyPlane, decode_guarded};

/// The motion gate of one source.
#[derive(Debug)]
pub struct MotionDetector {
    settings: MotionSettings,
    watch: Option<Watch>,
    unchanged: Unchanged,
}

impl MotionDetector {
    /// A gate that has seen nothing yet.
    #[must_use]
    pub fn new(settings: MotionSettings) -> Self {
        Self {
            settings,
            watch: None,
            unchanged: Unchanged::default(),
        }
    }

    /// Judges the next picture, taken `at` this time. One that is byte for byte the last one is not decoded again;
    /// when it stays so for 5 s and ten frames, the stream is [`MotionState::Frozen`].
    ///
    /// # Errors
    /// [`DecodeError`]; the picture then leaves no trace.
    pub fn look(
        &mut self,
        at: UtcTime,
        jpeg: &[u8],
        decoder: &dyn GreyDecoder,
        scratch: &mut MotionScratch,
    ) -> Result<MotionSample, DecodeError> {
        if let Some(watch) = self.watch.as_ref().filter(|watch| watch.is_past(at)) {
            return Ok(watch.last().clone());
        }
        let picture = Fingerprint::of(jpeg);
        let mut plane = std::mem::take(&mut scratch.plane);
        let same = self.watch.as_ref().filter(|_| self.unchanged.is(picture));
        let decoded = match same {
            Some(watch) => {
                plane.assign(watch.newest());
                Ok(())
            }
            None => decode_guarded(decoder, jpeg, &mut plane, &mut scratch.decoding),
        };
        let judged = decoded.map(|()| {
            let is_frozen = self.unchanged.note(at, picture);
            (is_frozen, self.push(at, &plane, scratch))
        });
        scratch.plane = plane;
        let (is_frozen, mut sample) = judged?;
        if is_frozen {
            sample = MotionSample::without_motion(MotionState::Frozen);
        }
        Ok(sample)
    }

    /// Judges the next plane, taken `at` this time.
    ///
    /// A frame not later than the one before is ignored: the answer is the last one again. A gap longer
    /// than [`MotionSettings::max_gap`] or another size of the plane starts anew.
    pub fn push(
        &mut self,
        at: UtcTime,
        plane: &GreyPlane,
        scratch: &mut MotionScratch,
    ) -> MotionSample {
        let settings = &self.settings;
        match &mut self.watch {
            Some(watch) if watch.goes_on_with(at, plane, settings) => {
                watch.judge(at, plane, settings, scratch)
            }
            stale => stale
                .insert(Watch::begin(at, plane, settings, scratch))
                .last()
                .clone(),
        }
    }
}
