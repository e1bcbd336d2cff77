//! Sets of pixels, a bit each: 64 pixels are cleaned, grown or counted at once.

#![allow(
    clippy::indexing_slicing,
    reason = "a mask has `words_across` words for each row, and rows and words are clamped to it"
)]

use super::field::Size;

/// Pixels in a word.
const BITS: usize = 64;

/// Which pixels of a picture are set. Bits beyond its width are never set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mask {
    size: Size,
    words_across: usize,
    words: Vec<u64>,
}

impl Mask {
    /// A mask with no pixel set.
    pub(super) fn new(size: Size) -> Self {
        let words_across = size.width.div_ceil(BITS);
        Self {
            size,
            words_across,
            words: vec![0; words_across * size.height],
        }
    }

    pub(super) fn size(&self) -> Size {
        self.size
    }

    pub(super) fn clear(&mut self) {
        self.words.fill(0);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.words.iter().all(|word| *word == 0)
    }

    /// How many pixels are set.
    pub(super) fn count(&self) -> usize {
        self.words
            .iter()
            .map(|word| usize::try_from(word.count_ones()).unwrap_or(0))
            .sum()
    }

    pub(super) fn has(&self, x: usize, y: usize) -> bool {
        self.words[y * self.words_across + x / BITS] >> (x % BITS) & 1 == 1
    }

    /// Sets the pixels `from..to` of a row.
    pub(super) fn set_span(&mut self, y: usize, from: usize, to: usize) {
        for x in from..to {
            self.words[y * self.words_across + x / BITS] |= 1 << (x % BITS);
        }
    }

    /// Takes a row's pixels from `flags`, one byte a pixel: 0 or 1.
    pub(super) fn set_row(&mut self, y: usize, flags: &[u8]) {
        let from = y * self.words_across;
        let row = &mut self.words[from..from + self.words_across];
        for (word, flags) in row.iter_mut().zip(flags.chunks(BITS)) {
            let (eights, rest) = flags.as_chunks::<8>();
            let mut bits = 0;
            for (at, eight) in eights.iter().enumerate() {
                // Gathers the lowest bit of each byte in the highest byte.
                let gathered = u64::from_le_bytes(*eight).wrapping_mul(0x0102_0408_1020_4080) >> 56;
                bits |= gathered << (at * 8);
            }
            for (at, flag) in rest.iter().enumerate() {
                bits |= u64::from(*flag) << (eights.len() * 8 + at);
            }
            *word = bits;
        }
    }

    /// Adds the pixels of another mask.
    pub(super) fn add(&mut self, other: &Self) {
        for (word, other) in self.words.iter_mut().zip(&other.words) {
            *word |= other;
        }
    }

    /// Takes the pixels of another mask out.
    pub(super) fn remove(&mut self, other: &Self) {
        for (word, other) in self.words.iter_mut().zip(&other.words) {
            *word &= !other;
        }
    }

    /// Keeps only the pixels that another mask has, too.
    pub(super) fn keep(&mut self, other: &Self) {
        for (word, other) in self.words.iter_mut().zip(&other.words) {
            *word &= other;
        }
    }

    /// Sixty-four pixels at a time: the index of the first in a plane, how many there are, and their bits.
    pub(super) fn groups(&self) -> impl Iterator<Item = (usize, usize, u64)> {
        let width = self.size.width;
        self.words.iter().enumerate().map(move |(at, word)| {
            let (y, x) = (at / self.words_across, at % self.words_across * BITS);
            (y * width + x, BITS.min(width - x), *word)
        })
    }

    /// The indices in a plane of the pixels that are set.
    pub(super) fn iter(&self) -> impl Iterator<Item = usize> {
        self.groups()
            .filter(|(_, _, word)| *word != 0)
            .flat_map(|(first, _, word)| bits(word).map(move |bit| first + bit))
    }

    /// The runs of pixels set in a row, as `from..to`.
    pub(super) fn runs(&self, y: usize) -> impl Iterator<Item = (usize, usize)> {
        let row = &self.words[y * self.words_across..(y + 1) * self.words_across];
        let mut x = 0;
        std::iter::from_fn(move || {
            let from = next(row, x, 0)?;
            let to = next(row, from, u64::MAX)
                .unwrap_or(self.size.width)
                .min(self.size.width);
            x = to;
            Some((from, to))
        })
    }

    /// The part that is not speckle: pixels with at least three of the 3x3 around them set. Four would erase the
    /// edge, one pixel wide, of a slow mover.
    pub(super) fn cleaned(&self) -> Self {
        let mut cleaned = Self::new(self.size);
        let across = self.words_across;
        for y in 0..self.size.height {
            let row = &self.words[y * across..(y + 1) * across];
            if row.iter().all(|word| *word == 0) {
                continue;
            }
            for (word, set) in row.iter().enumerate() {
                let rows = [
                    y.checked_sub(1),
                    Some(y),
                    Some(y + 1).filter(|y| *y < self.size.height),
                ];
                // Each row's count of three neighbours, in binary: `ones` and `twos`.
                let counts = rows.map(|y| {
                    let (left, middle, right) = y.map_or((0, 0, 0), |y| self.neighbours(y, word));
                    (
                        left ^ middle ^ right,
                        (left & middle) | (left & right) | (middle & right),
                    )
                });
                let [(a1, a2), (b1, b2), (c1, c2)] = counts;
                let odd = a1 ^ b1 ^ c1;
                let carry = (a1 & b1) | (a1 & c1) | (b1 & c1);
                let some_two = a2 | b2 | c2 | carry;
                let two_twos = (a2 & b2) | (c2 & (a2 | b2)) | (carry & (a2 | b2 | c2));
                cleaned.words[y * across + word] = set & (two_twos | (some_two & odd));
            }
        }
        cleaned
    }

    /// The mask grown by one pixel to all eight sides.
    pub(super) fn grown(&self) -> Self {
        let mut grown = Self::new(self.size);
        let across = self.words_across;
        for y in 0..self.size.height {
            for word in 0..across {
                let (left, middle, right) = self.neighbours(y, word);
                let wide = (left | middle | right) & self.inside(word);
                if wide != 0 {
                    let last = self.size.height - 1;
                    for y in y.saturating_sub(1)..=(y + 1).min(last) {
                        grown.words[y * across + word] |= wide;
                    }
                }
            }
        }
        grown
    }

    /// The mask without the pixels at its borders; the picture's edge is none.
    pub(super) fn shrunk(&self) -> Self {
        let mut outside = self.clone();
        let across = self.words_across;
        for (at, word) in outside.words.iter_mut().enumerate() {
            *word = !*word & self.inside(at % across);
        }
        let mut shrunk = self.clone();
        shrunk.remove(&outside.grown());
        shrunk
    }

    /// For a word of a row: each pixel's left neighbour, itself, and its right neighbour.
    fn neighbours(&self, y: usize, word: usize) -> (u64, u64, u64) {
        let row = &self.words[y * self.words_across..(y + 1) * self.words_across];
        let middle = row[word];
        let before = word
            .checked_sub(1)
            .map_or(0, |before| row[before] >> (BITS - 1));
        let behind = row.get(word + 1).map_or(0, |behind| behind << (BITS - 1));
        (middle << 1 | before, middle, middle >> 1 | behind)
    }

    /// The bits of a row's word that lie inside the picture.
    fn inside(&self, word: usize) -> u64 {
        match self.size.width - word * BITS {
            rest if rest >= BITS => u64::MAX,
            rest => (1 << rest) - 1,
        }
    }
}

/// The places of a word's bits.
pub(super) fn bits(mut word: u64) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let bit = usize::try_from(word.trailing_zeros()).ok()?;
        (word != 0).then(|| {
            word &= word - 1;
            bit
        })
    })
}

/// The first pixel of a row, from `x` on, that differs from `from` (0: the first that is set; all ones: that is not).
fn next(row: &[u64], x: usize, from: u64) -> Option<usize> {
    let mut at = x / BITS;
    let mut word = (row.get(at)? ^ from) & (u64::MAX << (x % BITS));
    while word == 0 {
        at += 1;
        word = row.get(at)? ^ from;
    }
    Some(at * BITS + usize::try_from(word.trailing_zeros()).ok()?)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn drawn(size: Size, pixels: &[bool]) -> Mask {
        let mut mask = Mask::new(size);
        for (y, row) in pixels.chunks(size.width).enumerate() {
            let flags: Vec<u8> = row.iter().map(|set| u8::from(*set)).collect();
            mask.set_row(y, &flags);
        }
        mask
    }

    /// Pixels of the 3x3 around each that are set, and how many there are inside the picture.
    fn around(size: Size, pixels: &[bool], at: usize) -> (usize, usize) {
        let (x, y) = (at % size.width, at / size.width);
        let mut counts = (0, 0);
        for v in y.saturating_sub(1)..(y + 2).min(size.height) {
            for u in x.saturating_sub(1)..(x + 2).min(size.width) {
                counts.0 += usize::from(pixels[v * size.width + u]);
                counts.1 += 1;
            }
        }
        counts
    }

    fn pictures() -> impl Strategy<Value = (Size, Vec<bool>)> {
        (1_usize..140, 1_usize..12, 1_u32..10).prop_flat_map(|(width, height, tenth)| {
            let size = Size { width, height };
            let pixel = prop::bool::weighted(f64::from(tenth) / 10.0);
            (Just(size), prop::collection::vec(pixel, size.pixels()))
        })
    }

    proptest! {
        #[test]
        fn words_say_what_pixel_by_pixel_is_said((size, pixels) in pictures()) {
            let mask = drawn(size, &pixels);
            let by_pixel = |test: &dyn Fn(usize) -> bool| {
                drawn(size, &(0..size.pixels()).map(test).collect::<Vec<_>>())
            };
            prop_assert_eq!(mask.count(), pixels.iter().filter(|set| **set).count());
            prop_assert!(mask.iter().eq((0..pixels.len()).filter(|at| pixels[*at])));
            prop_assert!((0..pixels.len()).all(|at| mask.has(at % size.width, at / size.width) == pixels[at]));
            prop_assert_eq!(mask.cleaned(), by_pixel(&|at| pixels[at] && around(size, &pixels, at).0 >= 3));
            prop_assert_eq!(mask.grown(), by_pixel(&|at| around(size, &pixels, at).0 > 0));
            prop_assert_eq!(mask.shrunk(), by_pixel(&|at| {
                let (set, all) = around(size, &pixels, at);
                set == all
            }));
            let mut again = Mask::new(size);
            for y in 0..size.height {
                for (from, to) in mask.runs(y) {
                    prop_assert!(from < to && to <= size.width);
                    again.set_span(y, from, to);
                }
            }
            prop_assert_eq!(again, mask);
        }
    }

    #[test]
    fn masks_are_added_kept_and_removed() {
        let size = Size {
            width: 4,
            height: 1,
        };
        let one = drawn(size, &[true, true, false, false]);
        let two = drawn(size, &[false, true, true, false]);
        let mut sum = one.clone();
        sum.add(&two);
        assert_eq!(sum, drawn(size, &[true, true, true, false]));
        let mut both = one.clone();
        both.keep(&two);
        assert_eq!(both, drawn(size, &[false, true, false, false]));
        let mut rest = one;
        rest.remove(&two);
        assert_eq!(rest, drawn(size, &[true, false, false, false]));
        rest.clear();
        assert!(rest.is_empty());
    }
}
