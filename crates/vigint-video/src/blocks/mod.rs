//! The brightness of a JPEG in blocks of 8×8 pixels, straight from its coded data.
//!
//! The first coefficient of a block says the mean of its 64 pixels (ITU-T T.81, A.3.3). Reading nothing but
//! those is exactly the area average by 8, and several times cheaper than decoding the pixels: no other
//! coefficient is kept, and nothing is transformed. Baseline pictures, as cameras send, are read here; for
//! any other there is the whole decoder.

mod huffman;
mod scan;

use crate::jpeg::marker;
use huffman::Tables;
use scan::{Clean, Component, Layout, MOST_COMPONENTS, Scan};

/// Size of a block in pixels.
const BLOCK: usize = 8;
/// Cameras write their tables in one segment or in four.
const MOST_SEGMENTS: usize = 8;

/// Memory to read pictures in; of one camera's pictures each after the first takes no more of it.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    tables: Tables,
    clean: Clean,
    means: Vec<u8>,
}

/// A picture whose blocks can be read.
pub(crate) struct Blocks<'a> {
    header: Header<'a>,
    /// The scan's header, and what is behind it.
    scan: &'a [u8],
    coded: &'a [u8],
}

impl<'a> Blocks<'a> {
    /// Reads a picture's header; `None` when it is not a baseline picture of at most `max_pixels`.
    pub(crate) fn of(jpeg: &'a [u8], max_pixels: usize) -> Option<Self> {
        let mut header = Header::default();
        let mut rest = jpeg.strip_prefix(&[0xFF, marker::SOI])?;
        loop {
            let (code, behind) = next_marker(rest)?;
            let (segment, coded) = segment(behind)?;
            match code {
                marker::DQT => header.read_quantization(segment)?,
                marker::DHT => header.keep_tables(segment)?,
                marker::SOF0 | marker::SOF1 => header.read_frame(segment, max_pixels)?,
                marker::DRI => {
                    header.restart_interval = u16::from_be_bytes(segment.try_into().ok()?);
                }
                marker::APP14 if is_rgb(segment) => return None,
                marker::SOS => {
                    return (header.components > 0).then_some(Self {
                        header,
                        scan: segment,
                        coded,
                    });
                }
                // Progressive, lossless, arithmetic; or an end where none should be.
                code if marker::is_frame_header(code) || code == marker::EOI => return None,
                _ => {}
            }
            rest = coded;
        }
    }

    /// Width and height in pixels.
    pub(crate) fn size(&self) -> (usize, usize) {
        (self.header.width, self.header.height)
    }

    /// Blocks across and down; the last ones may reach beyond the picture.
    pub(crate) fn grid(&self) -> (usize, usize) {
        let (width, height) = self.size();
        (width.div_ceil(BLOCK), height.div_ceil(BLOCK))
    }

    /// The means of all blocks, 0 black to 255 white, row by row; `None` when the picture is cut off or damaged,
    /// or brightness is not its finest component.
    pub(crate) fn means<'m>(&self, memory: &'m mut Memory) -> Option<&'m [u8]> {
        let header = &self.header;
        let components = header.component.get(..header.components)?;
        let brightness = components.first()?;
        let is_finest = components
            .iter()
            .all(|other| other.across <= brightness.across && other.down <= brightness.down);
        if !is_finest {
            return None;
        }
        let layout = Layout {
            blocks: self.grid(),
            interval: usize::from(header.restart_interval),
            step: (*header.first_steps.get(brightness.quantization)?)?,
        };
        memory.tables.load(header.tables.get(..header.segments)?)?;
        memory.clean.load(self.coded)?;
        let scan = Scan::of(self.scan, components, &memory.tables)?;
        scan.brightness(&memory.clean, layout, &mut memory.means)?;
        Some(&memory.means)
    }
}

/// What stands before the first scan.
#[derive(Default)]
struct Header<'a> {
    width: usize,
    height: usize,
    component: [Component; MOST_COMPONENTS],
    components: usize,
    /// What the first coefficient of a block is multiplied by, for each quantization table.
    first_steps: [Option<u16>; 4],
    /// The segments of Huffman tables.
    tables: [&'a [u8]; MOST_SEGMENTS],
    segments: usize,
    /// In units of the scan; 0 for none.
    restart_interval: u16,
}

impl<'a> Header<'a> {
    fn keep_tables(&mut self, segment: &'a [u8]) -> Option<()> {
        *self.tables.get_mut(self.segments)? = segment;
        self.segments += 1;
        Some(())
    }

    fn read_quantization(&mut self, mut segment: &[u8]) -> Option<()> {
        while let [kind, rest @ ..] = segment {
            let (wide, slot) = (kind >> 4, usize::from(kind & 15));
            let (step, length) = match (wide, rest) {
                (0, [step, ..]) => (u16::from(*step), 64),
                (1, [high, low, ..]) => (u16::from_be_bytes([*high, *low]), 128),
                _ => return None,
            };
            *self.first_steps.get_mut(slot)? = Some(step);
            segment = rest.get(length..)?;
        }
        Some(())
    }

    fn read_frame(&mut self, segment: &[u8], max_pixels: usize) -> Option<()> {
        let [8, h1, h0, w1, w0, count @ (1 | 3), components @ ..] = segment else {
            return None;
        };
        if self.components > 0 || components.len() != usize::from(*count) * 3 {
            return None;
        }
        self.width = usize::from(u16::from_be_bytes([*w1, *w0]));
        self.height = usize::from(u16::from_be_bytes([*h1, *h0]));
        let pixels = self.width.checked_mul(self.height)?;
        if pixels == 0 || pixels > max_pixels {
            return None;
        }
        for (kept, component) in self.component.iter_mut().zip(components.as_chunks::<3>().0) {
            let [id, sampling, quantization] = *component;
            let (across, down) = (usize::from(sampling >> 4), usize::from(sampling & 15));
            if !(1..=4).contains(&across) || !(1..=4).contains(&down) {
                return None;
            }
            *kept = Component {
                id,
                across,
                down,
                quantization: usize::from(quantization),
            };
            self.components += 1;
        }
        Some(())
    }
}

/// Adobe's marker can say that three components are red, green and blue.
fn is_rgb(segment: &[u8]) -> bool {
    segment.starts_with(b"Adobe") && segment.get(11) == Some(&0)
}

/// The next marker's code and what is behind it; fill bytes before it are forgiven.
fn next_marker(data: &[u8]) -> Option<(u8, &[u8])> {
    let mut data = data.strip_prefix(&[0xFF])?;
    while let [0xFF, rest @ ..] = data {
        data = rest;
    }
    let [code, rest @ ..] = data else {
        return None;
    };
    Some((*code, rest))
}

/// The segment that begins here with its length, and what is behind it.
fn segment(data: &[u8]) -> Option<(&[u8], &[u8])> {
    let [high, low, ..] = data else {
        return None;
    };
    let length = usize::from(u16::from_be_bytes([*high, *low]));
    Some((data.get(2..length)?, data.get(length..)?))
}

#[cfg(test)]
mod tests {
    use jpeg_encoder::{ColorType, Encoder, SamplingFactor};
    use proptest::prelude::*;

    use super::*;
    use crate::decode::MAX_PIXELS;

    /// Something to see with soft and hard edges in it, and noise.
    fn rgb(width: u16, height: u16, mut seed: u32) -> Vec<u8> {
        let pixels = usize::from(width) * usize::from(height);
        (0..pixels * 3)
            .map(|index| {
                seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                let (x, y) = (
                    index / 3 % usize::from(width),
                    index / 3 / usize::from(width),
                );
                let base = if (x / 11 + y / 7) % 2 == 0 { 40 } else { 150 };
                let level = base + x % 60 + usize::try_from(seed >> 27).unwrap();
                u8::try_from(level.min(255)).unwrap()
            })
            .collect()
    }

    fn means(jpeg: &[u8]) -> Option<Vec<u8>> {
        let mut memory = Memory::default();
        let blocks = Blocks::of(jpeg, MAX_PIXELS)?;
        let means = blocks.means(&mut memory).map(<[u8]>::to_vec);
        // What is left of a picture in memory means nothing to the next one.
        assert_eq!(blocks.means(&mut memory).map(<[u8]>::to_vec), means);
        means
    }

    /// The mean brightness (BT.601) of each whole block of what was drawn; none for blocks that reach beyond it.
    fn averages(rgb: &[u8], width: usize, height: usize) -> Vec<Option<f64>> {
        let brightness = |x: usize, y: usize| -> f64 {
            let at = (y * width + x) * 3;
            let [r, g, b] = [rgb[at], rgb[at + 1], rgb[at + 2]].map(f64::from);
            0.299 * r + 0.587 * g + 0.114 * b
        };
        let block = |x: usize, y: usize| {
            let inside = |x: usize, y: usize| {
                (0..8).flat_map(move |j| (0..8).map(move |i| (x * 8 + i, y * 8 + j)))
            };
            let is_whole = (x + 1) * 8 <= width && (y + 1) * 8 <= height;
            is_whole.then(|| inside(x, y).map(|(x, y)| brightness(x, y)).sum::<f64>() / 64.0)
        };
        (0..height.div_ceil(8))
            .flat_map(|y| (0..width.div_ceil(8)).map(move |x| (x, y)))
            .map(|(x, y)| block(x, y))
            .collect()
    }

    proptest! {
        #[test]
        fn blocks_are_what_averaging_the_pixels_gives(
            (width, height) in (1_u16..150, 1_u16..100),
            quality in 85_u8..=100,
            sampling in prop::sample::select(vec![
                SamplingFactor::F_1_1, SamplingFactor::F_2_1, SamplingFactor::F_1_2,
                SamplingFactor::F_2_2, SamplingFactor::F_4_1, SamplingFactor::R_4_2_0,
            ]),
            own_tables: bool,
            restart in prop::sample::select(vec![0_u16, 1, 3, 16]),
            seed: u32,
        ) {
            let rgb = rgb(width, height, seed);
            let mut jpeg = Vec::new();
            let mut encoder = Encoder::new(&mut jpeg, quality);
            encoder.set_sampling_factor(sampling);
            // The encoder cannot have both.
            encoder.set_optimized_huffman_tables(own_tables && restart == 0);
            if restart > 0 {
                encoder.set_restart_interval(restart);
            }
            encoder.encode(&rgb, width, height, ColorType::Rgb).unwrap();
            let averages = averages(&rgb, usize::from(width), usize::from(height));
            let means = means(&jpeg).unwrap();
            prop_assert_eq!(means.len(), averages.len());
            for (mean, average) in means.iter().zip(averages) {
                if let Some(average) = average {
                    prop_assert!((f64::from(*mean) - average).abs() < 2.0, "{mean} is not {average}");
                }
            }
        }

        #[test]
        fn no_byte_makes_it_panic(at in 0_usize..2_000, byte: u8, cut in 0_usize..4_000) {
            let mut jpeg = Vec::new();
            Encoder::new(&mut jpeg, 60).encode(&rgb(64, 48, 1), 64, 48, ColorType::Rgb).unwrap();
            let length = jpeg.len();
            jpeg[at % length] = byte;
            jpeg.truncate(length.saturating_sub(cut / 4).max(cut % length));
            let _ = means(&jpeg);
        }
    }

    #[test]
    fn grey_pictures_are_read_whatever_sampling_they_name() {
        let rgb = rgb(40, 24, 7);
        let grey: Vec<u8> = rgb.iter().copied().step_by(3).collect();
        let mut jpeg = Vec::new();
        let mut encoder = Encoder::new(&mut jpeg, 95);
        encoder.set_sampling_factor(SamplingFactor::F_2_2);
        encoder.encode(&grey, 40, 24, ColorType::Luma).unwrap();
        let as_rgb: Vec<u8> = grey.iter().flat_map(|level| [*level; 3]).collect();
        for (mean, average) in means(&jpeg).unwrap().iter().zip(averages(&as_rgb, 40, 24)) {
            assert!((f64::from(*mean) - average.unwrap()).abs() < 2.0);
        }
    }

    #[test]
    fn more_tables_than_a_picture_may_have_are_not_made() {
        let rgb = rgb(64, 48, 1);
        let mut jpeg = Vec::new();
        let encoder = Encoder::new(&mut jpeg, 80);
        encoder.encode(&rgb, 64, 48, ColorType::Rgb).unwrap();
        let with_empty_tables = |count: u8| {
            let length = u16::from(count) * 17 + 2;
            let mut more = vec![0xFF, 0xD8, 0xFF, marker::DHT];
            more.extend(length.to_be_bytes());
            for _ in 0..count {
                more.extend([0x03; 1]);
                more.extend([0; 16]);
            }
            more.extend(&jpeg[2..]);
            more
        };
        assert!(means(&with_empty_tables(4)).is_some());
        assert_eq!(means(&with_empty_tables(5)), None);
    }

    #[test]
    fn what_is_not_whole_or_not_baseline_is_left_to_others() {
        let rgb = rgb(64, 48, 1);
        let mut jpeg = Vec::new();
        let encoder = Encoder::new(&mut jpeg, 80);
        encoder.encode(&rgb, 64, 48, ColorType::Rgb).unwrap();
        assert_eq!(means(&jpeg).unwrap().len(), 48);
        assert_eq!(means(&jpeg[..jpeg.len() - 2]), None, "without its end");
        assert_eq!(means(&jpeg[..jpeg.len() / 2]), None);
        assert!(Blocks::of(&jpeg, 64 * 48 - 1).is_none(), "too large");
        assert!(Blocks::of(b"", MAX_PIXELS).is_none());

        let mut progressive = Vec::new();
        let mut encoder = Encoder::new(&mut progressive, 80);
        encoder.set_progressive(true);
        encoder.encode(&rgb, 64, 48, ColorType::Rgb).unwrap();
        assert!(Blocks::of(&progressive, MAX_PIXELS).is_none());
    }
}
