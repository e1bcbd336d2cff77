//! What the camera writes into its pictures: digits and captions, sharp and without noise.

#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "places are inside the picture, seconds are small"
)]

use super::picture::COLUMNS;

/// Level of what is written.
const INK: u8 = 245;
/// Width and height of a digit, the thickness of its strokes and the way from one to the next, in pixels.
const DIGIT: (usize, usize) = (10, 18);
const STROKE: usize = 2;
const ADVANCE: usize = 14;
/// Which of the seven segments each digit has: top, upper right, lower right, bottom, lower left, upper left,
/// middle.
const SEGMENTS: [u8; 10] = [
    0b011_1111, 0b000_0110, 0b101_1011, 0b100_1111, 0b110_0110, 0b110_1101, 0b111_1101, 0b000_0111,
    0b111_1111, 0b110_1111,
];

/// Something written over the picture.
#[derive(Debug, Clone, Copy)]
pub(super) enum Overlay {
    /// The time of day, in the upper left corner.
    Clock { seconds: f64 },
    /// A caption on a dark ground, as alarms have: left and top.
    Caption { at: (usize, usize) },
}

impl Overlay {
    pub(super) fn write(self, pixels: &mut [u8]) {
        match self {
            Self::Clock { seconds } => {
                let time = seconds as usize + 9 * 3600 + 59 * 60 + 50;
                let parts = [time / 3600 % 24, time / 60 % 60, time % 60];
                for (place, part) in parts.into_iter().enumerate() {
                    let left = 14 + place * 3 * ADVANCE;
                    digit(pixels, (left, 12), part / 10);
                    digit(pixels, (left + ADVANCE, 12), part % 10);
                }
            }
            Self::Caption { at } => {
                fill(pixels, at, (96, 26), 16);
                for place in 0..6 {
                    digit(
                        pixels,
                        (at.0 + 8 + place * ADVANCE, at.1 + 4),
                        [5, 1, 0, 9, 8, 0][place],
                    );
                }
            }
        }
    }
}

fn digit(pixels: &mut [u8], (left, top): (usize, usize), digit: usize) {
    let (width, height) = DIGIT;
    let (right, half, bottom) = (left + width - STROKE, height / 2, top + height - STROKE);
    let places = [
        ((left, top), (width, STROKE)),
        ((right, top), (STROKE, half)),
        ((right, top + half), (STROKE, half)),
        ((left, bottom), (width, STROKE)),
        ((left, top + half), (STROKE, half)),
        ((left, top), (STROKE, half)),
        ((left, top + half - 1), (width, STROKE)),
    ];
    for (segment, (at, size)) in places.into_iter().enumerate() {
        if SEGMENTS[digit] >> segment & 1 == 1 {
            fill(pixels, at, size, INK);
        }
    }
}

fn fill(
    pixels: &mut [u8],
    (left, top): (usize, usize),
    (width, height): (usize, usize),
    level: u8,
) {
    for row in top..top + height {
        pixels[row * COLUMNS + left..row * COLUMNS + left + width].fill(level);
    }
}
