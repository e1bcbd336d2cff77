//! What the scene looks like without the things that move.
//!
//! The background follows exposure at once (it is replaced by its own prediction) and its quiet parts follow
//! the picture slowly. Areas that motion has touched stay as they were until they turn out to be a hole (a
//! thing was taken away) or have stood for long.

#![allow(
    clippy::indexing_slicing,
    reason = "planes and masks have one size, and groups of a mask lie inside it"
)]

use super::exposure::{Exposure, Samples};
use super::field::{Comparison, Picture, Size, steepest_steps};
use super::mask::{Mask, bits};
use super::noise::step;
use super::regions::Regions;

/// An area no motion has touched is light, not a thing: it is taken in with this time constant, in seconds.
const UNTOUCHED_TAU: f32 = 2.0;
/// A thing was taken away when the background is this many times steeper along its contour.
const HOLE: f32 = 1.25;
/// During the first second the background is a plain mean.
const FIRST_SECONDS: f32 = 1.0;

/// The scene without its visitors.
#[derive(Debug)]
pub(super) struct Background {
    size: Size,
    level: Vec<f32>,
    /// Pixels that differed or changed in the last frame.
    foreground: Mask,
    /// For how long a pixel has differed without changing, in milliseconds.
    ages: Vec<u16>,
    /// For how long it has learned, in seconds, and from how many frames.
    age: f32,
    frames: f32,
}

impl Background {
    pub(super) fn new(first: &[f32], size: Size) -> Self {
        Self {
            size,
            level: first.to_vec(),
            foreground: Mask::new(size),
            ages: vec![0; size.pixels()],
            age: 0.0,
            frames: 1.0,
        }
    }

    pub(super) fn foreground(&self) -> &Mask {
        &self.foreground
    }

    /// Compares a frame with the background, after bringing the background to the frame's exposure.
    /// `steps` is room for its edges.
    pub(super) fn compare(
        &mut self,
        frame: Picture<'_>,
        samples: &mut Samples,
        rounded: &mut Vec<u8>,
        steps: &mut Vec<u8>,
        into: &mut Comparison,
    ) {
        let ignored = Some(&self.foreground);
        let fit = Exposure::fit(&self.level, frame.level, ignored, self.size, samples);
        if fit.inliers > 0.5 && (0.4..2.5).contains(&fit.gain) {
            // What is predicted goes to `expected`, which is as good a room as any.
            fit.predict(&self.level, self.size, &mut into.expected);
            std::mem::swap(&mut self.level, &mut into.expected);
        }
        self.round(rounded);
        steepest_steps(rounded, self.size, steps);
        let background = Picture {
            level: &self.level,
            steps,
        };
        into.make(frame, background, &Exposure::SAME, self.size);
    }

    /// Learns from a frame, after it was compared. `differing` are the pixels that differ, `touched` those of them
    /// that belong to something, `changing` those that change now; `tau` is the time constant in seconds of
    /// quiet pixels.
    pub(super) fn learn(
        &mut self,
        frame: &[f32],
        (differing, touched, changing): (&Mask, &Mask, &Mask),
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
        let groups = differing
            .groups()
            .zip(changing.groups())
            .zip(touched.groups());
        for (((first, count, differs), (.., changes)), (.., held)) in groups {
            let pixels = first..first + count;
            let both = self.level[pixels.clone()].iter_mut().zip(&frame[pixels]);
            if differs | changes == 0 {
                both.for_each(|(level, pixel)| *level += (pixel - *level) * quiet);
                continue;
            }
            for (at, (level, pixel)) in both.enumerate() {
                let is = |word: u64| word >> at & 1 == 1;
                let share = match (is(held), is(differs), is(changes)) {
                    (true, ..) | (false, false, true) => 0.0,
                    (false, true, _) => untouched,
                    (false, false, false) => quiet,
                };
                *level += (pixel - *level) * share;
            }
        }
        self.foreground.clear();
        self.foreground.add(differing);
        self.foreground.add(changing);
    }

    /// Counts for how long the pixels that differ have not changed.
    pub(super) fn grow_older(&mut self, differing: &Mask, changing: &Mask, dt: f32) {
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "`as` clamps a float to the range of u16"
        )]
        let millis = (dt * 1000.0) as u16;
        for ((first, count, differs), (.., changes)) in differing.groups().zip(changing.groups()) {
            let ages = &mut self.ages[first..first + count];
            let stands = differs & !changes;
            if stands == 0 {
                ages.fill(0);
                continue;
            }
            for (at, age) in ages.iter_mut().enumerate() {
                *age = if stands >> at & 1 == 1 {
                    age.saturating_add(millis)
                } else {
                    0
                };
            }
        }
    }

    /// Whether more than this share of a region's pixels have stood for so many milliseconds.
    pub(super) fn has_stood(
        &self,
        regions: &Regions,
        number: usize,
        share: f32,
        millis: u16,
    ) -> bool {
        let pixels = regions.pixels(number, self.size.width);
        let (old, all) = pixels.fold((0_u32, 0_u32), |(old, all), at| {
            (old + u32::from(self.ages[at] > millis), all + 1)
        });
        f64::from(old) > f64::from(share) * f64::from(all)
    }

    /// Takes in these pixels, and those beside them.
    pub(super) fn absorb(&mut self, frame: &[f32], gone: &Mask) {
        let gone = gone.grown();
        for (first, _, word) in gone.groups().filter(|(_, _, word)| *word != 0) {
            for at in bits(word).map(|bit| first + bit) {
                self.level[at] = frame[at];
                self.ages[at] = 0;
            }
        }
        self.foreground.remove(&gone);
    }

    /// Whether the edge around a region is in the background rather than in the frame: something was there.
    pub(super) fn is_hole(
        &self,
        regions: &Regions,
        number: usize,
        frame: &[u8],
        background: &[u8],
    ) -> bool {
        let mut region = Mask::new(self.size);
        regions.draw(number, &mut region);
        let mut contour = region.grown();
        contour.remove(&region.shrunk());
        let (before, now) = contour.iter().fold((0_u32, 0_u32), |(before, now), at| {
            (
                before + u32::from(background[at]),
                now + u32::from(frame[at]),
            )
        });
        f64::from(before) > f64::from(HOLE) * f64::from(now)
    }

    /// The background in whole grey levels.
    pub(super) fn round(&self, rounded: &mut Vec<u8>) {
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "`as` clamps a float to the range of u8"
        )]
        let round = |level: &f32| (level + 0.5) as u8;
        rounded.clear();
        rounded.extend(self.level.iter().map(round));
    }
}
