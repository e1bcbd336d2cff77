//! Huffman codes (ITU-T T.81, annexes C and F.2), read only as far as is needed to go past them.

use super::scan::Bits;

/// Codes up to this length are found in one step.
const DIRECT_BITS: u32 = 12;
const DIRECT: usize = 1 << DIRECT_BITS;
/// No code is longer.
const LONGEST: u32 = 16;
/// So many bits are really there when [`Bits::top`] reads.
const TOP_BITS: u32 = 57;
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
            let (tables, table) = match kind >> 4 {
                0 => (&mut self.first, Table::new(lengths, symbols, |_| 1)?),
                1 => {
                    let table = Table::new(lengths, symbols, coefficients_of)?;
                    (&mut self.other, table.with_skips())
                }
                _ => return None,
            };
            *tables.get_mut(slot)? = Some(table);
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
#[derive(Clone, Copy, Default)]
struct Step {
    /// Bits of codes and numbers; 0 when there is no such step.
    bits: u8,
    coefficients: u8,
}

/// What can be gone past by the next [`DIRECT_BITS`] bits.
#[derive(Clone, Copy, Default)]
struct Skip {
    /// The first code with its number.
    one: Step,
    /// That and the second code with its number, where both codes lie in these bits.
    both: Step,
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
    /// By the same; none in a table for first coefficients.
    skips: Vec<Skip>,
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

/// One and two codes at a time: most are so short that two lie in [`DIRECT_BITS`].
fn skips(direct: &[Meaning; DIRECT]) -> Vec<Skip> {
    let mut skips = vec![Skip::default(); DIRECT];
    let mask = DIRECT - 1;
    for (index, (skip, meaning)) in skips.iter_mut().zip(direct).enumerate() {
        skip.one = meaning.step();
        let taken = u32::from(skip.one.bits);
        if taken == 0 || taken >= DIRECT_BITS {
            continue;
        }
        let behind = direct
            .get((index << taken) & mask)
            .copied()
            .unwrap_or_default();
        // Zeros were shifted in behind: a code that reaches into them is not known yet.
        if behind.code_bits > 0 && taken + u32::from(behind.code_bits) <= DIRECT_BITS {
            let next = behind.step();
            skip.both = Step {
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
            return Step::default();
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
            skips: Vec::new(),
            direct,
            longer,
            meanings,
        })
    }

    /// The same, to go past whole blocks.
    fn with_skips(self) -> Self {
        Self {
            skips: skips(&self.direct),
            ..self
        }
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
            let mut top = bits.top()?;
            let mut taken = 0;
            // As long as a code that is found directly lies wholly in what was read.
            while taken <= TOP_BITS - DIRECT_BITS && coefficient < COEFFICIENTS {
                let index = usize::try_from(top >> (u64::BITS - DIRECT_BITS)).ok()?;
                let mut steps = *self.skips.get(index)?;
                if steps.both.bits == 0
                    || coefficient + u32::from(steps.one.coefficients) >= COEFFICIENTS
                {
                    steps.both = steps.one;
                }
                if steps.both.bits == 0 {
                    break;
                }
                top <<= steps.both.bits;
                taken += u32::from(steps.both.bits);
                coefficient += u32::from(steps.both.coefficients);
            }
            bits.skip(taken);
            if taken == 0 {
                let meaning = self.meaning(top)?;
                bits.skip(u32::from(meaning.code_bits) + u32::from(meaning.number_bits));
                coefficient += u32::from(meaning.coefficients);
            }
        }
        Some(())
    }
}
