//! What cameras of tests see: a grey wall, a square that wanders across it, and the picture's number.

use jpeg_encoder::{ColorType, Encoder};

use super::counter;

/// Quality of the JPEGs, as cameras have it.
const JPEG_QUALITY: u8 = 80;

/// Width and height in pixels, both even.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PictureSize {
    /// Width; a multiple of 32, so that all cells of the number are alike.
    pub width: u16,
    /// Height.
    pub height: u16,
}

impl PictureSize {
    /// What a camera has when it is well.
    pub const USUAL: Self = Self {
        width: 640,
        height: 360,
    };
    /// What it has after its resolution was changed.
    pub const OTHER: Self = Self {
        width: 480,
        height: 270,
    };
}

/// A picture in grey, row by row.
pub(crate) fn grey(size: PictureSize, number: u32) -> Vec<u8> {
    let (width, height) = (usize::from(size.width), usize::from(size.height));
    let mut pixels: Vec<u8> = Vec::with_capacity(width * height);
    for y in 0..height {
        let shade = u8::try_from(60 + y * 100 / height).unwrap_or(160);
        pixels.extend(std::iter::repeat_n(shade, width));
    }
    let side = height / 6;
    let steps = usize::try_from(number).unwrap_or(0) * 4;
    let (left, top) = (steps % (width - side), height / 2);
    for line in pixels.chunks_exact_mut(width).skip(top).take(side) {
        line[left..left + side].fill(210);
    }
    counter::draw(&mut pixels, width, number);
    pixels
}

/// The same as a JPEG.
pub(crate) fn jpeg(size: PictureSize, number: u32) -> Vec<u8> {
    let mut jpeg = Vec::new();
    Encoder::new(&mut jpeg, JPEG_QUALITY)
        .encode(
            &grey(size, number),
            size.width,
            size.height,
            ColorType::Luma,
        )
        .expect("a picture of this size fits into a JPEG, and a Vec takes it");
    jpeg
}
