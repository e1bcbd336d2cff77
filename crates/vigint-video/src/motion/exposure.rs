//! What a frame would look like if only the exposure had changed since an older one.
//!
//! A robust fit of `new = gain * old + offset + tilt_x * X + tilt_y * Y` (X, Y the position, -0.5..=0.5): cameras
//! change gain and offset all the time, and that is not motion.

#![allow(
    clippy::indexing_slicing,
    reason = "lanes, rows and columns run over arrays of as many"
)]

use super::field::Size;
use super::histogram::Histogram;
use super::least_squares::{LANES, lanes, row_sums, solve, sum};
use super::mask::Mask;

/// Pixels used are this far from black and white in the newer and the older picture: clipped ones lie.
const NEWER_RANGE: std::ops::RangeInclusive<f32> = 4.0..=251.0;
const OLDER_RANGE: std::ops::RangeInclusive<f32> = 2.0..=253.0;
/// With fewer usable pixels the pictures are compared as they are.
const MIN_PIXELS: f32 = 48.0;
const ROUNDS: usize = 4;
/// What is predicted may lie outside of what a picture can show, but not without bound.
const LEVELS: std::ops::RangeInclusive<f32> = -256.0..=512.0;
/// From the median of distances to their standard deviation, were they normal.
pub(super) const SIGMA: f32 = 1.48;

/// How one picture comes out of another.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Exposure {
    pub(super) gain: f32,
    offset: f32,
    tilt_x: f32,
    tilt_y: f32,
    /// Share of the pixels used that this explains, 0..=1.
    pub(super) inliers: f32,
    /// Median distance of those pixels from what was predicted, in grey levels. `None` when there were too
    /// few to say.
    pub(super) spread: Option<f32>,
}

/// The pixels that a fit looks at, and room for them: every second across and down.
#[derive(Debug, Default)]
pub(super) struct Samples {
    width: usize,
    old: Vec<f32>,
    /// Newer minus older.
    change: Vec<f32>,
    /// 1 where the pixel can be used, else 0.
    usable: Vec<f32>,
    /// Distance from what the last fit predicts, not negative.
    distance: Vec<f32>,
    /// Position of each column and each row.
    columns: Vec<f32>,
    rows: Vec<f32>,
    count: f32,
}

/// Of the pixels that a fit looks at, each one of so many is counted for a median.
const MEDIAN_STEP: usize = 4;
/// A fit is good when no pixel would be predicted this many grey levels otherwise by another round.
const SETTLED: f32 = 0.2;
/// Sums of [`Exposure::least_squares`].
const SUMS: usize = 14;

impl Samples {
    fn take(&mut self, older: &[f32], newer: &[f32], ignored: Option<&Mask>, size: Size) {
        self.width = size.width / 2;
        let lanes = self.width.next_multiple_of(LANES);
        self.columns.clear();
        self.columns
            .extend((0..self.width).map(|x| position(2 * x, size.width)));
        self.columns.resize(lanes, 0.0);
        self.rows.clear();
        for samples in [&mut self.old, &mut self.change, &mut self.usable] {
            samples.clear();
        }
        let both = older
            .chunks_exact(size.width)
            .zip(newer.chunks_exact(size.width));
        for (y, (old, new)) in both.enumerate().step_by(2) {
            self.rows.push(position(y, size.height));
            let (old, new) = (old.as_chunks::<2>().0, new.as_chunks::<2>().0);
            let end = self.old.len() + lanes;
            self.old.extend(old.iter().map(|[old, _]| *old));
            self.change
                .extend(old.iter().zip(new).map(|([old, _], [new, _])| new - old));
            self.usable
                .extend(old.iter().zip(new).map(|([old, _], [new, _])| {
                    let is_usable = OLDER_RANGE.contains(old) & NEWER_RANGE.contains(new);
                    f32::from(u8::from(is_usable))
                }));
            if let Some(ignored) = ignored {
                let from = end - lanes;
                for (from_x, to_x) in ignored.runs(y) {
                    let (first, behind) = (from_x.div_ceil(2), to_x.div_ceil(2).min(self.width));
                    if let Some(usable) = self.usable.get_mut(from + first..from + behind) {
                        usable.fill(0.0);
                    }
                }
            }
            for samples in [&mut self.old, &mut self.change, &mut self.usable] {
                samples.resize(end, 0.0);
            }
        }
        self.count = sum(self.usable.as_chunks().0.iter().copied());
    }

    /// The row's position, and its pixels: older, change, usable.
    fn rows(&self) -> impl Iterator<Item = (f32, &[f32], &[f32], &[f32])> {
        let lanes = self.columns.len().max(1);
        let pixels = self
            .old
            .chunks_exact(lanes)
            .zip(self.change.chunks_exact(lanes))
            .zip(self.usable.chunks_exact(lanes));
        self.rows
            .iter()
            .zip(pixels)
            .map(|(row, ((old, change), usable))| (*row, old, change, usable))
    }

    /// The median of `values`, which lie between `low` and `high`, over the pixels that can be used.
    fn median(&self, values: &[f32], low: f32, high: f32) -> f32 {
        let mut counts = Histogram::new(low, high);
        for (value, usable) in values.iter().zip(&self.usable).step_by(MEDIAN_STEP) {
            counts.add_if(*usable > 0.5, *value);
        }
        counts.median()
    }
}

impl Exposure {
    /// Nothing has changed.
    pub(super) const SAME: Self = Self {
        gain: 1.0,
        offset: 0.0,
        tilt_x: 0.0,
        tilt_y: 0.0,
        inliers: 1.0,
        spread: None,
    };

    /// Fits `newer` to `older`, without the pixels set in `ignored`.
    pub(super) fn fit(
        older: &[f32],
        newer: &[f32],
        ignored: Option<&Mask>,
        size: Size,
        samples: &mut Samples,
    ) -> Self {
        samples.take(older, newer, ignored, size);
        if samples.count < MIN_PIXELS {
            return Self::SAME;
        }
        let mut fit = Self {
            offset: samples.median(&samples.change, -255.0, 255.0),
            ..Self::SAME
        };
        fit.measure(samples);
        for _ in 0..ROUNDS {
            let near = 2.5 * SIGMA * fit.median_distance(samples) + 1.5;
            let Some(better) = fit.least_squares(samples, near) else {
                break;
            };
            let moved = better.moved_from(&fit);
            fit = better;
            fit.measure(samples);
            if moved < SETTLED {
                break;
            }
        }
        let spread = fit.median_distance(samples);
        let near = (5.0 * SIGMA * spread).max(6.0);
        let distances = samples.distance.as_chunks::<LANES>().0.iter();
        let pixels = distances.zip(samples.usable.as_chunks::<LANES>().0);
        let inside = sum(pixels.map(|(distance, usable)| {
            lanes(|at| if distance[at] < near { usable[at] } else { 0.0 })
        }));
        fit.inliers = inside / samples.count;
        fit.spread = Some(spread);
        fit
    }

    /// The older picture under this exposure.
    pub(super) fn predict(&self, older: &[f32], size: Size, predicted: &mut Vec<f32>) {
        predicted.clear();
        let tilts: Vec<f32> = (0..size.width)
            .map(|x| self.tilt_x * position(x, size.width))
            .collect();
        for (y, line) in older.chunks_exact(size.width).enumerate() {
            let base = self.offset + self.tilt_y * position(y, size.height);
            let pixels = line.iter().zip(&tilts);
            predicted.extend(pixels.map(|(old, tilt)| {
                let level = self.gain * old + (base + tilt);
                level.clamp(*LEVELS.start(), *LEVELS.end())
            }));
        }
    }

    /// By how many grey levels a pixel of middle brightness, or one in a corner, is predicted otherwise.
    fn moved_from(&self, other: &Self) -> f32 {
        128.0 * (self.gain - other.gain).abs()
            + (self.offset - other.offset).abs()
            + 0.5 * (self.tilt_x - other.tilt_x).abs()
            + 0.5 * (self.tilt_y - other.tilt_y).abs()
    }

    /// Measures how far each pixel is from what is predicted.
    fn measure(&self, samples: &mut Samples) {
        let mut distance = std::mem::take(&mut samples.distance);
        distance.clear();
        for (row, old, change, _) in samples.rows() {
            let base = self.offset + self.tilt_y * row;
            let pixels = old.iter().zip(change).zip(&samples.columns);
            distance.extend(pixels.map(|((old, change), column)| {
                (change - (self.gain - 1.0) * old - (base + self.tilt_x * column)).abs()
            }));
        }
        samples.distance = distance;
    }

    fn median_distance(&self, samples: &Samples) -> f32 {
        samples.median(&samples.distance, 0.0, 64.0)
    }

    /// One round over the pixels less than `near` from what is predicted now.
    fn least_squares(&self, samples: &Samples, near: f32) -> Option<Self> {
        // Unknowns: gain - 1, offset, tilts. The sums are what stands over the diagonal of the normal equations,
        // and their right side.
        let mut sums = [0.0_f64; SUMS];
        let lanes = samples.columns.len().max(1);
        let distances = samples.distance.chunks_exact(lanes);
        for ((row, old, change, usable), distance) in samples.rows().zip(distances) {
            let [oo, o, ox, od, n, x, d, xx, xd] =
                row_sums(&samples.columns, old, change, usable, distance, near);
            let y = f64::from(row);
            let products = [
                oo,
                o,
                ox,
                o * y,
                od,
                n,
                x,
                n * y,
                d,
                xx,
                x * y,
                xd,
                n * y * y,
                d * y,
            ];
            for (sum, product) in sums.iter_mut().zip(products) {
                *sum += product;
            }
        }
        let [oo, o1, ox, oy, od, used, x1, y1, d1, xx, xy, xd, yy, yd] = sums;
        let mut rows = [
            [oo, o1, ox, oy, od],
            [o1, used, x1, y1, d1],
            [ox, x1, xx, xy, xd],
            [oy, y1, xy, yy, yd],
        ];
        // Steadies gain and tilts on pictures without contrast, where many would fit.
        let [gain_row, _, x_row, y_row] = &mut rows;
        gain_row[0] += used;
        x_row[2] += 0.02 * used;
        y_row[3] += 0.02 * used;
        let [gain, offset, tilt_x, tilt_y] = solve(rows)?;
        Some(Self {
            gain: 1.0 + gain,
            offset,
            tilt_x,
            tilt_y,
            ..*self
        })
    }
}

/// -0.5..=0.5 along a side.
fn position(at: usize, side: usize) -> f32 {
    (at as f32 + 0.5) / side as f32 - 0.5
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: Size = Size {
        width: 80,
        height: 50,
    };

    fn scene() -> Vec<f32> {
        (0..SIZE.pixels())
            .map(|at| {
                let (x, y) = (at % SIZE.width, at / SIZE.width);
                60.0 + ((x / 8 + y / 8) % 3) as f32 * 30.0 + x as f32 * 0.3
            })
            .collect()
    }

    #[test]
    fn a_change_of_exposure_is_predicted_even_when_a_thing_walks_in() {
        let older = scene();
        let mut newer: Vec<f32> = older.iter().map(|old| 0.8 * old + 12.0).collect();
        for y in 10..40 {
            newer[y * SIZE.width + 20..y * SIZE.width + 40].fill(250.0);
        }
        let fit = Exposure::fit(&older, &newer, None, SIZE, &mut Samples::default());
        assert!((fit.gain - 0.8).abs() < 0.01, "{fit:?}");
        assert!((0.80..0.88).contains(&fit.inliers), "{fit:?}");
        let mut predicted = Vec::new();
        fit.predict(&older, SIZE, &mut predicted);
        assert!((predicted[0] - newer[0]).abs() < 0.5);
    }

    #[test]
    fn light_from_one_side_is_predicted() {
        let older = scene();
        let newer: Vec<f32> = older
            .iter()
            .enumerate()
            .map(|(at, old)| old + (at % SIZE.width) as f32 * 0.2)
            .collect();
        let mut predicted = Vec::new();
        let fit = Exposure::fit(&older, &newer, None, SIZE, &mut Samples::default());
        fit.predict(&older, SIZE, &mut predicted);
        let worst = predicted
            .iter()
            .zip(&newer)
            .map(|(a, b)| (a - b).abs())
            .fold(0.0, f32::max);
        assert!(worst < 2.0, "of 16 levels {worst} are left");
    }

    #[test]
    fn pictures_without_usable_pixels_are_taken_as_they_are() {
        let black = vec![0.0; SIZE.pixels()];
        let fit = Exposure::fit(&black, &black, None, SIZE, &mut Samples::default());
        assert_eq!(fit, Exposure::SAME);
    }

    #[test]
    fn what_is_ignored_has_no_say() {
        let older = scene();
        let mut newer = older.clone();
        let mut ignored = Mask::new(SIZE);
        for y in 0..40 {
            newer[y * SIZE.width..y * SIZE.width + 60].fill(200.0);
            ignored.set_span(y, 0, 60);
        }
        let fit = Exposure::fit(
            &older,
            &newer,
            Some(&ignored),
            SIZE,
            &mut Samples::default(),
        );
        assert!(
            (fit.gain - 1.0).abs() < 0.01 && fit.inliers > 0.99,
            "{fit:?}"
        );
    }
}
