//! How often each pixel changes: a screen, a lamp or a clock changes in place, again and again; a thing that
//! moves comes and goes.

#![allow(
    clippy::indexing_slicing,
    reason = "planes and masks have one size, and regions and groups lie inside it"
)]

use super::field::Size;
use super::mask::{Mask, bits};
use super::noise::step;
use super::regions::{Region, Regions};

/// Time constant of the share, in seconds.
const TAU: f32 = 8.0;
/// A pixel that changes this share of the time flickers.
const FLICKERS: f32 = 0.25;
/// What flickers in place keeps its box: so much of it is the same as in the frame before...
const SAME_BOX: f32 = 0.5;
/// ...and is smaller than this share of the picture.
const MAX_SHARE: f32 = 0.15;

/// The share of the time that each pixel changes.
#[derive(Debug)]
pub(super) struct Flicker {
    size: Size,
    /// In 1/65536.
    shares: Vec<u16>,
    /// The areas that changed in the last frame.
    last: Vec<Region>,
}

impl Flicker {
    pub(super) fn new(size: Size) -> Self {
        Self {
            size,
            shares: vec![0; size.pixels()],
            last: Vec::new(),
        }
    }

    /// Learns from the pixels that change now.
    pub(super) fn learn(&mut self, changing: &Mask, dt: f32) {
        let part = of_65536(step(dt, TAU));
        for share in &mut self.shares {
            let less = (u32::from(*share) * u32::from(part)) >> 16;
            *share -= u16::try_from(less).unwrap_or(0);
        }
        for (first, _, word) in changing.groups().filter(|(_, _, word)| *word != 0) {
            for bit in bits(word) {
                let share = &mut self.shares[first + bit];
                *share = share.saturating_add(part);
            }
        }
    }

    /// The pixels that change at least this share of the time.
    pub(super) fn above(&self, share: f32) -> Mask {
        let limit = of_65536(share);
        let mut mask = Mask::new(self.size);
        let mut flags = vec![0; self.size.width];
        for (y, row) in self.shares.chunks_exact(self.size.width).enumerate() {
            for (flag, share) in flags.iter_mut().zip(row) {
                *flag = u8::from(*share > limit);
            }
            mask.set_row(y, &flags);
        }
        mask
    }

    /// The pixels that flicker.
    pub(super) fn mask(&self) -> Mask {
        self.above(FLICKERS)
    }

    /// The areas of change of this frame, at least `min_area` pixels large, that do not flicker in place.
    pub(super) fn moving(&mut self, changes: &Regions, min_area: usize) -> Vec<Region> {
        let mut moving = Vec::new();
        let mut seen = Vec::new();
        for (number, area) in changes.list.iter().enumerate() {
            if area.area < min_area {
                continue;
            }
            seen.push(*area);
            let is_small = (area.area as f32) < MAX_SHARE * self.size.pixels() as f32;
            let was_there = self.last.iter().any(|last| last.overlap(area) > SAME_BOX);
            if !(is_small && was_there && 2 * self.flickering(changes, number) > area.area) {
                moving.push(*area);
            }
        }
        self.last = seen;
        moving
    }

    /// Whether less than a quarter of the time passes in change on the pixels of this region, in the mean.
    pub(super) fn is_calm(&self, regions: &Regions, number: usize) -> bool {
        let pixels = regions.pixels(number, self.size.width);
        let (count, sum) = pixels.fold((0_u64, 0_u64), |(count, sum), at| {
            (count + 1, sum + u64::from(self.shares[at]))
        });
        sum < count * u64::from(of_65536(FLICKERS))
    }

    /// How many pixels of a region flicker.
    fn flickering(&self, regions: &Regions, number: usize) -> usize {
        let limit = of_65536(FLICKERS);
        let pixels = regions.pixels(number, self.size.width);
        pixels.filter(|at| self.shares[*at] > limit).count()
    }
}

/// A share in 1/65536.
fn of_65536(share: f32) -> u16 {
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "`as` clamps a float to the range of u16"
    )]
    {
        (share * 65_536.0) as u16
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: Size = Size {
        width: 40,
        height: 20,
    };

    fn square(left: usize) -> Mask {
        let mut mask = Mask::new(SIZE);
        for y in 5..10 {
            mask.set_span(y, left, left + 5);
        }
        mask
    }

    #[test]
    fn what_changes_in_place_is_found_out_and_forgotten() {
        let mut flicker = Flicker::new(SIZE);
        let screen = Regions::of(&square(10));
        let found = |flicker: &mut Flicker| flicker.moving(&screen, 10).is_empty();
        assert!(!found(&mut flicker));
        for _ in 0..60 {
            flicker.learn(&square(10), 0.1);
        }
        assert!(found(&mut flicker));
        assert_eq!(flicker.mask(), square(10));
        assert!(!flicker.is_calm(&screen, 0));
        for _ in 0..100 {
            flicker.learn(&Mask::new(SIZE), 0.1);
        }
        assert!(!found(&mut flicker) && flicker.is_calm(&screen, 0));
    }

    #[test]
    fn what_passes_is_no_flicker() {
        let mut flicker = Flicker::new(SIZE);
        for left in 0..30 {
            flicker.learn(&square(left), 0.1);
            assert_eq!(flicker.moving(&Regions::of(&square(left)), 10).len(), 1);
        }
    }
}
