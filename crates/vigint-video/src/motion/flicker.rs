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
/// What flickers in place stays there: so much of its box is the same as some time before...
const SAME_BOX: f32 = 0.5;
/// ...in seconds...
const STEADY: f32 = 2.0;
/// ...and is smaller than this share of the picture.
const MAX_SHARE: f32 = 0.15;

/// Only so many places are looked at, the largest.
const MAX_PLACES: usize = 64;

/// The share of the time that each pixel changes.
#[derive(Debug)]
pub(super) struct Flicker {
    size: Size,
    /// In 1/65536.
    shares: Vec<u16>,
    /// Where it flickered at the last but one time that it was written down, and at the last.
    before: Vec<Region>,
    lately: Vec<Region>,
    /// Seconds since then.
    age: f32,
}

impl Flicker {
    pub(super) fn new(size: Size) -> Self {
        Self {
            size,
            shares: vec![0; size.pixels()],
            before: Vec::new(),
            lately: Vec::new(),
            age: 0.0,
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
        self.age += dt;
        if self.age >= STEADY {
            self.age = 0.0;
            let now = Regions::of(&self.mask());
            let largest = now.largest(MAX_PLACES).into_iter();
            let now = largest.filter_map(|number| now.list.get(number).copied());
            self.before = std::mem::replace(&mut self.lately, now.collect());
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

    /// The places that have flickered for some time, and are no larger than a screen.
    pub(super) fn places(&self) -> Mask {
        let largest = MAX_SHARE * self.size.pixels() as f32;
        let places = Regions::of(&self.mask());
        let mut mask = Mask::new(self.size);
        for number in places.largest(MAX_PLACES) {
            let is_place = places.list.get(number).is_some_and(|place| {
                let is_old = self.before.iter().any(|old| old.overlap(place) > SAME_BOX);
                (place.area as f32) < largest && is_old
            });
            if is_place {
                places.draw(number, &mut mask);
            }
        }
        mask
    }

    /// Whether a region flickers in one of these places, rather than moves.
    pub(super) fn is_in_place(&self, regions: &Regions, number: usize, places: &Mask) -> bool {
        let area = regions.list.get(number).map_or(0, |region| region.area);
        2 * self.flickering(regions, number) > area && regions.meets(number, places)
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
        width: 60,
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
        assert!(!flicker.is_in_place(&screen, 0, &flicker.places()));
        for _ in 0..80 {
            flicker.learn(&square(10), 0.1);
        }
        assert!(flicker.is_in_place(&screen, 0, &flicker.places()));
        assert_eq!(flicker.mask(), square(10));
        assert!(!flicker.is_calm(&screen, 0));
        for _ in 0..120 {
            flicker.learn(&Mask::new(SIZE), 0.1);
        }
        assert!(!flicker.is_in_place(&screen, 0, &flicker.places()) && flicker.is_calm(&screen, 0));
    }

    #[test]
    fn what_passes_is_no_flicker() {
        let mut flicker = Flicker::new(SIZE);
        for left in 0..50 {
            flicker.learn(&square(left), 0.1);
            assert!(!flicker.is_in_place(&Regions::of(&square(left)), 0, &flicker.places()));
        }
    }
}
