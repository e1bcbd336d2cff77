//! Pictures to test with: drawn, with noise that is the same at every run, and coded as JPEG.

use jpeg_encoder::{ColorType, Encoder, SamplingFactor};

/// Noise without a library: the same numbers at every run.
pub(crate) struct Noise(u64);

impl Noise {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(2).wrapping_add(1))
    }

    pub(crate) fn next(&mut self) -> u64 {
        // splitmix64
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// About normal, with this standard deviation.
    pub(crate) fn normal(&mut self, deviation: f32) -> f32 {
        let sum: f32 = (0..4)
            .map(|_| (self.next() % 10_001) as f32 / 10_000.0 - 0.5)
            .sum();
        sum * deviation / 0.577
    }
}

/// How a test picture is coded.
#[derive(Clone, Copy, Default)]
pub(crate) struct Coding {
    pub(crate) grey: bool,
    pub(crate) progressive: bool,
    pub(crate) restart: u16,
    pub(crate) sampling: Option<SamplingFactor>,
}

/// A JPEG of `width * height` RGB pixels.
pub(crate) fn jpeg(rgb: &[u8], width: u16, height: u16, coding: Coding) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = Encoder::new(&mut bytes, 85);
    encoder.set_progressive(coding.progressive);
    encoder.set_restart_interval(coding.restart);
    encoder.set_sampling_factor(coding.sampling.unwrap_or(SamplingFactor::F_2_2));
    if coding.grey {
        let luma: Vec<u8> = rgb.chunks(3).map(|pixel| pixel[1]).collect();
        encoder
            .encode(&luma, width, height, ColorType::Luma)
            .unwrap();
    } else {
        encoder.encode(rgb, width, height, ColorType::Rgb).unwrap();
    }
    bytes
}

/// A coloured scene with something in it that moves with `step`.
pub(crate) fn scene(width: u16, height: u16, step: usize) -> Vec<u8> {
    let (w, h) = (usize::from(width), usize::from(height));
    let mut rgb = Vec::with_capacity(w * h * 3);
    for y in 0..h {
        for x in 0..w {
            let near = x.abs_diff(step * 7 % w) < w / 8 && y.abs_diff(h / 2) < h / 4;
            let pixel = if near {
                [220, 40, 30]
            } else {
                [(x * 200 / w) as u8 + 20, (y * 200 / h) as u8 + 20, 90]
            };
            rgb.extend(pixel);
        }
    }
    rgb
}

/// A JPEG of [`scene`] in the usual coding.
pub(crate) fn scene_jpeg(width: u16, height: u16, step: usize) -> Vec<u8> {
    jpeg(
        &scene(width, height, step),
        width,
        height,
        Coding::default(),
    )
}
