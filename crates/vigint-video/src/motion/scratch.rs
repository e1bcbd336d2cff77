//! Memory that judging a frame needs and nobody needs afterwards.

use super::exposure::{Exposure, Samples};
use super::field::{Comparison, Picture, Size, steepest_steps};
use crate::grey::{GreyMemory, GreyPlane};

/// Room to judge frames in, for any number of sources one after the other: one a thread.
#[derive(Debug, Default)]
pub struct MotionScratch {
    pub(super) plane: GreyPlane,
    pub(super) decoding: GreyMemory,
    /// The frame.
    pub(super) level: Vec<f32>,
    pub(super) steps: Vec<u8>,
    /// The picture it is compared with.
    pub(super) older_level: Vec<f32>,
    pub(super) older_rounded: Vec<u8>,
    pub(super) older_steps: Vec<u8>,
    pub(super) change: Comparison,
    pub(super) other: Comparison,
    pub(super) samples: Samples,
    pub(super) detail: Vec<f32>,
}

impl MotionScratch {
    /// Takes the frame's plane.
    pub(super) fn load(&mut self, plane: &[u8], size: Size) {
        load(plane, size, &mut self.level, &mut self.steps);
    }

    /// Compares the frame with the plane of an older picture, under the exposure of the frame.
    pub(super) fn compare(&mut self, older: &[u8], size: Size, into: &mut Comparison) -> Exposure {
        load(older, size, &mut self.older_level, &mut self.older_steps);
        let (level, steps) = (&self.level, &self.steps);
        let fit = Exposure::fit(&self.older_level, level, None, size, &mut self.samples);
        let older = Picture {
            level: &self.older_level,
            steps: &self.older_steps,
        };
        into.make(Picture { level, steps }, older, &fit, size);
        fit
    }
}

fn load(plane: &[u8], size: Size, level: &mut Vec<f32>, steps: &mut Vec<u8>) {
    level.clear();
    level.extend(plane.iter().map(|pixel| f32::from(*pixel)));
    steepest_steps(plane, size, steps);
}
