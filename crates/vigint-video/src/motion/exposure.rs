//! What a frame would look like if only the exposure had changed since an older one.
//!
//! A robust fit of `new = gain * old + offset + tilt_x * X + tilt_y * Y` (X, Y the position, -0.5..=0.5): cameras
//! change gain and offset all the time, and that is not motion.

use super::field::Size;

/// Pixels used are this far from black and white in the newer and the older picture: clipped ones lie.
const NEWER_RANGE: std::ops::RangeInclusive<f32> = 4.0..=251.0;
const OLDER_RANGE: std::ops::RangeInclusive<f32> = 2.0..=253.0;
/// With fewer usable pixels the pictures are compared as they are.
const MIN_PIXELS: usize = 48;
const ROUNDS: usize = 4;
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

struct Pixel {
    old: f32,
    new: f32,
    x: f32,
    y: f32,
}

impl Exposure {
    const SAME: Self = Self {
        gain: 1.0,
        offset: 0.0,
        tilt_x: 0.0,
        tilt_y: 0.0,
        inliers: 1.0,
        spread: None,
    };

    /// Fits `newer` to `older`, without the pixels where `ignored` is set.
    pub(super) fn fit(older: &[f32], newer: &[f32], ignored: Option<&[bool]>, size: Size) -> Self {
        let pixels = usable_pixels(older, newer, ignored, size);
        if pixels.len() < MIN_PIXELS {
            return Self::SAME;
        }
        let mut fit = Self {
            offset: median(
                pixels.iter().map(|pixel| pixel.new - pixel.old),
                -255.0,
                255.0,
            ),
            ..Self::SAME
        };
        for _ in 0..ROUNDS {
            let near = 2.5 * SIGMA * fit.median_distance(&pixels) + 1.5;
            let Some(better) = fit.least_squares(&pixels, near) else {
                break;
            };
            fit = better;
        }
        let spread = fit.median_distance(&pixels);
        let near = (5.0 * SIGMA * spread).max(6.0);
        let inside = pixels
            .iter()
            .filter(|pixel| fit.distance(pixel).abs() < near)
            .count();
        fit.inliers = inside as f32 / pixels.len() as f32;
        fit.spread = Some(spread);
        fit
    }

    /// The older picture under this exposure.
    pub(super) fn predict(&self, older: &[f32], size: Size) -> Vec<f32> {
        let mut predicted = Vec::with_capacity(older.len());
        for (y, line) in older.chunks_exact(size.width).enumerate() {
            let base = self.offset + self.tilt_y * position(y, size.height);
            predicted.extend(
                line.iter()
                    .enumerate()
                    .map(|(x, old)| self.gain * old + base + self.tilt_x * position(x, size.width)),
            );
        }
        predicted
    }

    fn distance(&self, pixel: &Pixel) -> f32 {
        let predicted =
            self.gain * pixel.old + self.offset + self.tilt_x * pixel.x + self.tilt_y * pixel.y;
        pixel.new - predicted
    }

    fn median_distance(&self, pixels: &[Pixel]) -> f32 {
        median(
            pixels.iter().map(|pixel| self.distance(pixel).abs()),
            0.0,
            64.0,
        )
    }

    /// What a pixel adds to the sums of [`Self::least_squares`]: nothing when it is not nearer than `near`.
    fn products(&self, pixel: &Pixel, near: f32) -> [f32; 14] {
        let weight = f32::from(u8::from(self.distance(pixel).abs() < near));
        let Pixel { old, x, y, .. } = *pixel;
        let difference = pixel.new - old;
        [
            old * old,
            old,
            old * x,
            old * y,
            old * difference,
            1.0,
            x,
            y,
            difference,
            x * x,
            x * y,
            x * difference,
            y * y,
            y * difference,
        ]
        .map(|product| product * weight)
    }

    /// One round over the pixels less than `near` from what is predicted now.
    fn least_squares(&self, pixels: &[Pixel], near: f32) -> Option<Self> {
        // Unknowns: gain - 1, offset, tilts. `sums` holds what is over the diagonal of the normal equations, and
        // their right side; eight pixels go side by side, as a processor adds them.
        let mut sums = [[0.0_f32; LANES]; 14];
        let mut rest = [0.0_f64; 14];
        let (chunks, last) = pixels.as_chunks::<LANES>();
        for (number, chunk) in chunks.iter().enumerate() {
            for (lane, pixel) in chunk.iter().enumerate() {
                let products = self.products(pixel, near);
                for (sum, product) in sums.iter_mut().zip(products) {
                    if let Some(sum) = sum.get_mut(lane) {
                        *sum += product;
                    }
                }
            }
            // Before a sum is so large that single precision loses what is added.
            if number % 16 == 15 {
                drain(&mut sums, &mut rest);
            }
        }
        drain(&mut sums, &mut rest);
        for pixel in last {
            for (sum, product) in rest.iter_mut().zip(self.products(pixel, near)) {
                *sum += f64::from(product);
            }
        }
        let [oo, o1, ox, oy, od, n, x1, y1, d1, xx, xy, xd, yy, yd] = rest;
        let mut rows = [
            [oo, o1, ox, oy, od],
            [o1, n, x1, y1, d1],
            [ox, x1, xx, xy, xd],
            [oy, y1, xy, yy, yd],
        ];
        let used = n;
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

/// How many pixels are added side by side.
const LANES: usize = 8;

/// Adds the lanes up and begins them anew.
fn drain(sums: &mut [[f32; LANES]; 14], into: &mut [f64; 14]) {
    for (lanes, sum) in sums.iter_mut().zip(into) {
        *sum += lanes.iter().copied().map(f64::from).sum::<f64>();
        *lanes = [0.0; LANES];
    }
}

/// -0.5..=0.5 along a side.
fn position(at: usize, side: usize) -> f32 {
    (at as f32 + 0.5) / side as f32 - 0.5
}

/// Every second pixel, like the squares of one colour on a chess board.
fn usable_pixels(older: &[f32], newer: &[f32], ignored: Option<&[bool]>, size: Size) -> Vec<Pixel> {
    let mut pixels = Vec::with_capacity(size.pixels() / 2 + 1);
    let both = older
        .chunks_exact(size.width)
        .zip(newer.chunks_exact(size.width));
    for (y, (old_line, new_line)) in both.enumerate() {
        let line = old_line.iter().zip(new_line).enumerate();
        for (x, (&old, &new)) in line.skip(y % 2).step_by(2) {
            let left_out = ignored.and_then(|mask| mask.get(y * size.width + x));
            if left_out != Some(&true) && OLDER_RANGE.contains(&old) && NEWER_RANGE.contains(&new) {
                pixels.push(Pixel {
                    old,
                    new,
                    x: position(x, size.width),
                    y: position(y, size.height),
                });
            }
        }
    }
    pixels
}

/// The median of values between `low` and `high`, found by counting into 1,024 steps; 0 of none.
pub(super) fn median(values: impl Iterator<Item = f32>, low: f32, high: f32) -> f32 {
    const STEPS: usize = 1024;
    let mut counts = [0_usize; STEPS];
    let scale = STEPS as f32 / (high - low);
    let mut total = 0;
    for value in values {
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "`as` clamps a float to the range of usize, and `min` to the steps"
        )]
        let step = ((value - low) * scale) as usize;
        if let Some(count) = counts.get_mut(step.min(STEPS - 1)) {
            *count += 1;
        }
        total += 1;
    }
    let mut below = 0;
    let step = counts.iter().position(|count| {
        below += count;
        2 * below > total
    });
    step.map_or(0.0, |step| low + (step as f32 + 0.5) / scale)
}

/// Solves four equations by elimination with row exchange. `None` when they have no single solution.
#[allow(
    clippy::indexing_slicing,
    reason = "indices run over the fixed 4x5 array"
)]
fn solve(mut rows: [[f64; 5]; 4]) -> Option<[f32; 4]> {
    for pivot in 0..4 {
        let best =
            (pivot..4).max_by(|&a, &b| rows[a][pivot].abs().total_cmp(&rows[b][pivot].abs()))?;
        rows.swap(pivot, best);
        if rows[pivot][pivot].abs() < 1e-6 {
            return None;
        }
        for other in 0..4 {
            if other != pivot {
                let factor = rows[other][pivot] / rows[pivot][pivot];
                let above = rows[pivot];
                for (value, above) in rows[other].iter_mut().zip(above) {
                    *value -= factor * above;
                }
            }
        }
    }
    let solution = std::array::from_fn(|at| rows[at][4] / rows[at][at]);
    #[allow(
        clippy::cast_possible_truncation,
        reason = "grey levels and gains need no f64"
    )]
    let solution = solution.map(|value: f64| value as f32);
    solution
        .iter()
        .all(|value| value.is_finite())
        .then_some(solution)
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
        let fit = Exposure::fit(&older, &newer, None, SIZE);
        assert!((fit.gain - 0.8).abs() < 0.01, "{fit:?}");
        assert!((0.80..0.88).contains(&fit.inliers), "{fit:?}");
        let predicted = fit.predict(&older, SIZE);
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
        let predicted = Exposure::fit(&older, &newer, None, SIZE).predict(&older, SIZE);
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
        assert_eq!(Exposure::fit(&black, &black, None, SIZE), Exposure::SAME);
    }

    #[test]
    fn the_median_is_the_middle_value() {
        assert!((median([1.0, 2.0, 50.0].into_iter(), 0.0, 64.0) - 2.0).abs() < 0.1);
        assert!((median(std::iter::empty(), 0.0, 64.0)).abs() < f32::EPSILON);
    }
}
