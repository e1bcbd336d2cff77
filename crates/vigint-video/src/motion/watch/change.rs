//! What changed over the short lag, and which of it may be something that moves.

use vigint_core::clock::UtcTime;

use super::super::regions::{Region, Regions};
use super::super::{MotionScratch, MotionSettings};
use super::{Change, Watch, long_enough};
use crate::grey::GreyPlane;

/// A picture that should be a lag old and is older than this many has missed what happened between.
const MOST_LAG: f32 = 2.5;
/// A frame tells nothing when this share of the picture changes, or less than this share is as predicted.
const MAX_CHANGE: f32 = 0.5;
const MIN_INLIERS: f32 = 0.4;
/// An area that looks as it did a moment before in this share of its pixels has blinked.
const SAME_AGAIN: f32 = 0.9;
/// Only so many areas of a frame are looked at, the largest.
const MAX_AREAS: usize = 64;

impl Watch {
    /// What changed since the newest frame that is at least the lag old.
    pub(super) fn change(
        &mut self,
        at: UtcTime,
        dt: f32,
        settings: &MotionSettings,
        scratch: &mut MotionScratch,
    ) -> Change {
        let size = self.size;
        let older = self.history.older(at, long_enough(settings.lag));
        let mut compared = std::mem::take(&mut scratch.change);
        let fit = scratch.compare(older.pixels(), size, &mut compared);
        scratch.change = compared;
        if let Some(spread) = fit.spread {
            self.noise.learn_spread(spread, dt);
        }
        let foreground = self.background.foreground();
        self.noise.learn_shake(&scratch.change, foreground, dt);
        let limit = settings.change();
        let mask = self.noise.above(&scratch.change, limit, size);
        // What a pixel's noise has come to excuse flickers all the same.
        let flickering = self.noise.plainly_above(&scratch.change, limit, size);
        self.flicker.learn(&flickering, dt);
        let tells = self.share(&mask) <= MAX_CHANGE && fit.inliers >= MIN_INLIERS;
        let areas = if tells {
            Regions::of(&mask)
        } else {
            Regions::default()
        };
        let evidence = self.evidence(&areas, settings);
        Change {
            mask,
            areas,
            evidence,
        }
    }

    /// The areas of change that may be something that moves.
    fn evidence(&self, areas: &Regions, settings: &MotionSettings) -> Vec<Region> {
        if areas.list.is_empty() {
            return Vec::new();
        }
        let places = self.flicker.places();
        let numbers = areas.largest(MAX_AREAS).into_iter();
        numbers
            .filter(|number| !self.flicker.is_in_place(areas, *number, &places))
            .filter_map(|number| areas.list.get(number).copied())
            .filter(|area| area.area >= settings.min_area)
            .collect()
    }

    /// Whether an area of change looks as it did before it changed: what blinks comes back to what it was, what moves
    /// does not, for it covers a place and uncovers another.
    pub(super) fn blinks(
        &self,
        at: UtcTime,
        plane: &GreyPlane,
        change: &Change,
        area: &Region,
        settings: &MotionSettings,
    ) -> bool {
        let floor = self.noise.floor(settings.change());
        let Some(number) = change.areas.list.iter().position(|other| other == area) else {
            return false;
        };
        let lag = settings.lag;
        let mut older = self
            .history
            .before(at, long_enough(lag), lag.mul_f32(MOST_LAG));
        older.any(|older| {
            let pixels = change.areas.pixels(number, self.size.width);
            let same = pixels.filter(|at| {
                let levels = plane.pixels().get(*at).zip(older.pixels().get(*at));
                levels.is_some_and(|(now, then)| f32::from(now.abs_diff(*then)) <= floor)
            });
            same.count() as f32 >= SAME_AGAIN * area.area as f32
        })
    }
}
