//! A scan: the coded blocks of one or several components, in their order (ITU-T T.81, A.2).

use memchr::memchr;

use super::huffman::{Table, Tables};
use crate::jpeg::marker;

/// One component of a picture.
pub(super) struct Component {
    pub(super) id: u8,
    /// Blocks of it in a unit of the scan, across and down, 1 to 4.
    pub(super) across: usize,
    pub(super) down: usize,
    /// The number of its quantization table.
    pub(super) quantization: usize,
}

/// One component in a scan.
struct Part<'a> {
    across: usize,
    down: usize,
    first: &'a Table,
    other: &'a Table,
    /// The first coefficient of its last block.
    last: i32,
}

/// A scan whose first component is the brightness.
pub(super) struct Scan<'a> {
    parts: Vec<Part<'a>>,
}

impl<'a> Scan<'a> {
    /// The scan of this header, which has all components in it or the first alone.
    pub(super) fn of(segment: &[u8], components: &[Component], tables: &'a Tables) -> Option<Self> {
        let [count, rest @ ..] = segment else {
            return None;
        };
        let count = usize::from(*count);
        let chosen = rest.get(..count * 2)?;
        if count != components.len() && count != 1 {
            return None;
        }
        let parts = chosen.as_chunks::<2>().0.iter().zip(components);
        let parts: Option<Vec<Part<'_>>> = parts
            .map(|([id, slots], component)| {
                let (first, other) = tables.pair(slots >> 4, slots & 15)?;
                // A component alone comes block by block, whatever its sampling (A.2.2).
                let (across, down) = match count {
                    1 => (1, 1),
                    _ => (component.across, component.down),
                };
                (*id == component.id).then_some(Part {
                    across,
                    down,
                    first,
                    other,
                    last: 0,
                })
            })
            .collect();
        let parts = parts.filter(|parts| !parts.is_empty())?;
        Some(Self { parts })
    }

    /// The means of the brightness' blocks: `blocks` across and down, row by row. `step` is what its first
    /// coefficients are multiplied by; restarts come every `interval` units, 0 for never.
    pub(super) fn brightness(
        mut self,
        coded: &[u8],
        blocks: (usize, usize),
        interval: usize,
        step: u16,
    ) -> Option<Vec<u8>> {
        let clean = Clean::of(coded)?;
        let (width, height) = blocks;
        let (across, down) = self.parts.first().map(|part| (part.across, part.down))?;
        let units_across = width.div_ceil(across);
        let units = units_across * height.div_ceil(down);
        let mut means = vec![0; width * height];
        let mut intervals = clean.intervals();
        let mut bits = intervals.next()?;
        for unit in 0..units {
            if interval > 0 && unit > 0 && unit % interval == 0 {
                bits = intervals.next()?;
                self.parts.iter_mut().for_each(|part| part.last = 0);
            }
            let corner = (unit % units_across * across, unit / units_across * down);
            self.read_unit(&mut bits, |block, first| {
                let (x, y) = (corner.0 + block.0, corner.1 + block.1);
                // Blocks beyond the picture fill its last units up.
                if x < width
                    && let Some(mean) = means.get_mut(y * width + x)
                {
                    *mean = mean_of(first, step);
                }
            })?;
        }
        Some(means)
    }

    /// Reads one unit; tells the first coefficients of the brightness' blocks, each with its place in the unit.
    fn read_unit(
        &mut self,
        bits: &mut Bits<'_>,
        mut tell: impl FnMut((usize, usize), i32),
    ) -> Option<()> {
        for (number, part) in self.parts.iter_mut().enumerate() {
            for y in 0..part.down {
                for x in 0..part.across {
                    part.last = part.last.checked_add(part.first.difference(bits)?)?;
                    part.other.skip_block(bits)?;
                    if number == 0 {
                        tell((x, y), part.last);
                    }
                }
            }
        }
        (!bits.are_spent()).then_some(())
    }
}

/// The mean of a block of pixels by its first coefficient: that is eight times the mean, around grey.
fn mean_of(first: i32, step: u16) -> u8 {
    let eightfold = first.saturating_mul(i32::from(step)).saturating_add(4);
    let mean = eightfold.div_euclid(8).saturating_add(128).clamp(0, 255);
    u8::try_from(mean).unwrap_or(u8::MAX)
}

/// Coded data without the zero bytes that are stuffed behind FF (B.1.1.5).
struct Clean {
    /// All intervals behind each other, and [`PADDING`] zero bytes.
    bytes: Vec<u8>,
    /// Where each interval ends.
    ends: Vec<usize>,
}

/// So much can be read beyond the end before it is noticed: the largest block and a word.
const PADDING: usize = 512;

impl Clean {
    /// Cleans up to the marker that ends the scan; `None` when there is none.
    fn of(coded: &[u8]) -> Option<Self> {
        let mut bytes = Vec::with_capacity(coded.len() + PADDING);
        let mut ends = Vec::new();
        let mut rest = coded;
        loop {
            let at = memchr(0xFF, rest)?;
            let (run, behind) = rest.split_at_checked(at)?;
            bytes.extend_from_slice(run);
            rest = behind.get(1..)?;
            match *rest.first()? {
                0x00 => {
                    bytes.push(0xFF);
                    rest = rest.get(1..)?;
                }
                marker::RST0..=marker::RST7 => {
                    ends.push(bytes.len());
                    rest = rest.get(1..)?;
                }
                // Fill bytes: the next one is looked at as the one before a marker.
                0xFF => {}
                _ => break,
            }
        }
        ends.push(bytes.len());
        bytes.resize(bytes.len() + PADDING, 0);
        Some(Self { bytes, ends })
    }

    fn intervals(&self) -> impl Iterator<Item = Bits<'_>> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).map(|(start, end)| Bits {
            bytes: &self.bytes,
            at: start * 8,
            end: end * 8,
        })
    }
}

/// A place in clean data, in bits.
pub(super) struct Bits<'a> {
    bytes: &'a [u8],
    at: usize,
    end: usize,
}

impl Bits<'_> {
    /// The next bits, at the top; 57 of them are really there.
    pub(super) fn top(&self) -> Option<u64> {
        let word = self.bytes.get(self.at / 8..)?.first_chunk()?;
        Some(u64::from_be_bytes(*word) << (self.at % 8))
    }

    pub(super) fn skip(&mut self, bits: u32) {
        self.at = self
            .at
            .saturating_add(usize::try_from(bits).unwrap_or(usize::MAX));
    }

    /// Whether more was read than there is.
    fn are_spent(&self) -> bool {
        self.at > self.end
    }
}
