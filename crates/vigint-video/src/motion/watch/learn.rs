//! What a frame teaches, and what does not belong to a visit any more.

use std::time::Duration;

use vigint_core::clock::UtcTime;

use super::super::field::steepest_steps;
use super::super::mask::Mask;
use super::super::{MotionScratch, MotionSettings};
use super::{Change, Difference, Watch};

/// A thing that this share of has stood for long belongs to the background. Longer than this, in milliseconds, no
/// pixel's age is known.
const STANDING: f32 = 0.5;
const MOST_AGE: u16 = 65_000;
/// A still area is asked whether it is a hole when half of it has stood for so long, in milliseconds.
const HOLE_MILLIS: u16 = 1_500;

impl Watch {
    /// Learns background and noise from the frame, and takes in what does not belong to a visit any more.
    pub(super) fn learn(
        &mut self,
        at: UtcTime,
        dt: f32,
        change: &Change,
        difference: &Difference,
        settings: &MotionSettings,
        scratch: &mut MotionScratch,
    ) {
        let mut gone = Mask::new(self.size);
        if self.visit.is_still_for(at, settings.static_after) {
            gone.add(self.visit.touched());
        } else if !self.visit.lives(at, settings) {
            self.draw_standing(difference, settings, &mut gone);
        }
        if gone.is_empty()
            && !self.visit.touched().is_empty()
            && self
                .visit
                .is_quiet_for(at, Duration::from_millis(u64::from(HOLE_MILLIS)))
        {
            self.draw_holes(difference, scratch, &mut gone);
        }
        let masks = (&difference.mask, self.visit.touched(), &change.mask);
        let tau = settings.background_tau.as_secs_f32();
        self.background.learn(&scratch.level, masks, dt, tau);
        let mut busy = self.background.foreground().clone();
        busy.remove(&self.flicker.mask());
        self.noise.learn_pixels(&scratch.change, &busy, dt);
        if !gone.is_empty() {
            self.background.absorb(&scratch.level, &gone);
            self.visit.release(&gone);
        }
    }

    /// Draws the areas of the visit that have stood for so long that they belong to the background, whatever moves
    /// elsewhere.
    fn draw_standing(
        &self,
        difference: &Difference,
        settings: &MotionSettings,
        standing: &mut Mask,
    ) {
        let regions = &difference.regions;
        let millis = settings.static_after.as_millis().min(u128::from(MOST_AGE));
        let millis = u16::try_from(millis).unwrap_or(MOST_AGE);
        for number in 0..regions.list.len() {
            if self.background.has_stood(regions, number, STANDING, millis)
                && regions.meets(number, self.visit.touched())
            {
                regions.draw(number, standing);
            }
        }
    }

    /// Draws the areas of the visit where a thing was taken away.
    fn draw_holes(&self, difference: &Difference, scratch: &mut MotionScratch, holes: &mut Mask) {
        let regions = &difference.regions;
        self.background.round(&mut scratch.older_rounded);
        steepest_steps(&scratch.older_rounded, self.size, &mut scratch.older_steps);
        for number in 0..regions.list.len() {
            let stands = self.background.has_stood(regions, number, 0.5, HOLE_MILLIS);
            if stands
                && regions.meets(number, self.visit.touched())
                && self
                    .background
                    .is_hole(regions, number, &scratch.steps, &scratch.older_steps)
            {
                regions.draw(number, holes);
            }
        }
    }
}
