//! A picture to draw on: a few shapes with smooth edges, from their distance functions.

#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "coordinates and colours are clamped to the picture and to 0..=255 first"
)]

use std::ops::Range;

/// A colour.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rgb(pub(super) u8, pub(super) u8, pub(super) u8);

impl Rgb {
    /// This colour, lighter (above 1) or darker (below 1).
    pub(super) fn lit(self, factor: f32) -> Self {
        let lit = |level: u8| (f32::from(level) * factor).clamp(0.0, 255.0) as u8;
        Self(lit(self.0), lit(self.1), lit(self.2))
    }

    /// The colour `share` of the way to another.
    pub(super) fn towards(self, other: Self, share: f32) -> Self {
        Self(
            blend(self.0, other.0, share),
            blend(self.1, other.1, share),
            blend(self.2, other.2, share),
        )
    }
}

/// A point, in pixels from the upper left corner.
pub(super) type Point = (f32, f32);

/// An 8-bit RGB picture.
#[derive(Clone)]
pub(super) struct Canvas {
    width: usize,
    height: usize,
    rgb: Vec<u8>,
}

impl Canvas {
    /// A black picture.
    pub(super) fn new(width: usize, height: usize) -> Self {
        Self {
            width,
            height,
            rgb: vec![0; width * height * 3],
        }
    }

    /// The pixels, row by row, three bytes each.
    pub(super) fn rgb(&self) -> &[u8] {
        &self.rgb
    }

    /// The rows, to be changed.
    pub(super) fn rows_mut(&mut self) -> impl Iterator<Item = &mut [u8]> {
        self.rgb.chunks_exact_mut(self.width * 3)
    }

    /// Fills whole rows, from one colour above to another below.
    pub(super) fn gradient(&mut self, rows: Range<f32>, above: Rgb, below: Rgb) {
        let (top, bottom) = (
            rows.start.max(0.0) as usize,
            (rows.end.max(0.0) as usize).min(self.height),
        );
        let span = (rows.end - rows.start).max(1.0);
        for row in top..bottom {
            let Rgb(r, g, b) = above.towards(below, (row as f32 - rows.start) / span);
            for pixel in
                self.rgb[row * self.width * 3..(row + 1) * self.width * 3].chunks_exact_mut(3)
            {
                pixel.copy_from_slice(&[r, g, b]);
            }
        }
    }

    /// A rectangle with round corners.
    pub(super) fn block(
        &mut self,
        (left, top): Point,
        (width, height): Point,
        corner: f32,
        colour: Rgb,
    ) {
        let half = (width / 2.0, height / 2.0);
        let middle = (left + half.0, top + half.1);
        self.fill(middle, half.0.max(half.1) + 1.0, colour, 1.0, |x, y| {
            let (dx, dy) = (
                (x - middle.0).abs() - half.0 + corner,
                (y - middle.1).abs() - half.1 + corner,
            );
            dx.max(0.0).hypot(dy.max(0.0)) + dx.max(dy).min(0.0) - corner
        });
    }

    /// A disc.
    pub(super) fn disc(&mut self, middle: Point, radius: f32, colour: Rgb) {
        self.fill(middle, radius + 1.0, colour, 1.0, |x, y| {
            (x - middle.0).hypot(y - middle.1) - radius
        });
    }

    /// A limb: from one disc to another, thinner or thicker on the way.
    pub(super) fn limb(&mut self, from: Point, to: Point, radii: (f32, f32), colour: Rgb) {
        let middle = ((from.0 + to.0) / 2.0, (from.1 + to.1) / 2.0);
        let (along_x, along_y) = (to.0 - from.0, to.1 - from.1);
        let length = along_x.hypot(along_y).max(0.01);
        let reach = length / 2.0 + radii.0.max(radii.1) + 1.0;
        self.fill(middle, reach, colour, 1.0, |x, y| {
            let (x, y) = (x - from.0, y - from.1);
            let share = ((x * along_x + y * along_y) / (length * length)).clamp(0.0, 1.0);
            (x - along_x * share).hypot(y - along_y * share)
                - (radii.0 + (radii.1 - radii.0) * share)
        });
    }

    /// A shadow on the floor: a flat ellipse that darkens softly, at most by `depth` (0..=1).
    pub(super) fn shadow(&mut self, middle: Point, (width, height): Point, depth: f32) {
        let black = Rgb(0, 0, 0);
        self.fill(middle, width + 1.0, black, depth, |x, y| {
            let away = ((x - middle.0) / width).hypot((y - middle.1) / height);
            // From 1 in the middle to 0 at the rim, where other shapes have a step.
            away.min(1.0) - 0.5
        });
    }

    /// Paints where `distance` is negative, half at 0. Looks no further than `reach` from the middle.
    fn fill(
        &mut self,
        middle: Point,
        reach: f32,
        Rgb(r, g, b): Rgb,
        strength: f32,
        distance: impl Fn(f32, f32) -> f32,
    ) {
        let within = |from: f32, size: usize| {
            let low = (from - reach).floor().clamp(0.0, size as f32) as usize;
            let high = (from + reach).ceil().clamp(0.0, size as f32) as usize;
            low..high
        };
        for row in within(middle.1, self.height) {
            for column in within(middle.0, self.width) {
                let away = distance(column as f32 + 0.5, row as f32 + 0.5);
                let cover = (0.5 - away).clamp(0.0, 1.0) * strength;
                if cover > 0.0 {
                    let first = (row * self.width + column) * 3;
                    for (level, wanted) in self.rgb[first..first + 3].iter_mut().zip([r, g, b]) {
                        *level = blend(*level, wanted, cover);
                    }
                }
            }
        }
    }
}

fn blend(from: u8, to: u8, share: f32) -> u8 {
    let share = share.clamp(0.0, 1.0);
    (f32::from(from) + (f32::from(to) - f32::from(from)) * share).round() as u8
}
