//! How much difference means nothing: sensor noise, of the picture and of each pixel, and camera shake.

use super::exposure::{SIGMA, median};
use super::field::Size;

/// Noise of the picture in grey levels, at least; its time constant, and the frames that set it directly.
const MIN_NOISE: f32 = 0.5;
const NOISE_TAU: f32 = 3.0;
const FIRST_FRAMES: u32 = 4;
/// Noise of one pixel: its range in grey levels and its time constant.
const PIXEL_RANGE: std::ops::RangeInclusive<f32> = 0.3..=12.0;
const PIXEL_TAU: f32 = 8.0;
/// A picture that shakes by one pixel changes by as much as its edges are steep. Tolerated shake in pixels:
/// this, plus so many times what is measured, up to a maximum.
const SHAKE_BASE: f32 = 0.10;
const SHAKE_FACTOR: f32 = 3.0;
const SHAKE_MAX: f32 = 0.8;
/// Shake is measured on edges steeper than this, if there are enough of them.
const SHAKE_EDGE: f32 = 12.0;
const SHAKE_MIN_PIXELS: usize = 40;

/// The share of the way that a running mean of time constant `tau` goes in `dt` seconds.
pub(super) fn step(dt: f32, tau: f32) -> f32 {
    1.0 - (-dt / tau).exp()
}

/// What is known of the noise of one source.
#[derive(Debug)]
pub(super) struct Noise {
    picture: f32,
    pixels: Vec<f32>,
    shake: f32,
    frames: u32,
}

impl Noise {
    pub(super) fn new(size: Size) -> Self {
        Self {
            picture: MIN_NOISE,
            pixels: vec![*PIXEL_RANGE.start(); size.pixels()],
            shake: 0.0,
            frames: 0,
        }
    }

    /// Learns the picture's noise from how well a frame was predicted (median distance, grey levels).
    pub(super) fn learn_spread(&mut self, spread: f32, dt: f32) {
        self.frames = self.frames.saturating_add(1);
        let measured = SIGMA * spread;
        if self.frames <= FIRST_FRAMES {
            self.picture = measured;
        } else {
            self.picture += (measured - self.picture) * step(dt, NOISE_TAU);
        }
        self.picture = self.picture.max(MIN_NOISE);
    }

    /// Learns the shake from the edges outside the foreground. It rises quickly and falls slowly.
    pub(super) fn learn_shake(
        &mut self,
        change: &[f32],
        edges: &[f32],
        foreground: &[bool],
        dt: f32,
    ) {
        let steep = |((change, edge), front): ((&f32, &f32), &bool)| {
            let steep = *edge > SHAKE_EDGE && !front;
            steep.then(|| (change.abs() - self.picture).max(0.0) / edge)
        };
        let shifts: Vec<f32> = change
            .iter()
            .zip(edges)
            .zip(foreground)
            .filter_map(steep)
            .collect();
        let count = shifts.len();
        let measured = median(shifts.into_iter(), 0.0, 2.0);
        if count >= SHAKE_MIN_PIXELS {
            let tau = if measured > self.shake { 0.3 } else { 5.0 };
            self.shake += (measured - self.shake) * step(dt, tau);
        }
    }

    /// Learns the noise of the pixels that neither belong to something nor change.
    pub(super) fn learn_pixels(&mut self, change: &[f32], busy: &[bool], dt: f32) {
        let share = step(dt, PIXEL_TAU);
        for ((noise, change), busy) in self.pixels.iter_mut().zip(change).zip(busy) {
            if !busy {
                // Mean distance to standard deviation, of one picture out of two.
                let measured = 1.25 * change.abs().min(20.0) / std::f32::consts::SQRT_2;
                *noise += (measured - *noise) * share;
                *noise = noise.clamp(*PIXEL_RANGE.start(), *PIXEL_RANGE.end());
            }
        }
    }

    /// The pixels whose difference is above `levels`, above `factor` times the noise, and more than shake
    /// does at such an edge.
    pub(super) fn above(
        &self,
        difference: &[f32],
        edges: &[f32],
        levels: f32,
        factor: f32,
    ) -> Vec<bool> {
        let shake = (SHAKE_BASE + SHAKE_FACTOR * self.shake).min(SHAKE_MAX);
        difference
            .iter()
            .zip(edges)
            .zip(&self.pixels)
            .map(|((difference, edge), noise)| {
                let threshold = levels.max(factor * noise.max(self.picture));
                difference.abs() > threshold + shake * edge
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: Size = Size {
        width: 10,
        height: 10,
    };

    #[test]
    fn a_noisy_pixel_needs_a_larger_difference() {
        let mut noise = Noise::new(SIZE);
        let mut change = vec![0.0; 100];
        change[7] = 6.0;
        for _ in 0..200 {
            noise.learn_pixels(&change, &[false; 100], 0.1);
        }
        let mask = noise.above(&[12.0; 100], &[0.0; 100], 6.0, 5.0);
        assert!(!mask[7]);
        assert_eq!(mask.iter().filter(|set| **set).count(), 99);
    }

    #[test]
    fn shake_excuses_differences_at_edges_only() {
        let mut noise = Noise::new(SIZE);
        let mut edges = vec![0.0; 100];
        edges[..60].fill(40.0);
        let change: Vec<f32> = edges.iter().map(|edge| edge * 0.3).collect();
        for _ in 0..20 {
            noise.learn_shake(&change, &edges, &[false; 100], 0.1);
        }
        let mask = noise.above(&[15.0; 100], &edges, 6.0, 5.0);
        assert!(!mask[0] && mask[99]);
    }
}
