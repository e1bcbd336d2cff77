//! How much difference means nothing: sensor noise, of the picture and of each pixel, and camera shake.

#![allow(
    clippy::indexing_slicing,
    reason = "planes and masks have one size, and groups of a mask lie inside it"
)]

use super::exposure::SIGMA;
use super::field::{Comparison, Size};
use super::histogram::Histogram;
use super::mask::Mask;

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
const SHAKE_MIN_PIXELS: u32 = 10;
/// Each one of so many pixels is asked.
const SHAKE_STEP: usize = 4;

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

    /// The noise of the whole picture, in grey levels.
    pub(super) fn picture(&self) -> f32 {
        self.picture
    }

    /// Learns the shake from the edges outside the foreground. It rises quickly and falls slowly.
    pub(super) fn learn_shake(&mut self, change: &Comparison, foreground: &Mask, dt: f32) {
        let mut shifts = Histogram::new(0.0, 2.0);
        for (first, count, front) in foreground.groups() {
            let pixels = first..first + count;
            let both = change.sharp[pixels.clone()]
                .iter()
                .zip(&change.edges[pixels]);
            for (at, (sharp, edge)) in both.enumerate().step_by(SHAKE_STEP) {
                let is_steep = *edge > SHAKE_EDGE && front >> at & 1 == 0;
                shifts.add_if(is_steep, (sharp.abs() - self.picture).max(0.0) / edge);
            }
        }
        if shifts.total() >= SHAKE_MIN_PIXELS {
            let measured = shifts.median();
            let tau = if measured > self.shake { 0.3 } else { 5.0 };
            self.shake += (measured - self.shake) * step(dt, tau);
        }
    }

    /// Learns the noise of the pixels that are not `busy`: that neither belong to something nor change.
    pub(super) fn learn_pixels(&mut self, change: &Comparison, busy: &Mask, dt: f32) {
        let share = step(dt, PIXEL_TAU);
        for (first, count, busy) in busy.groups() {
            let pixels = first..first + count;
            let both = self.pixels[pixels.clone()]
                .iter_mut()
                .zip(&change.sharp[pixels]);
            if busy == 0 {
                both.for_each(|(noise, sharp)| *noise = learned(*noise, *sharp, share));
            } else {
                for (at, (noise, sharp)) in both.enumerate() {
                    if busy >> at & 1 == 0 {
                        *noise = learned(*noise, *sharp, share);
                    }
                }
            }
        }
    }

    /// The pixels whose difference is above `limit`, and more than shake does at such an edge; without speckle.
    pub(super) fn above(&self, difference: &Comparison, limit: Limit, size: Size) -> Mask {
        self.mask(difference, size, limit, |noise| limit.noise * noise)
    }

    /// The same where no pixel is known to be noisier than others.
    pub(super) fn plainly_above(&self, difference: &Comparison, limit: Limit, size: Size) -> Mask {
        self.mask(difference, size, limit, |_| 0.0)
    }

    fn mask(
        &self,
        difference: &Comparison,
        size: Size,
        limit: Limit,
        of_pixel: impl Fn(f32) -> f32,
    ) -> Mask {
        let shake = (SHAKE_BASE + SHAKE_FACTOR * self.shake).min(SHAKE_MAX);
        let floor = self.floor(limit);
        let mut mask = Mask::new(size);
        let mut flags = vec![0_u8; size.width];
        for y in 0..size.height {
            let row = y * size.width..(y + 1) * size.width;
            let pixels = difference.sharp[row.clone()]
                .iter()
                .zip(&difference.edges[row.clone()])
                .zip(&self.pixels[row]);
            for (flag, ((sharp, edge), noise)) in flags.iter_mut().zip(pixels) {
                let threshold = floor.max(of_pixel(*noise)) + shake * edge;
                *flag = u8::from(sharp.abs() > threshold);
            }
            mask.set_row(y, &flags);
        }
        mask.cleaned()
    }

    /// What a pixel must differ by at least, in grey levels.
    pub(super) fn floor(&self, limit: Limit) -> f32 {
        limit.levels.max(limit.noise * self.picture)
    }
}

/// From which difference on a pixel counts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Limit {
    /// Above this many grey levels...
    pub(super) levels: f32,
    /// ...and this many times the noise.
    pub(super) noise: f32,
}

/// A pixel's noise after it differed by `sharp`. Mean distance to standard deviation, of one picture out of two.
fn learned(noise: f32, sharp: f32, share: f32) -> f32 {
    let measured = 1.25 * sharp.abs().min(20.0) / std::f32::consts::SQRT_2;
    (noise + (measured - noise) * share).clamp(*PIXEL_RANGE.start(), *PIXEL_RANGE.end())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: Size = Size {
        width: 10,
        height: 10,
    };
    const LIMIT: Limit = Limit {
        levels: 6.0,
        noise: 5.0,
    };

    fn differing(sharp: Vec<f32>, edges: Vec<f32>) -> Comparison {
        Comparison {
            sharp,
            edges,
            ..Comparison::default()
        }
    }

    #[test]
    fn a_noisy_pixel_needs_a_larger_difference() {
        let mut noise = Noise::new(SIZE);
        let mut sharp = vec![0.0; 100];
        sharp[47] = 6.0;
        let change = differing(sharp, vec![0.0; 100]);
        for _ in 0..200 {
            noise.learn_pixels(&change, &Mask::new(SIZE), 0.1);
        }
        let mask = noise.above(&differing(vec![12.0; 100], vec![0.0; 100]), LIMIT, SIZE);
        assert!(!mask.has(7, 4));
        assert_eq!(mask.count(), 99);
    }

    #[test]
    fn a_busy_pixel_teaches_nothing() {
        let mut noise = Noise::new(SIZE);
        let mut busy = Mask::new(SIZE);
        busy.set_span(4, 0, 5);
        busy.set_span(5, 0, 5);
        let change = differing(vec![6.0; 100], vec![0.0; 100]);
        for _ in 0..200 {
            noise.learn_pixels(&change, &busy, 0.1);
        }
        let mask = noise.above(&differing(vec![12.0; 100], vec![0.0; 100]), LIMIT, SIZE);
        assert!(mask.iter().eq((40..45).chain(50..55)));
    }

    #[test]
    fn shake_excuses_differences_at_edges_only() {
        let mut noise = Noise::new(SIZE);
        let mut edges = vec![0.0; 100];
        edges[..60].fill(40.0);
        let moved = differing(edges.iter().map(|edge| edge * 0.3).collect(), edges.clone());
        for _ in 0..20 {
            noise.learn_shake(&moved, &Mask::new(SIZE), 0.1);
        }
        let mask = noise.above(&differing(vec![15.0; 100], edges), LIMIT, SIZE);
        assert!(!mask.has(0, 0) && mask.has(9, 9));
    }
}
