//! What a camera adds to a scene: noise in every picture, and an exposure that follows slow light.

#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "levels are clamped to 0..=255 first, and of a random number any bits will do"
)]

use std::time::Duration;

use super::canvas::Canvas;
use crate::splitmix::SplitMix;

/// Noise of a camera in a lit shop: standard deviation, in grey levels.
const SHOP_NOISE: f32 = 2.2;
/// Noise that makes a picture as large as a busy room does.
pub(super) const LOAD_NOISE: f32 = 5.5;
/// How far the light sways to both sides, and how long one sway takes.
const LIGHT_SWAY: f32 = 0.06;
const LIGHT_PERIOD: Duration = Duration::from_secs(24);
/// How many different noise values there are; each row begins somewhere else among them.
const GRAINS: usize = 1 << 15;

/// A camera's sensor. Each picture takes new noise from it.
pub(super) struct Sensor {
    random: SplitMix,
    /// Normally distributed around 0, in units of the standard deviation.
    grains: Vec<f32>,
}

impl Sensor {
    pub(super) fn new(seed: u64) -> Self {
        let mut random = SplitMix(seed);
        let grains = (0..GRAINS).map(|_| random.normal()).collect();
        Self { random, grains }
    }

    /// Makes of a drawn scene what the camera sees of it at this time.
    pub(super) fn expose(&mut self, picture: &mut Canvas, at: Duration) {
        let turns = at.as_secs_f32() / LIGHT_PERIOD.as_secs_f32();
        let light = 1.0 + LIGHT_SWAY * (turns * std::f32::consts::TAU).sin();
        self.read_out(picture, light, SHOP_NOISE);
    }

    /// Adds noise of this standard deviation, in grey levels.
    pub(super) fn add_noise(&mut self, picture: &mut Canvas, deviation: f32) {
        self.read_out(picture, 1.0, deviation);
    }

    fn read_out(&mut self, picture: &mut Canvas, light: f32, deviation: f32) {
        for row in picture.rows_mut() {
            let mut grain = self.random.next() as usize;
            for pixel in row.chunks_exact_mut(3) {
                // Most noise is common to the three colours, as it is after a camera's own smoothing.
                let common = self.grains[grain % GRAINS];
                for level in pixel {
                    grain = grain.wrapping_add(1);
                    let noise = deviation * (common + 0.4 * self.grains[grain % GRAINS]);
                    *level = (f32::from(*level) * light + noise)
                        .round()
                        .clamp(0.0, 255.0) as u8;
                }
            }
        }
    }
}
