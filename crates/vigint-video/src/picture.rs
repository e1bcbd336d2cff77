//! Smaller pictures, for whoever looks at a camera's frames and pays by their size.

use std::panic::catch_unwind;

use bytes::Bytes;
use jpeg_encoder::{ChromaSubsamplingMethod, ColorType, Encoder, SamplingFactor};

use crate::decode::{DecodeError, Picture, Want, decode};
use crate::scale::Scaler;

/// A model sees no more in a better one.
const QUALITY: u8 = 80;

/// Why there is no smaller picture.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ShrinkError {
    /// It cannot be decoded.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// It cannot be encoded again; the text is the encoder's.
    #[error("the smaller picture cannot be encoded: {0}")]
    Encode(String),
}

/// The JPEG with at most so many pixels (at least one) on its longer side, its ratio kept: averaged over areas where
/// it is larger, and always encoded anew, so that nothing goes along that is no picture (where it was taken, by what,
/// another one behind it). Grey when it was grey. A panic of a decoder on it is its own error.
///
/// # Errors
/// [`ShrinkError`] when it cannot be decoded, or encoded again.
pub fn shrink(jpeg: &[u8], longest_side: u16) -> Result<Bytes, ShrinkError> {
    // It works on its own copies of what it is given, and leaves nothing behind.
    catch_unwind(|| shrunk(jpeg, longest_side)).unwrap_or(Err(DecodeError::Panicked.into()))
}

fn shrunk(jpeg: &[u8], longest_side: u16) -> Result<Bytes, ShrinkError> {
    let picture = decode(jpeg, Want::Colour)?;
    let (width, height) = fitting((picture.width, picture.height), longest_side);
    let samples = scaled(&picture, (usize::from(width), usize::from(height)));
    let colours = if picture.channels == 3 {
        ColorType::Ycbcr
    } else {
        ColorType::Luma
    };
    let mut smaller = Vec::new();
    let mut encoder = Encoder::new(&mut smaller, QUALITY);
    encoder.set_sampling_factor(SamplingFactor::F_2_2);
    // Unless told so it takes one pixel's colour for four.
    encoder.set_chroma_subsampling_method(ChromaSubsamplingMethod::Average);
    encoder
        .encode(&samples, width, height, colours)
        .map_err(|error| ShrinkError::Encode(error.to_string()))?;
    Ok(smaller.into())
}

/// The size that keeps the ratio, no side less than one pixel.
fn fitting((width, height): (usize, usize), longest_side: u16) -> (u16, u16) {
    let most = usize::from(longest_side.max(1));
    let longest = width.max(height).max(1);
    let fit = |side: usize| {
        // Rounded to the nearest.
        let scaled = (side * most.min(longest) + longest / 2) / longest;
        u16::try_from(scaled.max(1)).unwrap_or(longest_side)
    };
    (fit(width), fit(height))
}

/// Its samples in that size, interleaved as they were.
fn scaled(picture: &Picture, to: (usize, usize)) -> Vec<u8> {
    let channels = picture.channels;
    let mut samples = vec![0; to.0 * to.1 * channels];
    let (mut scaler, mut plane, mut smaller) = (Scaler::default(), Vec::new(), Vec::new());
    for channel in 0..channels {
        plane.clear();
        plane.extend(picture.samples.iter().skip(channel).step_by(channels));
        scaler.scale(&plane, (picture.width, picture.height), to, &mut smaller);
        let places = samples.iter_mut().skip(channel).step_by(channels);
        for (place, sample) in places.zip(&smaller) {
            *place = *sample;
        }
    }
    samples
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::jpeg;

    /// Red on the left, blue on the right; or a grey ramp.
    fn picture(width: u16, height: u16, colours: ColorType) -> Bytes {
        let pixels = (0..height).flat_map(|_| {
            (0..width).flat_map(|x| match colours {
                ColorType::Luma => {
                    vec![u8::try_from(u32::from(x) * 255 / u32::from(width)).unwrap()]
                }
                _ if x < width / 2 => vec![220, 20, 20],
                _ => vec![20, 20, 220],
            })
        });
        let pixels: Vec<u8> = pixels.collect();
        let mut jpeg = Vec::new();
        let encoder = Encoder::new(&mut jpeg, 90);
        encoder.encode(&pixels, width, height, colours).unwrap();
        jpeg.into()
    }

    fn size(jpeg: &[u8]) -> (u16, u16) {
        let info = jpeg::inspect(jpeg, u64::MAX).unwrap();
        (info.width, info.height)
    }

    #[test]
    fn a_picture_that_is_small_enough_keeps_its_size_and_nothing_but_its_picture() {
        let small = picture(320, 180, ColorType::Rgb);
        let (start, rest) = small.split_at(2);
        let told = [start, b"\xff\xfe\x00\x0ewhose it is", rest].concat();
        let shrunk = shrink(&told, 320).unwrap();
        assert_eq!(size(&shrunk), (320, 180));
        assert!(memchr::memmem::find(&shrunk, b"whose it is").is_none());
        assert_eq!(size(&shrink(&small, 319).unwrap()), (319, 179));
    }

    #[test]
    fn colours_and_places_stay() {
        let shrunk = shrink(&picture(1280, 720, ColorType::Rgb), 64).unwrap();
        assert_eq!(size(&shrunk), (64, 36));
        let picture = decode(&shrunk, Want::Colour).unwrap();
        let at = |x: usize| &picture.samples[(18 * 64 + x) * 3..][..3];
        let near = |found: &[u8], expected: [u8; 3]| {
            found
                .iter()
                .zip(expected)
                .all(|(found, expected)| found.abs_diff(expected) < 8)
        };
        // Y, Cb, Cr of the red and of the blue.
        assert!(near(at(8), [80, 94, 228]), "{:?}", at(8));
        assert!(near(at(56), [43, 228, 112]), "{:?}", at(56));
    }

    #[test]
    fn grey_stays_grey() {
        let shrunk = shrink(&picture(400, 300, ColorType::Luma), 100).unwrap();
        let picture = decode(&shrunk, Want::Colour).unwrap();
        assert_eq!(
            (picture.channels, picture.width, picture.height),
            (1, 100, 75)
        );
        assert!(picture.samples[..100].is_sorted_by(|a, b| *a <= b.saturating_add(4)));
    }

    #[test]
    fn what_is_no_picture_is_an_error() {
        let whole = picture(640, 480, ColorType::Rgb);
        for broken in [
            Bytes::from_static(b"no picture"),
            Bytes::new(),
            whole.slice(..200),
        ] {
            assert!(matches!(shrink(&broken, 64), Err(ShrinkError::Decode(_))));
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn any_size_fits_and_keeps_its_ratio(width in 1_usize..9_000, height in 1_usize..9_000, most in 1_u16..4_000) {
            let (w, h) = fitting((width, height), most);
            prop_assert!(w >= 1 && h >= 1 && w.max(h) <= most);
            let longest = f64::from(w.max(h));
            let error = (f64::from(w) / longest - width as f64 / width.max(height) as f64).abs();
            prop_assert!(error <= 1.0 / longest, "{}x{} to {}x{}", width, height, w, h);
        }
    }
}
