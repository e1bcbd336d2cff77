//! Pictures to measure with.

use jpeg_encoder::{ColorType, Encoder};

/// A noisy picture with something in it that moves; 1280x720 makes about 130 kB.
pub(crate) fn picture(width: u16, height: u16, step: u32) -> Vec<u8> {
    let mut seed = step.wrapping_mul(747_796_405) | 1;
    let rgb: Vec<u8> = (0..u32::from(height))
        .flat_map(|y| (0..u32::from(width)).map(move |x| (x, y)))
        .flat_map(|(x, y)| {
            seed ^= seed << 13;
            seed ^= seed >> 17;
            seed ^= seed << 5;
            let noise = (seed % 19) as u8;
            let thing = x.abs_diff(step * 8 % 1280) < 60 && (200..500).contains(&y);
            let base = if thing {
                30
            } else {
                ((x / 5 + y / 3) % 180) as u8 + 20
            };
            [base + noise, base + noise / 2, base]
        })
        .collect();
    let mut bytes = Vec::new();
    Encoder::new(&mut bytes, 78)
        .encode(&rgb, width, height, ColorType::Rgb)
        .unwrap();
    bytes
}
