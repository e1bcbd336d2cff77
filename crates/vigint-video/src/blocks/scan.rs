//! A scan: the coded blocks of one or several components, in their order (ITU-T T.81, A.2).

use memchr::memchr;

use super::huffman::{Table, Tables, difference};
use crate::jpeg::marker;

/// Components of a picture, at most.
pub(super) const MOST_COMPONENTS: usize = 3;

/// One component of a picture.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Component {
    pub(super) id: u8,
    /// Blocks of it in a unit of the scan, across and down, 1 to 4.
    pub(super) across: usize,
    pub(super) down: usize,
    /// The number of its quantization table.
    pub(super) quantization: usize,
}

/// One component in a scan.
#[derive(Clone, Copy)]
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
    brightness: Part<'a>,
    /// The others of a unit, in their order.
    colours: [Option<Part<'a>>; MOST_COMPONENTS - 1],
}

/// How the brightness of a scan lies.
#[derive(Debug, Clone, Copy)]
pub(super) struct Layout {
    /// Its blocks, across and down.
    pub(super) blocks: (usize, usize),
    /// Restarts come every so many units, 0 for never.
    pub(super) interval: usize,
    /// What its first coefficients are multiplied by.
    pub(super) step: u16,
}

impl<'a> Scan<'a> {
    /// The scan of this header, which has all components in it or the first alone.
    pub(super) fn of(segment: &[u8], components: &[Component], tables: &'a Tables) -> Option<Self> {
        let [count, rest @ ..] = segment else {
            return None;
        };
        let count = usize::from(*count);
        let chosen = rest.get(..count * 2)?.as_chunks::<2>().0;
        if count != components.len() && count != 1 {
            return None;
        }
        let part = |number: usize| {
            let ([id, slots], component) = (chosen.get(number)?, components.get(number)?);
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
        };
        let colours = [part(1), part(2)];
        let are_all_there = colours.iter().flatten().count() + 1 == count;
        Some(Self {
            brightness: part(0)?,
            colours,
        })
        .filter(|_| are_all_there)
    }

    /// Reads the means of the brightness' blocks, row by row.
    pub(super) fn brightness(
        mut self,
        clean: &Clean,
        layout: Layout,
        means: &mut Vec<u8>,
    ) -> Option<()> {
        let (width, height) = layout.blocks;
        let Part { across, down, .. } = self.brightness;
        means.clear();
        means.resize(width * height, 0);
        let mut intervals = clean.intervals();
        let mut bits = intervals.next()?;
        let mut until_restart = layout.interval;
        for rows in means.chunks_mut(width * down) {
            for x in (0..width).step_by(across) {
                if layout.interval > 0 {
                    if until_restart == 0 {
                        bits = intervals.next()?;
                        self.begin_anew();
                        until_restart = layout.interval;
                    }
                    until_restart -= 1;
                }
                self.read_unit(&mut bits, layout.step, x, width, rows)?;
            }
        }
        Some(())
    }

    fn begin_anew(&mut self) {
        self.brightness.last = 0;
        for part in self.colours.iter_mut().flatten() {
            part.last = 0;
        }
    }

    /// Reads one unit, whose brightness begins in column `x` of these rows of blocks.
    fn read_unit(
        &mut self,
        bits: &mut Bits<'_>,
        step: u16,
        x: usize,
        width: usize,
        rows: &mut [u8],
    ) -> Option<()> {
        for row in 0..self.brightness.down {
            for column in x..x + self.brightness.across {
                let first = self.brightness.next(bits)?;
                // Blocks beyond the picture fill its last units up.
                if column < width
                    && let Some(mean) = rows.get_mut(row * width + column)
                {
                    *mean = mean_of(first, step);
                }
            }
        }
        for part in self.colours.iter_mut().flatten() {
            for _ in 0..part.across * part.down {
                part.next(bits)?;
            }
        }
        (!bits.are_spent()).then_some(())
    }
}

impl Part<'_> {
    /// The first coefficient of its next block.
    fn next(&mut self, bits: &mut Bits<'_>) -> Option<i32> {
        let difference = difference(self.first, self.other, bits)?;
        self.last = self.last.checked_add(difference)?;
        Some(self.last)
    }
}

/// The mean of a block of pixels by its first coefficient: that is eight times the mean, around grey.
fn mean_of(first: i32, step: u16) -> u8 {
    let eightfold = first.saturating_mul(i32::from(step)).saturating_add(4);
    let mean = eightfold.div_euclid(8).saturating_add(128).clamp(0, 255);
    u8::try_from(mean).unwrap_or(u8::MAX)
}

/// Coded data without the zero bytes that are stuffed behind FF (B.1.1.5).
#[derive(Debug, Default)]
pub(super) struct Clean {
    /// All intervals behind each other, and [`PADDING`] zero bytes.
    bytes: Vec<u8>,
    /// Where each interval ends.
    ends: Vec<usize>,
}

/// So much can be read beyond the end before it is noticed: the largest unit and a word.
const PADDING: usize = 512;

impl Clean {
    /// Cleans up to the marker that ends the scan; `None` when there is none.
    pub(super) fn load(&mut self, coded: &[u8]) -> Option<()> {
        let Self { bytes, ends } = self;
        bytes.clear();
        ends.clear();
        bytes.reserve(coded.len() + PADDING);
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
        Some(())
    }

    fn intervals(&self) -> impl Iterator<Item = Bits<'_>> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).map(|(start, end)| Bits {
            bytes: &self.bytes,
            at: start * 8,
            end: end * 8,
            top: 0,
            taken: 0,
        })
    }
}

/// A place in clean data.
pub(super) struct Bits<'a> {
    bytes: &'a [u8],
    /// Where `top` was read, in bits.
    at: usize,
    end: usize,
    /// The next bits, at the top.
    top: u64,
    /// Bits of it that were gone past.
    taken: u32,
}

/// So many bits are really there when [`Bits::refill`] has read.
const FILLED: u32 = 57;

impl Bits<'_> {
    /// Reads the next bits: at least [`FILLED`] are there then.
    #[inline]
    pub(super) fn refill(&mut self) -> Option<()> {
        self.at += usize::try_from(self.taken).ok()?;
        self.taken = 0;
        let word = self.bytes.get(self.at / 8..)?.first_chunk()?;
        self.top = u64::from_be_bytes(*word) << (self.at % 8);
        Some(())
    }

    /// The next bits, at the top.
    pub(super) fn top(&self) -> u64 {
        self.top
    }

    /// Whether so many of them are really there.
    pub(super) fn has(&self, bits: u32) -> bool {
        self.taken + bits <= FILLED
    }

    /// Goes past fewer than 64 bits; not more than are there, if more are to be read before the next
    /// [`Self::refill`].
    pub(super) fn skip(&mut self, bits: u32) {
        self.top <<= bits;
        self.taken += bits;
    }

    /// Whether more was read than there is.
    fn are_spent(&self) -> bool {
        self.at + usize::try_from(self.taken).unwrap_or(0) > self.end
    }
}
