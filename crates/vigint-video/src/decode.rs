//! The one place that calls the JPEG decoder: bytes in, luma or Y'CbCr samples out.
//!
//! It bounds what a picture may cost before any sample is decoded. It does not catch panics: its callers do.

use zune_core::bytestream::ZCursor;
use zune_core::colorspace::ColorSpace;
use zune_core::options::DecoderOptions;
use zune_jpeg::JpegDecoder;

/// A picture above this is not decoded, whatever its sender was allowed: 8K UHD twice over.
pub(crate) const MAX_PIXELS: usize = 1 << 26;

/// Why a picture could not be decoded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// The decoder refused it; the text is the decoder's.
    #[error("the picture cannot be decoded: {0}")]
    Refused(String),
    /// More pixels than are ever decoded.
    #[error("the picture is too large to decode: {width}x{height}")]
    TooLarge {
        /// Width in pixels.
        width: usize,
        /// Height in pixels.
        height: usize,
    },
    /// The decoder panicked on it: the picture is lost, nothing else is.
    #[error("the decoder failed on this picture")]
    Panicked,
}

/// Which samples are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Want {
    /// Brightness only.
    Luma,
    /// Brightness and colour, where the picture has any.
    #[cfg(feature = "clips")]
    Colour,
}

/// A decoded picture, full range, BT.601.
#[derive(Debug)]
pub(crate) struct Picture {
    pub(crate) width: usize,
    pub(crate) height: usize,
    /// 1 (Y) or 3 (Y, Cb, Cr) samples a pixel.
    #[cfg_attr(
        not(feature = "clips"),
        allow(dead_code, reason = "always 1 where nobody wants colour")
    )]
    pub(crate) channels: usize,
    /// `width * height * channels` samples, row by row, interleaved.
    pub(crate) samples: Vec<u8>,
}

/// Decodes a JPEG.
pub(crate) fn decode(jpeg: &[u8], want: Want) -> Result<Picture, DecodeError> {
    let refused = |error: zune_jpeg::errors::DecodeErrors| DecodeError::Refused(error.to_string());
    let options = DecoderOptions::default()
        .set_max_width(usize::from(u16::MAX))
        .set_max_height(usize::from(u16::MAX));
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(jpeg), options);
    decoder.decode_headers().map_err(refused)?;
    let (width, height) = decoder
        .dimensions()
        .ok_or_else(|| DecodeError::Refused("it has no size".to_owned()))?;
    if width.saturating_mul(height) > MAX_PIXELS {
        return Err(DecodeError::TooLarge { width, height });
    }
    let components = decoder.info().map_or(0, |info| info.components);
    // Adobe's marker can say that the three components are R, G and B; the decoder then calls them CMYK
    // until it decodes.
    let rgb = components == 3
        && matches!(
            decoder.input_colorspace(),
            Some(ColorSpace::RGB | ColorSpace::CMYK)
        );
    let wants_colour = want != Want::Luma && components == 3;
    let output = match (rgb, wants_colour) {
        (true, _) => ColorSpace::RGB,
        (false, true) => ColorSpace::YCbCr,
        (false, false) => ColorSpace::Luma,
    };
    decoder.set_options(options.jpeg_set_out_colorspace(output));
    let samples = decoder.decode().map_err(refused)?;
    let (channels, samples) = match (rgb, wants_colour) {
        (true, true) => (3, rgb_to_ycbcr(samples)),
        (true, false) => (1, rgb_to_luma(&samples)),
        (false, true) => (3, samples),
        (false, false) => (1, samples),
    };
    Ok(Picture {
        width,
        height,
        channels,
        samples,
    })
}

/// BT.601 brightness, in 1/256.
fn luma([r, g, b]: [u8; 3]) -> u8 {
    let sum = 77 * u32::from(r) + 150 * u32::from(g) + 29 * u32::from(b) + 128;
    u8::try_from(sum >> 8).unwrap_or(u8::MAX)
}

fn rgb_to_luma(rgb: &[u8]) -> Vec<u8> {
    rgb.as_chunks().0.iter().copied().map(luma).collect()
}

fn rgb_to_ycbcr(mut samples: Vec<u8>) -> Vec<u8> {
    let clamp = |value: i32| u8::try_from(value.clamp(0, 255)).unwrap_or(u8::MAX);
    for pixel in samples.as_chunks_mut::<3>().0 {
        let [r, g, b] = pixel.map(i32::from);
        *pixel = [
            luma(*pixel),
            clamp(((-43 * r - 85 * g + 128 * b + 128) >> 8) + 128),
            clamp(((128 * r - 107 * g - 21 * b + 128) >> 8) + 128),
        ];
    }
    samples
}
