//! Small grey pictures, all that the motion gate looks at.
//!
//! [`GreyDecoder`] is the seam behind which a JPEG decoder stands; [`decode_guarded`] is how to call one,
//! because one bad picture may hurt only itself. It must not know what the planes are for.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::blocks::{self, Blocks};
pub use crate::decode::DecodeError;
use crate::decode::{MAX_PIXELS, Want, decode};
use crate::scale::Scaler;

/// Width of a plane in pixels, unless the picture is smaller or very tall.
pub const PLANE_WIDTH: u16 = 160;
/// No plane is taller than this; a picture in portrait (9:16) fits.
pub const PLANE_MAX_HEIGHT: u16 = 320;

/// A small grey picture: one byte a pixel, 0 black to 255 white.
#[derive(Clone, PartialEq, Eq)]
pub struct GreyPlane {
    width: u16,
    height: u16,
    pixels: Vec<u8>,
}

impl Default for GreyPlane {
    /// One black pixel, to be replaced by a picture.
    fn default() -> Self {
        Self {
            width: 1,
            height: 1,
            pixels: vec![0],
        }
    }
}

impl GreyPlane {
    /// A plane of these pixels, row by row. `None` when they are not `width * height`, or none at all.
    #[must_use]
    pub fn new(width: u16, height: u16, pixels: Vec<u8>) -> Option<Self> {
        let fits = pixels.len() == usize::from(width) * usize::from(height) && !pixels.is_empty();
        fits.then_some(Self {
            width,
            height,
            pixels,
        })
    }

    /// Becomes these samples, `from` (width, height), in another size. `None` when they are not as many.
    fn take(
        &mut self,
        samples: &[u8],
        from: (usize, usize),
        (width, height): (u16, u16),
        scaler: &mut Scaler,
    ) -> Option<()> {
        if samples.len() != from.0 * from.1 || samples.is_empty() {
            return None;
        }
        let to = (usize::from(width), usize::from(height));
        self.pixels.clear();
        if from == to {
            self.pixels.extend_from_slice(samples);
        } else {
            scaler.scale(samples, from, to, &mut self.pixels);
        }
        (self.width, self.height) = (width, height);
        Some(())
    }

    /// Becomes this plane, in its own memory.
    pub(crate) fn assign(&mut self, other: &Self) {
        (self.width, self.height) = (other.width, other.height);
        self.pixels.clone_from(&other.pixels);
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

/// Memory to decode pictures in: kept from one to the next, those of one camera take no more after the first.
#[derive(Debug, Default)]
pub struct GreyMemory {
    blocks: blocks::Memory,
    scaler: Scaler,
}

/// Makes the small grey picture of a JPEG. An implementation may panic: call it through [`decode_guarded`].
pub trait GreyDecoder: Send + Sync {
    /// The picture in grey, area-averaged to [`PLANE_WIDTH`]; a smaller picture is not enlarged. It takes the place
    /// of `plane`, which means nothing when this fails.
    ///
    /// # Errors
    /// [`DecodeError`] when the picture cannot be decoded.
    fn decode(
        &self,
        jpeg: &[u8],
        plane: &mut GreyPlane,
        memory: &mut GreyMemory,
    ) -> Result<(), DecodeError>;
}

/// The real decoder: block means where a picture is large enough for them, else zune-jpeg reading brightness
/// only.
#[derive(Debug, Clone, Copy, Default)]
pub struct JpegGreyDecoder;

impl GreyDecoder for JpegGreyDecoder {
    fn decode(
        &self,
        jpeg: &[u8],
        plane: &mut GreyPlane,
        memory: &mut GreyMemory,
    ) -> Result<(), DecodeError> {
        if from_blocks(jpeg, plane, memory).is_some() {
            return Ok(());
        }
        let picture = decode(jpeg, Want::Luma)?;
        let from = (picture.width, picture.height);
        plane
            .take(
                &picture.samples,
                from,
                plane_size(from.0, from.1),
                &mut memory.scaler,
            )
            .ok_or_else(|| {
                DecodeError::Refused("it came out in another size than it said".to_owned())
            })
    }
}

/// The plane by the means of the picture's blocks, where it has enough of them.
fn from_blocks(jpeg: &[u8], plane: &mut GreyPlane, memory: &mut GreyMemory) -> Option<()> {
    let blocks = Blocks::of(jpeg, MAX_PIXELS)?;
    let (grid, size) = (blocks.grid(), blocks.size());
    let to = plane_size(size.0, size.1);
    let are_enough = grid.0 >= usize::from(to.0) && grid.1 >= usize::from(to.1);
    if !are_enough {
        return None;
    }
    plane.take(
        blocks.means(&mut memory.blocks)?,
        grid,
        to,
        &mut memory.scaler,
    )
}

/// Runs a decoder so that a panic in it is an error of this picture and of nothing else.
///
/// # Errors
/// What the decoder says, or [`DecodeError::Panicked`].
pub fn decode_guarded(
    decoder: &dyn GreyDecoder,
    jpeg: &[u8],
    plane: &mut GreyPlane,
    memory: &mut GreyMemory,
) -> Result<(), DecodeError> {
    // Unwind safe: what may be half done, plane and memory, is thrown away.
    let decoded = catch_unwind(AssertUnwindSafe(|| decoder.decode(jpeg, plane, memory)));
    decoded.unwrap_or_else(|_| {
        (*plane, *memory) = (GreyPlane::default(), GreyMemory::default());
        Err(DecodeError::Panicked)
    })
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
        assert!(GreyPlane::new(2, 2, vec![0; 4]).is_some());
        assert!(GreyPlane::new(2, 2, vec![0; 3]).is_none());
        assert!(GreyPlane::new(0, 2, Vec::new()).is_none());
    }
}
