//! What the scene looks like without the things that move, and which of the differences to it are things.
//!
//! The background follows exposure at once (it is replaced by its own prediction) and its quiet parts follow
//! the picture slowly. Areas that motion has touched stay foreground until they turn out to be a hole (a
//! thing was taken away) or have stood for long.

#![allow(
    clippy::indexing_slicing,
    reason = "planes, masks and labels have one entry a pixel, and labels count the regions from 1"
)]

use super::exposure::Exposure;
use super::field::{Size, common_edges, sharp_difference, steepest_steps};
use super::noise::{Noise, step};
use super::regions::{self, Region, Regions};

/// An area no motion has touched is light, not a thing: it is taken in with this time constant.
const UNTOUCHED_TAU: f32 = 2.0;
/// Motion touches what lies this many pixels around it; what is touched may shift this much a frame.
const TOUCH_MARGIN: usize = 3;
const TOUCH_SHIFT: usize = 2;
/// A thing was taken away when the background is this many times steeper along its contour.
const HOLE: f32 = 1.25;
/// During the first second the background is a plain mean.
const FIRST_SECONDS: f32 = 1.0;

/// The scene without its visitors.
#[derive(Debug)]
pub(super) struct Background {
    level: Vec<f32>,
    /// Pixels that differed or changed in the last frame.
    foreground: Vec<bool>,
    touched: Vec<bool>,
    age: f32,
    frames: f32,
}

/// What differs from the background in one frame.
pub(super) struct Difference {
    pub(super) regions: Regions,
    /// For each region, whether motion touched it.
    pub(super) touched: Vec<bool>,
}

impl Difference {
    /// The regions that motion touched.
    pub(super) fn held(&self) -> impl Iterator<Item = &Region> {
        let both = self.regions.list.iter().zip(&self.touched);
        both.filter_map(|(region, touched)| touched.then_some(region))
    }

    fn is_touched(&self, at: usize) -> bool {
        matches!(self.regions.labels[at], label if label > 0 && self.touched[label - 1])
    }
}

impl Background {
    pub(super) fn new(first: Vec<f32>) -> Self {
        Self {
            foreground: vec![false; first.len()],
            touched: vec![false; first.len()],
            level: first,
            age: 0.0,
            frames: 1.0,
        }
    }

    pub(super) fn foreground(&self) -> &[bool] {
        &self.foreground
    }

    /// Compares a frame with the background, after bringing the background to the frame's exposure.
    /// `fired` are the areas that surely move.
    pub(super) fn compare(
        &mut self,
        frame: &[f32],
        noise: &Noise,
        (levels, factor): (f32, f32),
        fired: &[Region],
        size: Size,
    ) -> Difference {
        let fit = Exposure::fit(&self.level, frame, Some(&self.foreground), size);
        if fit.inliers > 0.5 && (0.4..2.5).contains(&fit.gain) {
            self.level = fit.predict(&self.level, size);
        }
        let difference = sharp_difference(frame, &self.level, size);
        let edges = common_edges(frame, &self.level, size);
        let mask = noise.above(&difference, &edges, levels, factor);
        let regions = regions::find(&regions::clean(&mask, size), size);
        let mut touched = vec![false; regions.list.len()];
        let before = regions::grow(&self.touched, size, TOUCH_SHIFT);
        for (at, &label) in regions
            .labels
            .iter()
            .enumerate()
            .filter(|(_, label)| **label > 0)
        {
            let (x, y) = (at % size.width, at / size.width);
            if before[at] || fired.iter().any(|area| area.contains(x, y, TOUCH_MARGIN)) {
                touched[label - 1] = true;
            }
        }
        Difference { regions, touched }
    }

    /// Learns from a frame, after it was compared. `changing` are the pixels that change now, `tau` the time
    /// constant in seconds of quiet pixels.
    pub(super) fn learn(
        &mut self,
        frame: &[f32],
        changing: &[bool],
        difference: &Difference,
        dt: f32,
        tau: f32,
    ) {
        self.age += dt;
        self.frames += 1.0;
        let mut quiet = step(dt, tau);
        if self.age < FIRST_SECONDS {
            quiet = quiet.max(1.0 / self.frames);
        }
        let untouched = step(dt, UNTOUCHED_TAU);
        for (at, level) in self.level.iter_mut().enumerate() {
            let differs = difference.regions.labels[at] > 0;
            let touched = difference.is_touched(at);
            let share = match (touched, differs, changing[at]) {
                (true, ..) | (false, false, true) => 0.0,
                (false, true, _) => untouched,
                (false, false, false) => quiet,
            };
            *level += (frame[at] - *level) * share;
            self.touched[at] = touched;
            self.foreground[at] = differs || changing[at];
        }
    }

    /// Takes in the touched areas where a thing was taken away, or all of them.
    pub(super) fn absorb(&mut self, frame: &[f32], difference: &Difference, all: bool, size: Size) {
        if !difference.touched.contains(&true) {
            return;
        }
        let holes = if all {
            difference.touched.clone()
        } else {
            self.holes(frame, &difference.regions, size)
        };
        let taken_in: Vec<bool> = difference
            .regions
            .labels
            .iter()
            .map(|&label| label > 0 && difference.touched[label - 1] && holes[label - 1])
            .collect();
        for (at, _) in regions::grow(&taken_in, size, 1)
            .iter()
            .enumerate()
            .filter(|(_, set)| **set)
        {
            self.level[at] = frame[at];
            self.touched[at] = false;
            self.foreground[at] = false;
        }
    }

    /// For each region, whether the edge around it is in the background rather than in the frame.
    fn holes(&self, frame: &[f32], regions: &Regions, size: Size) -> Vec<bool> {
        let mut steepness = vec![(0.0_f32, 0.0_f32); regions.list.len()];
        let planes = (
            steepest_steps(&self.level, size),
            steepest_steps(frame, size),
        );
        let mut count_border = |label: usize, other: usize, at: usize, beside: usize| {
            if label > 0 && label != other {
                let sums = &mut steepness[label - 1];
                sums.0 += planes.0[at] + planes.0[beside];
                sums.1 += planes.1[at] + planes.1[beside];
            }
        };
        for at in 0..regions.labels.len() {
            let right = (at + 1) % size.width != 0;
            for beside in [right.then_some(at + 1), Some(at + size.width)]
                .into_iter()
                .flatten()
            {
                if let Some(&other) = regions.labels.get(beside) {
                    let label = regions.labels[at];
                    count_border(label, other, at, beside);
                    count_border(other, label, beside, at);
                }
            }
        }
        steepness
            .iter()
            .map(|(background, frame)| *background > HOLE * frame)
            .collect()
    }
}
