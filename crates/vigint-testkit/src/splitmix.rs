//! Random numbers that are the same on every machine.

/// SplitMix64 (Steele, Lea, Flood 2014): small, and good enough to draw with.
#[derive(Clone, Debug)]
pub struct SplitMix(pub u64);

impl SplitMix {
    /// The next 64 random bits.
    #[allow(
        clippy::should_implement_trait,
        reason = "numbers without end are no iterator that a `for` should meet"
    )]
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Roughly normal, deviation 1: a sum of eight bytes around their mean.
    pub fn normal(&mut self) -> f32 {
        let sum: u16 = self.next().to_le_bytes().into_iter().map(u16::from).sum();
        (f32::from(sum) - 8.0 * 127.5) / (73.9 * 8.0_f32.sqrt())
    }

    /// Evenly between 0 (included) and 1 (not).
    pub fn share(&mut self) -> f32 {
        let [high, low, ..] = self.next().to_le_bytes();
        f32::from(u16::from_le_bytes([high, low])) / 65_536.0
    }
}
