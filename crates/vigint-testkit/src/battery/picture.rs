//! A picture in grey to draw on, in levels 0 black to 255 white, not rounded yet.

#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    reason = "coordinates are clamped to the picture first"
)]

/// Width of every picture of the battery in pixels.
pub const WIDTH: u16 = 640;
/// Height of every picture of the battery in pixels.
pub const HEIGHT: u16 = 360;

pub(super) const COLUMNS: usize = WIDTH as usize;
pub(super) const ROWS: usize = HEIGHT as usize;

/// A picture of [`WIDTH`] x [`HEIGHT`] pixels.
#[derive(Clone)]
pub(super) struct Picture {
    levels: Vec<f32>,
}

impl Picture {
    /// A picture of one level.
    pub(super) fn plain(level: f32) -> Self {
        Self {
            levels: vec![level; COLUMNS * ROWS],
        }
    }

    pub(super) fn rows(&self) -> impl Iterator<Item = &[f32]> {
        self.levels.chunks_exact(COLUMNS)
    }

    pub(super) fn rows_mut(&mut self) -> impl Iterator<Item = &mut [f32]> {
        self.levels.chunks_exact_mut(COLUMNS)
    }

    /// The row at this height; the nearest one outside the picture.
    pub(super) fn row(&self, row: isize) -> &[f32] {
        let row = row.clamp(0, ROWS as isize - 1) as usize;
        &self.levels[row * COLUMNS..(row + 1) * COLUMNS]
    }

    /// Becomes a copy of another.
    pub(super) fn copy_from(&mut self, other: &Self) {
        self.levels.copy_from_slice(&other.levels);
    }

    /// Gives each pixel a new level, from its column, row and level.
    pub(super) fn repaint(&mut self, level: impl Fn(f32, f32, f32) -> f32) {
        for (y, row) in (0_u16..).zip(self.rows_mut()) {
            for (x, pixel) in (0_u16..).zip(row) {
                *pixel = level(f32::from(x), f32::from(y), *pixel);
            }
        }
    }

    /// Paints a span of one row; its ends may lie within a pixel, which is then covered in part. `level` is
    /// asked with the distance from the left end.
    pub(super) fn paint_row(
        &mut self,
        row: usize,
        left: f32,
        right: f32,
        level: impl Fn(f32) -> f32,
    ) {
        let (first, last) = (left.max(0.0), right.min(f32::from(WIDTH)));
        if row >= ROWS || first >= last {
            return;
        }
        let columns = first as usize..(last.ceil() as usize).min(COLUMNS);
        for column in columns {
            let x = column as f32;
            let cover = (last.min(x + 1.0) - first.max(x)).clamp(0.0, 1.0);
            let pixel = &mut self.levels[row * COLUMNS + column];
            *pixel += (level(x - left) - *pixel) * cover;
        }
    }

    /// A rectangle of one level: left, top, width and height in pixels.
    pub(super) fn block(&mut self, (left, top, width, height): Block, level: f32) {
        for row in top.max(0.0) as usize..((top + height).max(0.0) as usize).min(ROWS) {
            self.paint_row(row, left, left + width, |_| level);
        }
    }
}

/// Left, top, width and height in pixels.
pub(super) type Block = (f32, f32, f32, f32);
