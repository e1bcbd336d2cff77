//! Arithmetic on planes of floats: means over squares, edges, and a difference without its soft parts.

#![allow(
    clippy::indexing_slicing,
    reason = "every plane has width * height pixels (Size::of checks it) and the loops stay inside"
)]

/// Soft light changes less than this many grey levels...
const SOFT_LEVELS: f32 = 15.0;
/// ...and is the same over a square of this radius in pixels.
const SOFT_RADIUS: usize = 7;

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

/// What is left of `newer - predicted` without soft shadows, reflections and tone mapping.
///
/// Soft light is multiplicative: it is measured as the mean over a square and taken off in proportion to
/// how bright the pixel is. Differences are clipped before the mean is taken, or large things would erase
/// themselves.
pub(super) fn sharp_difference(newer: &[f32], predicted: &[f32], size: Size) -> Vec<f32> {
    let clipped: Vec<f32> = newer
        .iter()
        .zip(predicted)
        .map(|(new, old)| (new - old).clamp(-SOFT_LEVELS, SOFT_LEVELS))
        .collect();
    let soft = square_mean(&clipped, size, SOFT_RADIUS);
    let bright = square_mean(predicted, size, SOFT_RADIUS);
    newer
        .iter()
        .zip(predicted)
        .zip(soft.iter().zip(&bright))
        .map(|((new, old), (soft, bright))| {
            new - old - soft * (old / bright.max(4.0)).clamp(0.0, 2.0)
        })
        .collect()
}

/// The mean over the square of this radius around each pixel, as far as it lies inside the picture.
pub(super) fn square_mean(plane: &[f32], size: Size, radius: usize) -> Vec<f32> {
    let Size { width, height } = size;
    let mut across = vec![0.0_f32; plane.len()];
    for (line, mean) in plane
        .chunks_exact(width)
        .zip(across.chunks_exact_mut(width))
    {
        let mut sum: f32 = line.iter().take(radius).sum();
        for x in 0..width {
            if x + radius < width {
                sum += line[x + radius];
            }
            if x > radius {
                sum -= line[x - radius - 1];
            }
            let count = (x + radius + 1).min(width) - x.saturating_sub(radius);
            mean[x] = sum / count as f32;
        }
    }
    let row = |y: usize| &across[y * width..(y + 1) * width];
    let mut sums = vec![0.0_f32; width];
    for y in 0..radius.min(height) {
        sums.iter_mut()
            .zip(row(y))
            .for_each(|(sum, value)| *sum += value);
    }
    let mut means = vec![0.0_f32; plane.len()];
    for (y, line) in means.chunks_exact_mut(width).enumerate() {
        if y + radius < height {
            sums.iter_mut()
                .zip(row(y + radius))
                .for_each(|(sum, value)| *sum += value);
        }
        if y > radius {
            sums.iter_mut()
                .zip(row(y - radius - 1))
                .for_each(|(sum, value)| *sum -= value);
        }
        let count = ((y + radius + 1).min(height) - y.saturating_sub(radius)) as f32;
        line.iter_mut()
            .zip(&sums)
            .for_each(|(mean, sum)| *mean = sum / count);
    }
    means
}

/// The steepest step from each pixel to one of its four neighbours, in grey levels.
pub(super) fn steepest_steps(plane: &[f32], size: Size) -> Vec<f32> {
    let width = size.width;
    let mut steps = Vec::with_capacity(plane.len());
    // Steps to the left neighbours; 0 at both ends.
    let mut across = vec![0.0_f32; width + 1];
    for line in plane.chunks_exact(width) {
        let pairs = line.iter().zip(&line[1..]);
        across[1..]
            .iter_mut()
            .zip(pairs)
            .for_each(|(step, (left, right))| *step = (right - left).abs());
        steps.extend(
            across
                .iter()
                .zip(&across[1..])
                .map(|(left, right)| left.max(*right)),
        );
    }
    for y in 1..size.height {
        let (above, here) = steps[(y - 1) * width..(y + 1) * width].split_at_mut(width);
        let lines = plane[(y - 1) * width..(y + 1) * width].split_at(width);
        for ((above, here), (upper, lower)) in
            above.iter_mut().zip(here).zip(lines.0.iter().zip(lines.1))
        {
            let step = (lower - upper).abs();
            *above = above.max(step);
            *here = here.max(step);
        }
    }
    steps
}

/// The edges that both pictures have: of each pixel the smaller of its steepest steps. An edge of a moving
/// thing is in one of them only, that of a shaking camera in both.
pub(super) fn common_edges(one: &[f32], other: &[f32], size: Size) -> Vec<f32> {
    let mut edges = steepest_steps(one, size);
    for (edge, other) in edges.iter_mut().zip(steepest_steps(other, size)) {
        *edge = edge.min(other);
    }
    edges
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_square_mean_is_the_mean_of_the_pixels_inside() {
        let size = Size {
            width: 5,
            height: 4,
        };
        let plane: Vec<f32> = (0..20_u8).map(f32::from).collect();
        let means = square_mean(&plane, size, 1);
        for y in 0..4_usize {
            for x in 0..5_usize {
                let mut inside = Vec::new();
                for v in y.saturating_sub(1)..(y + 2).min(4) {
                    for u in x.saturating_sub(1)..(x + 2).min(5) {
                        inside.push(plane[v * 5 + u]);
                    }
                }
                let mean = inside.iter().sum::<f32>() / inside.len() as f32;
                assert!((means[y * 5 + x] - mean).abs() < 1e-4, "{x},{y}");
            }
        }
    }

    #[test]
    fn the_steepest_step_is_to_any_of_the_four_neighbours() {
        let size = Size {
            width: 3,
            height: 3,
        };
        let plane = [0.0, 0.0, 9.0, 0.0, 2.0, 9.0, 0.0, 0.0, 5.0];
        assert_eq!(
            steepest_steps(&plane, size),
            [0.0, 9.0, 9.0, 2.0, 7.0, 7.0, 0.0, 5.0, 5.0]
        );
        let column = Size {
            width: 1,
            height: 3,
        };
        assert_eq!(steepest_steps(&[1.0, 4.0, 2.0], column), [3.0, 3.0, 2.0]);
    }

    #[test]
    fn squares_larger_than_the_picture_cover_all_of_it() {
        let size = Size {
            width: 2,
            height: 1,
        };
        assert_eq!(square_mean(&[2.0, 4.0], size, 7), [3.0, 3.0]);
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
        let rest = sharp_difference(&after, &before, size);
        assert!(rest[5 * 60 + 5].abs() < 1.0);
        assert!(rest[20 * 60 + 30] > 40.0);
    }
}
