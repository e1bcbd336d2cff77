//! Random bytes, the same in each run.

use crate::splitmix::SplitMix;

/// Bytes in place of a picture.
const WORDS: usize = 250;

/// A source of garbage.
pub(crate) struct Garbage(SplitMix);

impl Garbage {
    pub(crate) fn new() -> Self {
        Self(SplitMix(7))
    }

    /// About as much as a picture.
    pub(crate) fn bytes(&mut self) -> Vec<u8> {
        let words = std::iter::repeat_with(|| self.0.next().to_le_bytes());
        words.take(WORDS).flatten().collect()
    }
}
