//! Arithmetic on planes: what a picture looks like under another exposure, means over squares, edges, and a
//! difference without its soft parts.

#![allow(
    clippy::indexing_slicing,
    reason = "every plane has width * height pixels and the loops stay inside"
)]

use super::exposure::Exposure;

/// Soft light changes less than this many grey levels...
const SOFT_LEVELS: f32 = 15.0;
/// ...and is the same over a square of this radius in pixels.
const RADIUS: usize = 7;

/// The size all planes of a detector share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Size {
    pub(super) width: usize,
    pub(super) height: usize,
}

impl Size {
    pub(super) fn pixels(self) -> usize {
        self.width * self.height
    }
}

/// How a frame differs from what was expected, pixel by pixel.
#[derive(Debug, Default)]
pub(super) struct Comparison {
    /// What the older picture would look like now.
    pub(super) expected: Vec<f32>,
    /// Grey levels above that, without soft shadows, reflections and tone mapping.
    pub(super) sharp: Vec<f32>,
    /// The steepness of the edges that both have, in grey levels a pixel. An edge of a moving thing is in one
    /// of them only, that of a shaking camera in both.
    pub(super) edges: Vec<f32>,
    /// Room for a step of [`Self::make`].
    pub(super) clipped: Vec<f32>,
}

/// A picture with its edges.
#[derive(Debug, Clone, Copy)]
pub(super) struct Picture<'a> {
    pub(super) level: &'a [f32],
    /// The steepest step from each pixel to one of its four neighbours.
    pub(super) steps: &'a [u8],
}

impl Comparison {
    /// Compares a frame with an older picture under the exposure of the frame.
    ///
    /// Soft light is multiplicative: it is measured as the mean over a square and taken off in proportion to
    /// how bright the pixel is. Differences are clipped before the mean is taken, or large things would erase
    /// themselves.
    pub(super) fn make(
        &mut self,
        frame: Picture<'_>,
        older: Picture<'_>,
        fit: &Exposure,
        size: Size,
    ) {
        fit.predict(older.level, size, &mut self.expected);
        self.clipped.clear();
        self.clipped.extend(
            frame
                .level
                .iter()
                .zip(&self.expected)
                .map(|(new, old)| (new - old).clamp(-SOFT_LEVELS, SOFT_LEVELS)),
        );
        self.sharp.resize(size.pixels(), 0.0);
        let mut soft = SquareMeans::new(size);
        let mut bright = SquareMeans::new(size);
        let rows = self.sharp.chunks_exact_mut(size.width);
        for (y, sharp) in rows.enumerate() {
            let row = y * size.width..(y + 1) * size.width;
            let (new, old) = (&frame.level[row.clone()], &self.expected[row]);
            let soft = soft.next_row(&self.clipped);
            let bright = bright.next_row(&self.expected);
            let light = soft.iter().zip(bright);
            for ((sharp, (new, old)), (soft, bright)) in
                sharp.iter_mut().zip(new.iter().zip(old)).zip(light)
            {
                *sharp = new - old - soft * (old / bright.max(4.0)).clamp(0.0, 2.0);
            }
        }
        // Tilts and offsets change no edge, or hardly.
        let gain = fit.gain.abs();
        self.edges.clear();
        self.edges.extend(
            frame
                .steps
                .iter()
                .zip(older.steps)
                .map(|(new, old)| f32::from(*new).min(gain * f32::from(*old))),
        );
    }
}

/// The mean over the square of [`RADIUS`] around each pixel, as far as it lies inside the picture; row by row.
struct SquareMeans {
    size: Size,
    y: usize,
    /// Sums over the rows of the square, with [`RADIUS`] zeros on both sides.
    down: Vec<f32>,
    twos: Vec<f32>,
    fours: Vec<f32>,
    eights: Vec<f32>,
    /// One over the columns of the square that lie inside.
    per_column: Vec<f32>,
    means: Vec<f32>,
}

impl SquareMeans {
    fn new(size: Size) -> Self {
        let inside =
            |at: usize, side: usize| (at + RADIUS + 1).min(side) - at.saturating_sub(RADIUS);
        Self {
            size,
            y: 0,
            down: vec![0.0; size.width + 2 * RADIUS],
            twos: vec![0.0; size.width + 2 * RADIUS - 1],
            fours: vec![0.0; size.width + 2 * RADIUS - 3],
            eights: vec![0.0; size.width + 2 * RADIUS - 7],
            per_column: (0..size.width)
                .map(|x| 1.0 / inside(x, size.width) as f32)
                .collect(),
            means: vec![0.0; size.width],
        }
    }

    /// The means of the next row of this plane, from the first on.
    fn next_row(&mut self, plane: &[f32]) -> &[f32] {
        let Size { width, height } = self.size;
        let row = |y: usize| &plane[y * width..(y + 1) * width];
        let y = self.y;
        self.y += 1;
        let down = &mut self.down[RADIUS..RADIUS + width];
        let entering = if y == 0 {
            0..(RADIUS + 1).min(height)
        } else {
            (y + RADIUS).min(height)..(y + RADIUS + 1).min(height)
        };
        for y in entering {
            down.iter_mut()
                .zip(row(y))
                .for_each(|(sum, value)| *sum += value);
        }
        if y > RADIUS {
            down.iter_mut()
                .zip(row(y - RADIUS - 1))
                .for_each(|(sum, value)| *sum -= value);
        }
        // Sums of 2, 4 and 8 beside each other give the sum of 15: no sum waits for the one before it.
        pairs(&self.down, 1, &mut self.twos);
        pairs(&self.twos, 2, &mut self.fours);
        pairs(&self.fours, 4, &mut self.eights);
        let rows = (y + RADIUS + 1).min(height) - y.saturating_sub(RADIUS);
        let per_row = 1.0 / rows as f32;
        let eights = &self.eights[..width];
        let fours = &self.fours[8..8 + width];
        let twos = &self.twos[12..12 + width];
        let ones = &self.down[14..14 + width];
        let sums = eights.iter().zip(fours).zip(twos.iter().zip(ones));
        for ((mean, per_column), ((eight, four), (two, one))) in
            self.means.iter_mut().zip(&self.per_column).zip(sums)
        {
            *mean = (eight + four + two + one) * per_column * per_row;
        }
        &self.means
    }
}

/// Adds to each value the one `apart` places further.
fn pairs(values: &[f32], apart: usize, sums: &mut [f32]) {
    for (sum, (one, other)) in sums.iter_mut().zip(values.iter().zip(&values[apart..])) {
        *sum = one + other;
    }
}

/// Takes the mean over the square around each pixel off it.
pub(super) fn without_mean(plane: &[f32], size: Size, detail: &mut Vec<f32>) {
    let mut means = SquareMeans::new(size);
    detail.clear();
    for row in plane.chunks_exact(size.width) {
        let means = means.next_row(plane);
        detail.extend(row.iter().zip(means).map(|(pixel, mean)| pixel - mean));
    }
}

/// The steepest step from each pixel to one of its four neighbours, in grey levels.
pub(super) fn steepest_steps(plane: &[u8], size: Size, steps: &mut Vec<u8>) {
    let width = size.width;
    steps.clear();
    // Steps to the left neighbours; 0 at both ends.
    let mut across = vec![0_u8; width + 1];
    for line in plane.chunks_exact(width) {
        let pairs = line.iter().zip(&line[1..]);
        across[1..]
            .iter_mut()
            .zip(pairs)
            .for_each(|(step, (left, right))| *step = left.abs_diff(*right));
        steps.extend(
            across
                .iter()
                .zip(&across[1..])
                .map(|(left, right)| *left.max(right)),
        );
    }
    for y in 1..size.height {
        let (above, here) = steps[(y - 1) * width..(y + 1) * width].split_at_mut(width);
        let lines = plane[(y - 1) * width..(y + 1) * width].split_at(width);
        for ((above, here), (upper, lower)) in
            above.iter_mut().zip(here).zip(lines.0.iter().zip(lines.1))
        {
            let step = lower.abs_diff(*upper);
            *above = (*above).max(step);
            *here = (*here).max(step);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn square_means(plane: &[f32], size: Size) -> Vec<f32> {
        let mut means = SquareMeans::new(size);
        (0..size.height)
            .flat_map(|_| means.next_row(plane).to_vec())
            .collect()
    }

    #[test]
    fn a_square_mean_is_the_mean_of_the_pixels_inside() {
        for (width, height) in [(5, 4), (30, 20), (1, 40), (2, 1), (16, 15)] {
            let size = Size { width, height };
            let plane: Vec<f32> = (0..size.pixels())
                .map(|at| (at * at % 251) as f32)
                .collect();
            let means = square_means(&plane, size);
            for y in 0..height {
                for x in 0..width {
                    let mut inside = Vec::new();
                    for v in y.saturating_sub(RADIUS)..(y + RADIUS + 1).min(height) {
                        for u in x.saturating_sub(RADIUS)..(x + RADIUS + 1).min(width) {
                            inside.push(plane[v * width + u]);
                        }
                    }
                    let mean = inside.iter().sum::<f32>() / inside.len() as f32;
                    assert!(
                        (means[y * width + x] - mean).abs() < 1e-3,
                        "{size:?} {x},{y}"
                    );
                }
            }
        }
    }

    #[test]
    fn the_steepest_step_is_to_any_of_the_four_neighbours() {
        let steps = |plane: &[u8], width, height| {
            let mut steps = Vec::new();
            steepest_steps(plane, Size { width, height }, &mut steps);
            steps
        };
        assert_eq!(
            steps(&[0, 0, 9, 0, 2, 9, 0, 0, 5], 3, 3),
            [0, 9, 9, 2, 7, 7, 0, 5, 5]
        );
        assert_eq!(steps(&[1, 4, 2], 1, 3), [3, 3, 2]);
    }

    #[test]
    fn soft_shade_is_taken_off_and_a_sharp_thing_stays() {
        let size = Size {
            width: 60,
            height: 40,
        };
        let before = vec![100.0; size.pixels()];
        let mut after = vec![92.0; size.pixels()];
        after[20 * 60 + 30] = 140.0;
        let flat = vec![0; size.pixels()];
        let mut rest = Comparison::default();
        let picture = |level| Picture {
            level,
            steps: &flat,
        };
        rest.make(picture(&after), picture(&before), &Exposure::SAME, size);
        assert!(rest.sharp[5 * 60 + 5].abs() < 1.0);
        assert!(rest.sharp[20 * 60 + 30] > 40.0);
    }
}
