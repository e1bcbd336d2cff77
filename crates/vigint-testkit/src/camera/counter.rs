//! The running number of a picture, drawn into its top in black and white cells so coarse that it is still read after
//! H.264, JPEG and scaling: by what is seen one tells whether pictures stayed in order, however they were sent.
//!
//! Two rows of 32 square cells across the whole width. The upper: white, black, twenty bits of the number, eight of
//! a checksum, black, white. The lower is the upper reversed and inverted: a picture that is half of one and half of
//! another is not read as a third.

use vigint_video::grey::{GreyMemory, GreyPlane, JpegGreyDecoder, decode_guarded};

/// Numbers are below this.
pub const NUMBERS: u32 = 1 << 20;

/// Cells across a picture.
const CELLS: usize = 32;
const CHECK_BITS: u32 = 8;
const BLACK: u8 = 24;
const WHITE: u8 = 228;
/// White is at least so much brighter than black, or there is no number.
const LEAST_CONTRAST: i32 = 70;

/// Draws a number into a grey picture of this width, row by row.
///
/// # Panics
/// When the number is not below [`NUMBERS`], or the picture is narrower than 32 pixels or lower than a sixteenth of
/// its width.
pub fn draw(pixels: &mut [u8], width: usize, number: u32) {
    assert!(number < NUMBERS, "{number} needs more than twenty bits");
    let side = width / CELLS;
    assert!(side > 0, "a picture of {width} pixels across is too narrow");
    for (row, cells) in [upper(number), lower(number)].into_iter().enumerate() {
        for y in row * side..(row + 1) * side {
            let line = &mut pixels[y * width..(y + 1) * width];
            for (x, pixel) in line.iter_mut().enumerate() {
                let cell = (x * CELLS / width).min(CELLS - 1);
                *pixel = if cells[cell] { WHITE } else { BLACK };
            }
        }
    }
}

/// The number in a small grey picture; `None` when there is none, or not for certain.
#[must_use]
pub fn read(plane: &GreyPlane) -> Option<u32> {
    let seen = [read_row(plane, 0)?, read_row(plane, 1)?];
    let bits = seen[0].iter().skip(2).take(CELLS - 4);
    let bits = bits.fold(0_u32, |bits, &is_white| (bits << 1) | u32::from(is_white));
    let number = bits >> CHECK_BITS;
    (seen == [upper(number), lower(number)]).then_some(number)
}

/// The number in a JPEG; `None` when there is none, not for certain, or no picture.
#[must_use]
pub fn read_jpeg(jpeg: &[u8]) -> Option<u32> {
    let (mut plane, mut memory) = (GreyPlane::default(), GreyMemory::default());
    decode_guarded(&JpegGreyDecoder, jpeg, &mut plane, &mut memory).ok()?;
    read(&plane)
}

fn upper(number: u32) -> [bool; CELLS] {
    let bits = (number << CHECK_BITS) | u32::from(checksum(number));
    std::array::from_fn(|cell| match cell {
        0 => true,
        1 => false,
        cell if cell < CELLS - 2 => bits >> (CELLS - 3 - cell) & 1 == 1,
        cell => cell == CELLS - 1,
    })
}

fn lower(number: u32) -> [bool; CELLS] {
    let mut cells = upper(number);
    cells.reverse();
    cells.map(|is_white| !is_white)
}

/// A cyclic redundancy check of eight bits (polynomial 7).
fn checksum(number: u32) -> u8 {
    let mut sum = 0x5a_u8;
    for byte in number.to_be_bytes() {
        sum ^= byte;
        for _ in 0..8 {
            let carries = sum & 0x80 != 0;
            sum = (sum << 1) ^ if carries { 7 } else { 0 };
        }
    }
    sum
}

fn read_row(plane: &GreyPlane, row: usize) -> Option<[bool; CELLS]> {
    let (width, height) = (usize::from(plane.width()), usize::from(plane.height()));
    let y = (2 * row + 1) * width / (2 * CELLS);
    if width < CELLS * 3 || y + 1 >= height {
        return None;
    }
    let level = |cell: usize| {
        let x = (2 * cell + 1) * width / (2 * CELLS);
        let around = (y - 1..=y + 1).flat_map(|y| (x - 1..=x + 1).map(move |x| y * width + x));
        around.map(|at| i32::from(plane.pixels()[at])).sum::<i32>() / 9
    };
    let levels: [i32; CELLS] = std::array::from_fn(level);
    // The first two of either row are what white and black look like here.
    let (first, second) = (levels[0], levels[1]);
    let (white, black) = (first.max(second), first.min(second));
    if white - black < LEAST_CONTRAST {
        return None;
    }
    let middle = i32::midpoint(white, black);
    let is_certain = |level: &i32| (level - middle).abs() * 5 >= white - black;
    levels
        .iter()
        .all(is_certain)
        .then(|| levels.map(|level| level > middle))
}

#[cfg(test)]
mod tests {
    use jpeg_encoder::{ColorType, Encoder};

    use super::*;

    fn picture(number: u32) -> Vec<u8> {
        let mut pixels = vec![120; 640 * 360];
        draw(&mut pixels, 640, number);
        pixels
    }

    fn jpeg(pixels: &[u8]) -> Vec<u8> {
        let mut jpeg = Vec::new();
        Encoder::new(&mut jpeg, 30)
            .encode(pixels, 640, 360, ColorType::Luma)
            .unwrap();
        jpeg
    }

    #[test]
    fn a_number_is_read_from_a_coarse_jpeg_as_it_was_drawn() {
        for number in [0, 1, 599, 600, 0xAAAAA, NUMBERS - 1] {
            assert_eq!(read_jpeg(&jpeg(&picture(number))), Some(number));
        }
    }

    #[test]
    fn a_picture_that_is_half_of_one_and_half_of_another_has_no_number() {
        let (one, other) = (picture(0x12345), picture(0x6789A));
        for x in (40..640).step_by(20) {
            let mixed: Vec<u8> = (0..one.len())
                .map(|at| if at % 640 < x { one[at] } else { other[at] })
                .collect();
            let read = read_jpeg(&jpeg(&mixed));
            assert!(
                read.is_none_or(|number| [0x12345, 0x6789A].contains(&number)),
                "{x}: {read:?}"
            );
        }
        let torn = [&one[..640 * 20], &other[640 * 20..]].concat();
        assert_eq!(read_jpeg(&jpeg(&torn)), None);
    }

    #[test]
    fn a_picture_without_a_number_has_none() {
        assert_eq!(read_jpeg(&jpeg(&vec![120; 640 * 360])), None);
        assert_eq!(read_jpeg(b"no picture"), None);
    }
}
