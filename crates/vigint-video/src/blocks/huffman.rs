//! Huffman codes (ITU-T T.81, annexes C and F.2), read only as far as is needed to go past them.

use super::scan::Bits;

/// Codes up to this length are found in one step.
const DIRECT_BITS: u32 = 12;
const DIRECT: usize = 1 << DIRECT_BITS;
/// No code is longer.
const LONGEST: u32 = 16;
/// Coefficients of a block.
const COEFFICIENTS: u32 = 64;

/// The four tables of each kind that a picture may have.
#[derive(Default)]
pub(super) struct Tables {
    first: [Option<Table>; 4],
    other: [Option<Table>; 4],
}

impl Tables {
    /// Reads a segment of tables (DHT).
    pub(super) fn read(&mut self, mut segment: &[u8]) -> Option<()> {
        while let [kind, rest @ ..] = segment {
            let (lengths, rest) = rest.split_first_chunk::<16>()?;
            let count = lengths.iter().map(|n| usize::from(*n)).sum();
            let (symbols, rest) = rest.split_at_checked(count)?;
            let slot = usize::from(kind & 15);
            let (tables, skipped_of): (_, fn(u8) -> u32) = match kind >> 4 {
                0 => (&mut self.first, |_| 1),
                1 => (&mut self.other, coefficients_of),
                _ => return None,
            };
            *tables.get_mut(slot)? = Some(Table::new(lengths, symbols, skipped_of)?);
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

/// What a code says.
#[derive(Clone, Copy, Default)]
struct Meaning {
    /// Bits of the code itself; 0 when there is no such code.
    code_bits: u8,
    /// Bits of the number behind it.
    number_bits: u8,
    /// Coefficients it stands for.
    coefficients: u8,
}

/// One Huffman table.
pub(super) struct Table {
    /// By the next [`DIRECT_BITS`] bits.
    direct: Box<[Meaning; DIRECT]>,
    /// The longer ones, shortest first.
    longer: Vec<Longer>,
    /// In the order of the codes.
    meanings: Vec<Meaning>,
}

/// The codes of one length.
struct Longer {
    bits: u32,
    /// The first of them.
    first: u32,
    /// How many there are.
    count: u32,
    /// Where their meanings begin.
    at: usize,
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
    pub(super) fn difference(&self, bits: &mut Bits<'_>) -> Option<i32> {
        let top = bits.top()?;
        let meaning = self.meaning(top)?;
        let (code_bits, number_bits) =
            (u32::from(meaning.code_bits), u32::from(meaning.number_bits));
        bits.skip(code_bits + number_bits);
        if number_bits == 0 {
            return Some(0);
        }
        let number = i32::try_from((top << code_bits) >> (u64::BITS - number_bits)).ok()?;
        // T.81, F.2.2.1: numbers without their top bit are negative.
        let is_negative = number >> (number_bits - 1) == 0;
        Some(if is_negative {
            number - (1 << number_bits) + 1
        } else {
            number
        })
    }

    /// Goes past a block's coefficients but its first.
    pub(super) fn skip_block(&self, bits: &mut Bits<'_>) -> Option<()> {
        let mut coefficient = 1;
        while coefficient < COEFFICIENTS {
            // Two codes with their numbers have at most 56 bits where both are found directly.
            let top = bits.top()?;
            let one = self.meaning(top)?;
            let taken = u32::from(one.code_bits) + u32::from(one.number_bits);
            coefficient += u32::from(one.coefficients);
            if coefficient >= COEFFICIENTS || taken > u64::BITS / 2 - 4 {
                bits.skip(taken);
                continue;
            }
            let two = self.meaning(top << taken)?;
            coefficient += u32::from(two.coefficients);
            bits.skip(taken + u32::from(two.code_bits) + u32::from(two.number_bits));
        }
        Some(())
    }
}
