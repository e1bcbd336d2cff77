//! Small grey pictures, all that the motion gate looks at.
//!
//! [`GreyDecoder`] is the seam behind which a JPEG decoder stands; [`decode_guarded`] is how to call one,
//! because one bad picture may hurt only itself. It must not know what the planes are for.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::blocks::Blocks;
pub use crate::decode::DecodeError;
use crate::decode::{MAX_PIXELS, Want, decode};
use crate::scale::area_average;

/// Width of a plane in pixels, unless the picture is smaller or very tall.
pub const PLANE_WIDTH: u16 = 160;
/// No plane is taller than this; a picture in portrait (9:16) fits.
pub const PLANE_MAX_HEIGHT: u16 = 320;

/// A small grey picture: one byte a pixel, 0 black to 255 white.
#[derive(Clone, PartialEq, Eq)]
pub struct GreyPlane {
    width: u16,
    height: u16,
    pixels: Box<[u8]>,
}

impl GreyPlane {
    /// A plane of these pixels, row by row. `None` when they are not `width * height`, or none at all.
    #[must_use]
    pub fn new(width: u16, height: u16, pixels: Box<[u8]>) -> Option<Self> {
        let fits = pixels.len() == usize::from(width) * usize::from(height) && !pixels.is_empty();
        fits.then_some(Self {
            width,
            height,
            pixels,
        })
    }

    /// Width in pixels, at least 1.
    #[must_use]
    pub fn width(&self) -> u16 {
        self.width
    }

    /// Height in pixels, at least 1.
    #[must_use]
    pub fn height(&self) -> u16 {
        self.height
    }

    /// The pixels, row by row, `width * height` of them.
    #[must_use]
    pub fn pixels(&self) -> &[u8] {
        &self.pixels
    }
}

impl std::fmt::Debug for GreyPlane {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "GreyPlane({}x{})", self.width, self.height)
    }
}

/// Makes the small grey picture of a JPEG. An implementation may panic: call it through [`decode_guarded`].
pub trait GreyDecoder: Send + Sync {
    /// The picture in grey, area-averaged to [`PLANE_WIDTH`]; a smaller picture is not enlarged.
    ///
    /// # Errors
    /// [`DecodeError`] when the picture cannot be decoded.
    fn decode(&self, jpeg: &[u8]) -> Result<GreyPlane, DecodeError>;
}

/// The real decoder: block means where a picture is large enough for them, else zune-jpeg reading brightness
/// only.
#[derive(Debug, Clone, Copy, Default)]
pub struct JpegGreyDecoder;

impl GreyDecoder for JpegGreyDecoder {
    fn decode(&self, jpeg: &[u8]) -> Result<GreyPlane, DecodeError> {
        if let Some(plane) = from_blocks(jpeg) {
            return Ok(plane);
        }
        let picture = decode(jpeg, Want::Luma)?;
        let from = (picture.width, picture.height);
        scaled(picture.samples, from, plane_size(from.0, from.1))
    }
}

/// The plane by the means of the picture's blocks, where it has enough of them.
fn from_blocks(jpeg: &[u8]) -> Option<GreyPlane> {
    let blocks = Blocks::of(jpeg, MAX_PIXELS)?;
    let (grid, size) = (blocks.grid(), blocks.size());
    let to = plane_size(size.0, size.1);
    let are_enough = grid.0 >= usize::from(to.0) && grid.1 >= usize::from(to.1);
    if !are_enough {
        return None;
    }
    scaled(blocks.means()?, grid, to).ok()
}

/// The plane of these samples, `from` (width, height), in another size.
fn scaled(
    samples: Vec<u8>,
    from: (usize, usize),
    (width, height): (u16, u16),
) -> Result<GreyPlane, DecodeError> {
    let to = (usize::from(width), usize::from(height));
    let pixels = if from == to {
        samples
    } else {
        area_average(&samples, from, to)
    };
    GreyPlane::new(width, height, pixels.into_boxed_slice())
        .ok_or_else(|| DecodeError::Refused("it came out in another size than it said".to_owned()))
}

/// Runs a decoder so that a panic in it is an error of this picture and of nothing else.
///
/// # Errors
/// What the decoder says, or [`DecodeError::Panicked`].
pub fn decode_guarded(decoder: &dyn GreyDecoder, jpeg: &[u8]) -> Result<GreyPlane, DecodeError> {
    // Unwind safe: the decoder is behind `&` and whatever it was building is dropped.
    catch_unwind(AssertUnwindSafe(|| decoder.decode(jpeg))).unwrap_or(Err(DecodeError::Panicked))
}

/// The size of the plane of a picture of this size: its shape is kept, nothing is enlarged, no side is 0.
fn plane_size(width: usize, height: usize) -> (u16, u16) {
    let (max_width, max_height) = (usize::from(PLANE_WIDTH), usize::from(PLANE_MAX_HEIGHT));
    let rounded = |side: usize, by: usize, over: usize| (side * by + over / 2) / over.max(1);
    let (w, h) = if width <= max_width && height <= max_height {
        (width, height)
    } else if height * max_width <= max_height * width {
        (max_width, rounded(height, max_width, width))
    } else {
        (rounded(width, max_height, height), max_height)
    };
    let side = |value: usize| u16::try_from(value.max(1)).unwrap_or(u16::MAX);
    (side(w), side(h))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn planes_keep_the_shape_and_never_grow() {
        assert_eq!(plane_size(1280, 720), (160, 90));
        assert_eq!(plane_size(768, 432), (160, 90));
        assert_eq!(plane_size(640, 480), (160, 120));
        assert_eq!(plane_size(1080, 1920), (160, 284));
        assert_eq!(plane_size(120, 90), (120, 90));
        assert_eq!(plane_size(1, 1), (1, 1));
        assert_eq!(plane_size(65_500, 1), (160, 1));
        assert_eq!(plane_size(1, 65_500), (1, 320));
    }

    #[test]
    fn a_plane_has_exactly_its_pixels() {
        assert!(GreyPlane::new(2, 2, vec![0; 4].into()).is_some());
        assert!(GreyPlane::new(2, 2, vec![0; 3].into()).is_none());
        assert!(GreyPlane::new(0, 2, Box::default()).is_none());
    }
}
