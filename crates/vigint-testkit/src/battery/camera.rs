//! What a camera makes of the scene: light, shake and noise, and at last a JPEG.

#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    reason = "levels are clamped to 0..=255 first, places are small, and of a random number any bits will do"
)]

use jpeg_encoder::{ColorType, Encoder, SamplingFactor};

use super::picture::{COLUMNS, HEIGHT, Picture, ROWS, WIDTH};
use crate::splitmix::SplitMix;

/// How many different noise values there are; each row begins somewhere else among them.
const GRAINS: usize = 1 << 16;

/// How the camera sees the scene at one moment.
#[derive(Debug, Clone, Copy)]
pub(super) struct Look {
    /// What the scene's levels are multiplied with.
    pub(super) gain: f32,
    /// And what is added, in levels.
    pub(super) offset: f32,
    /// How much brighter the right side is than the left, as a share of the gain.
    pub(super) tilt: f32,
    /// Bands of light rolling through the picture: their depth as a share of the gain, and the phase of the
    /// first row in turns.
    pub(super) bands: (f32, f32),
    /// Standard deviation of the noise in levels.
    pub(super) noise: f32,
    /// Whether the noise comes in grains of 2x2 pixels, as a camera's smoothing leaves it in low light.
    pub(super) is_coarse: bool,
    /// How far the picture is shaken, in pixels.
    pub(super) shake: (f32, f32),
}

impl Default for Look {
    /// A steady camera in good light.
    fn default() -> Self {
        Self {
            gain: 1.0,
            offset: 0.0,
            tilt: 0.0,
            bands: (0.0, 0.0),
            noise: 1.5,
            is_coarse: false,
            shake: (0.0, 0.0),
        }
    }
}

/// How the picture is coded.
#[derive(Debug, Clone, Copy)]
pub(super) struct Coding {
    /// Quality of the JPEG, 1..=100.
    pub(super) quality: u8,
    /// Whether it has colour planes (4:2:0), though grey ones. Without them it is a grey JPEG, which costs
    /// less to make and tells the gate the same.
    pub(super) has_colour: bool,
}

/// A camera. Each picture takes new noise from it.
pub(super) struct Camera {
    random: SplitMix,
    /// Normally distributed around 0, in units of the standard deviation.
    fine: Vec<f32>,
    /// The same, each value twice.
    coarse: Vec<f32>,
    /// Bytes of the picture being made.
    pixels: Vec<u8>,
    shaken: Vec<f32>,
}

impl Camera {
    pub(super) fn new(seed: u64) -> Self {
        let mut random = SplitMix(seed);
        let fine: Vec<f32> = (0..GRAINS + COLUMNS).map(|_| random.normal()).collect();
        let coarse = fine.iter().flat_map(|grain| [*grain; 2]).collect();
        Self {
            random,
            fine,
            coarse,
            pixels: vec![0; COLUMNS * ROWS],
            shaken: vec![0.0; COLUMNS],
        }
    }

    /// What the camera sees of the scene, one byte a pixel.
    pub(super) fn expose(&mut self, scene: &Picture, look: &Look) -> &mut [u8] {
        let mut start = 0;
        for (y, pixels) in self.pixels.chunks_exact_mut(COLUMNS).enumerate() {
            let levels = if look.shake == (0.0, 0.0) {
                scene.row(y as isize)
            } else {
                shake(scene, y, look.shake, &mut self.shaken);
                &self.shaken
            };
            let grains = if look.is_coarse {
                // Even starts keep the grains in columns of two.
                if y % 2 == 0 {
                    start = (self.random.next() as usize % GRAINS) & !1;
                }
                &self.coarse[start..start + COLUMNS]
            } else {
                start = self.random.next() as usize % GRAINS;
                &self.fine[start..start + COLUMNS]
            };
            let (depth, phase) = look.bands;
            let turn = (y as f32 / 180.0 + phase) * std::f32::consts::TAU;
            let gain = look.gain * (1.0 + depth * turn.sin());
            let slope = gain * look.tilt / f32::from(WIDTH);
            let first = gain - slope * f32::from(WIDTH) / 2.0;
            for (x, ((pixel, level), grain)) in
                pixels.iter_mut().zip(levels).zip(grains).enumerate()
            {
                let light = first + slope * x as f32;
                let level = level * light + look.offset + look.noise * grain;
                *pixel = (level + 0.5).clamp(0.0, 255.0) as u8;
            }
        }
        &mut self.pixels
    }

    /// The last picture as a JPEG.
    pub(super) fn jpeg(&self, coding: Coding) -> Vec<u8> {
        let mut jpeg = Vec::new();
        let mut encoder = Encoder::new(&mut jpeg, coding.quality);
        let coded = if coding.has_colour {
            encoder.set_sampling_factor(SamplingFactor::F_2_2);
            let ycbcr: Vec<u8> = self
                .pixels
                .iter()
                .flat_map(|level| [*level, 128, 128])
                .collect();
            encoder.encode(&ycbcr, WIDTH, HEIGHT, ColorType::Ycbcr)
        } else {
            encoder.encode(&self.pixels, WIDTH, HEIGHT, ColorType::Luma)
        };
        coded.expect("a picture of this size fits into a JPEG, and a Vec takes it");
        jpeg
    }
}

/// One row of the scene seen from a little beside: each pixel is a mix of the four it falls between.
fn shake(scene: &Picture, y: usize, (right, down): (f32, f32), row: &mut [f32]) {
    let (whole_x, whole_y) = (right.floor(), down.floor());
    let (part_x, part_y) = (right - whole_x, down - whole_y);
    let above = scene.row(y as isize + whole_y as isize);
    let below = scene.row(y as isize + whole_y as isize + 1);
    let column = |x: isize| x.clamp(0, COLUMNS as isize - 1) as usize;
    let mix = |x: isize| {
        let at = column(x);
        above[at] + (below[at] - above[at]) * part_y
    };
    let mut left = mix(whole_x as isize);
    for (x, pixel) in (1..).zip(row) {
        let next = mix(whole_x as isize + x);
        *pixel = left + (next - left) * part_x;
        left = next;
    }
}
