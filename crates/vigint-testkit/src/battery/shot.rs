//! What a case draws on, once a frame: the scene, how the camera sees it, and what is written over it.

#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "seconds and places are small and not negative"
)]

use super::camera::Look;
use super::figure::Figure;
use super::overlay::Overlay;
use super::picture::{HEIGHT, Picture, WIDTH};
use crate::splitmix::SplitMix;

/// One frame in the making. It begins with the empty room.
pub(super) struct Shot<'a> {
    /// Seconds from the beginning of the recording.
    pub(super) now: f64,
    /// The scene.
    pub(super) scene: &'a mut Picture,
    /// The room of [`super::Case::other_room`], empty; without one, this room.
    pub(super) other_room: &'a Picture,
    /// How the camera sees it.
    pub(super) look: Look,
    /// What is written over it.
    pub(super) overlays: Vec<Overlay>,
    seed: u64,
}

impl<'a> Shot<'a> {
    pub(super) fn new(
        now: f64,
        seed: u64,
        scene: &'a mut Picture,
        other_room: &'a Picture,
    ) -> Self {
        Self {
            now,
            scene,
            other_room,
            look: Look::default(),
            overlays: Vec::new(),
            seed,
        }
    }

    /// Whether it is between these seconds.
    pub(super) fn is_within(&self, start: f64, end: f64) -> bool {
        (start..end).contains(&self.now)
    }

    /// How much of the time between these seconds has gone, 0..=1.
    pub(super) fn progress(&self, start: f64, end: f64) -> f32 {
        ((self.now - start) / (end - start)).clamp(0.0, 1.0) as f32
    }

    /// A swing between -1 and 1 that takes so many seconds.
    pub(super) fn swing(&self, period: f64) -> f32 {
        (self.now / period * std::f64::consts::TAU).sin() as f32
    }

    /// Random numbers that are others `times_a_second`, and the same in between.
    pub(super) fn random(&self, times_a_second: f64) -> SplitMix {
        let step = (self.now * times_a_second + 0.001) as u64;
        let mut random = SplitMix(self.seed ^ step.wrapping_mul(0x5851_f42d_4c95_7f2d));
        random.next();
        random
    }

    /// Draws a figure where it is now.
    pub(super) fn figure(&mut self, figure: &Figure) {
        figure.draw(self.scene, self.now);
    }

    /// Makes the scene darker (`depth` above 0) around a place, softly; `reach` is the standard deviation of
    /// the shade in pixels.
    pub(super) fn shade(&mut self, middle: (f32, f32), reach: f32, depth: f32) {
        // The shade of a row and of a column, multiplied: a round one, without a root for each pixel.
        let falloff = |away: f32| (-(away * away) / (2.0 * reach * reach)).exp();
        let columns: Vec<f32> = (0..WIDTH)
            .map(|x| falloff(f32::from(x) - middle.0))
            .collect();
        for (y, row) in (0..HEIGHT).zip(self.scene.rows_mut()) {
            let down = depth * falloff(f32::from(y) - middle.1);
            for (pixel, across) in row.iter_mut().zip(&columns) {
                *pixel *= 1.0 - down * across;
            }
        }
    }
}
