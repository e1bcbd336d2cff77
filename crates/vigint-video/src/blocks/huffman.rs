//! Huffman codes (ITU-T T.81, annexes C and F.2), read only as far as is needed to go past them.

use super::scan::Bits;

/// Codes up to this length are found in one step.
const DIRECT_BITS: u32 = 12;
const DIRECT: usize = 1 << DIRECT_BITS;
/// No code is longer.
const LONGEST: u32 = 16;
/// Tables that a picture may have: four of each kind (T.81, B.2.4.2).
const MOST_TABLES: usize = 8;
/// Coefficients of a block.
const COEFFICIENTS: u32 = 64;

/// The four tables of each kind that a picture may have. A camera sends the same ones with each picture: they are made
/// anew only when others come.
#[derive(Debug, Default)]
pub(super) struct Tables {
    /// The segments they were made from.
    segments: Vec<u8>,
    first: [Option<Table>; 4],
    other: [Option<Table>; 4],
}

impl Tables {
    /// Makes the tables of a picture's segments (DHT), in their order.
    pub(super) fn load(&mut self, segments: &[&[u8]]) -> Option<()> {
        if segments.iter().copied().flatten().eq(&self.segments) {
            return Some(());
        }
        *self = Self::default();
        let mut room = MOST_TABLES;
        for segment in segments {
            self.read(segment, &mut room)?;
        }
        // Last, so that tables of a damaged picture are not taken for good ones.
        self.segments = segments.concat();
        Some(())
    }

    /// Reads a segment, with as many tables in it as there is `room` for: to make one takes longer than to send it.
    fn read(&mut self, mut segment: &[u8], room: &mut usize) -> Option<()> {
        while let [kind, rest @ ..] = segment {
            *room = room.checked_sub(1)?;
            let (lengths, rest) = rest.split_first_chunk::<16>()?;
            let count = lengths.iter().map(|n| usize::from(*n)).sum();
            let (symbols, rest) = rest.split_at_checked(count)?;
            let slot = usize::from(kind & 15);
            let (tables, coefficients): (_, fn(u8) -> u32) = match kind >> 4 {
                0 => (&mut self.first, |_| 1),
                1 => (&mut self.other, coefficients_of),
                _ => return None,
            };
            *tables.get_mut(slot)? = Some(Table::new(lengths, symbols, coefficients)?);
            segment = rest;
        }
        Some(())
    }

    /// The tables with these numbers, for first coefficients and for the others.
    pub(super) fn pair(&self, first: u8, other: u8) -> Option<(&Table, &Table)> {
        let first = self.first.get(usize::from(first))?.as_ref()?;
        let other = self.other.get(usize::from(other))?.as_ref()?;
        Some((first, other))
    }
}

/// How many coefficients a symbol of the others stands for, itself included: a run of zeros and one that is
/// not, or the rest of the block.
fn coefficients_of(symbol: u8) -> u32 {
    match (symbol >> 4, symbol & 15) {
        (15, 0) => 16,
        (_, 0) => COEFFICIENTS,
        (run, _) => u32::from(run) + 1,
    }
}

/// A way forward in a block.
#[derive(Debug, Clone, Copy, Default)]
struct Step {
    /// Bits of codes and numbers.
    bits: u8,
    /// Coefficients gone past: [`COEFFICIENTS`], and no bits, where the code is not known.
    coefficients: u8,
}

/// What can be gone past by the next [`DIRECT_BITS`] bits.
#[derive(Debug, Clone, Copy, Default)]
struct Skip {
    /// The first code with its number.
    one: Step,
    /// That and the second code with its number, where both codes lie in these bits; else the first again.
    most: Step,
}

/// What a code says.
#[derive(Debug, Clone, Copy, Default)]
struct Meaning {
    /// Bits of the code itself; 0 when there is no such code.
    code_bits: u8,
    /// Bits of the number behind it.
    number_bits: u8,
    /// Coefficients it stands for.
    coefficients: u8,
}

/// One Huffman table.
#[derive(Debug)]
pub(super) struct Table {
    /// By the next [`DIRECT_BITS`] bits.
    direct: Box<[Meaning; DIRECT]>,
    /// By the same.
    skips: Box<[Skip; DIRECT]>,
    /// The longer ones, shortest first.
    longer: Vec<Longer>,
    /// In the order of the codes.
    meanings: Vec<Meaning>,
}

/// The codes of one length.
#[derive(Debug)]
struct Longer {
    bits: u32,
    /// The first of them.
    first: u32,
    /// How many there are.
    count: u32,
    /// Where their meanings begin.
    at: usize,
}

/// One and two codes at a time: most are so short that two lie in [`DIRECT_BITS`].
fn skips(direct: &[Meaning; DIRECT]) -> Box<[Skip; DIRECT]> {
    let mut skips = Box::new([Skip::default(); DIRECT]);
    let mask = DIRECT - 1;
    for (index, (skip, meaning)) in skips.iter_mut().zip(direct).enumerate() {
        skip.one = meaning.step();
        skip.most = skip.one;
        let taken = u32::from(skip.one.bits);
        let ends = u32::from(skip.one.coefficients) >= COEFFICIENTS;
        if ends || taken >= DIRECT_BITS {
            continue;
        }
        let behind = direct
            .get((index << taken) & mask)
            .copied()
            .unwrap_or_default();
        // Zeros were shifted in behind: a code that reaches into them is not known yet.
        if behind.code_bits > 0 && taken + u32::from(behind.code_bits) <= DIRECT_BITS {
            let next = behind.step();
            skip.most = Step {
                bits: skip.one.bits + next.bits,
                coefficients: skip.one.coefficients + next.coefficients,
            };
        }
    }
    skips
}

impl Meaning {
    fn step(self) -> Step {
        if self.code_bits == 0 {
            return Step {
                bits: 0,
                coefficients: 64,
            };
        }
        Step {
            bits: self.code_bits + self.number_bits,
            coefficients: self.coefficients,
        }
    }
}

impl Table {
    fn new(lengths: &[u8; 16], symbols: &[u8], coefficients: fn(u8) -> u32) -> Option<Self> {
        let mut direct = Box::new([Meaning::default(); DIRECT]);
        let mut longer = Vec::new();
        let mut meanings = Vec::with_capacity(symbols.len());
        let mut code = 0_u32;
        for (bits, count) in (1..=LONGEST).zip(lengths.iter().map(|n| u32::from(*n))) {
            if code + count > 1 << bits {
                return None;
            }
            if bits > DIRECT_BITS && count > 0 {
                longer.push(Longer {
                    bits,
                    first: code,
                    count,
                    at: meanings.len(),
                });
            }
            for _ in 0..count {
                let symbol = *symbols.get(meanings.len())?;
                let meaning = Meaning {
                    code_bits: u8::try_from(bits).ok()?,
                    number_bits: symbol & 15,
                    coefficients: u8::try_from(coefficients(symbol)).ok()?,
                };
                meanings.push(meaning);
                if bits <= DIRECT_BITS {
                    let spare = DIRECT_BITS - bits;
                    let from = usize::try_from(code << spare).ok()?;
                    direct.get_mut(from..from + (1 << spare))?.fill(meaning);
                }
                code += 1;
            }
            code <<= 1;
        }
        Some(Self {
            skips: skips(&direct),
            direct,
            longer,
            meanings,
        })
    }

    /// What the code at the top of these bits says.
    fn meaning(&self, top: u64) -> Option<Meaning> {
        let index = usize::try_from(top >> (u64::BITS - DIRECT_BITS)).ok()?;
        let meaning = *self.direct.get(index)?;
        if meaning.code_bits > 0 {
            return Some(meaning);
        }
        self.longer.iter().find_map(|longer| {
            let code = u32::try_from(top >> (u64::BITS - longer.bits)).ok()?;
            let index = code.checked_sub(longer.first)?;
            let at = longer.at + usize::try_from(index).ok()?;
            (index < longer.count).then(|| self.meanings.get(at).copied())?
        })
    }

    /// Reads a first coefficient's difference to the block before.
    fn difference(&self, bits: &mut Bits<'_>) -> Option<i32> {
        let meaning = self.meaning(bits.top())?;
        let (code_bits, number_bits) =
            (u32::from(meaning.code_bits), u32::from(meaning.number_bits));
        bits.skip(code_bits);
        // Shifted in two steps, for there may be no bits at all.
        let number = (bits.top() >> 1) >> (u64::BITS - 1 - number_bits);
        bits.skip(number_bits);
        let number = i32::try_from(number).ok()?;
        // T.81, F.2.2.1: numbers without their top bit are negative.
        let least = (1 << number_bits) >> 1;
        let shift = if number < least {
            (1 << number_bits) - 1
        } else {
            0
        };
        Some(number - shift)
    }

    /// Goes past a block's coefficients but its first.
    fn skip(&self, bits: &mut Bits<'_>) -> Option<()> {
        let mut coefficient = 1;
        loop {
            let mut known = true;
            while bits.has(DIRECT_BITS) {
                let index = usize::try_from(bits.top() >> (u64::BITS - DIRECT_BITS)).ok()?;
                let Skip { one, most } = *self.skips.get(index)?;
                if coefficient + u32::from(most.coefficients) < COEFFICIENTS {
                    bits.skip(u32::from(most.bits));
                    coefficient += u32::from(most.coefficients);
                    continue;
                }
                // The block ends with the second code, or already with the first; or the code is a long one.
                known = one.bits > 0;
                let ends = coefficient + u32::from(one.coefficients) >= COEFFICIENTS;
                let last = if ends { one } else { most };
                bits.skip(u32::from(last.bits));
                coefficient += u32::from(last.coefficients);
                break;
            }
            if !known {
                bits.refill()?;
                let meaning = self.meaning(bits.top())?;
                bits.skip(u32::from(meaning.code_bits) + u32::from(meaning.number_bits));
                coefficient = coefficient - COEFFICIENTS + u32::from(meaning.coefficients);
            }
            if coefficient >= COEFFICIENTS {
                return Some(());
            }
            bits.refill()?;
        }
    }
}

/// Reads a block: its first coefficient's difference to the block before. The other coefficients are gone past.
pub(super) fn difference(first: &Table, other: &Table, bits: &mut Bits<'_>) -> Option<i32> {
    bits.refill()?;
    let difference = first.difference(bits)?;
    other.skip(bits)?;
    Some(difference)
}
