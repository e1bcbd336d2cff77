//! Choices that follow from a seed alone.

/// SplitMix64 (Steele, Lea, Flood 2014).
pub(super) struct Dice(u64);

impl Dice {
    /// The dice of one thread, tenant or whatever `number` counts.
    pub(super) fn new(seed: u64, number: usize) -> Self {
        let mut dice = Self(seed);
        let start = dice.next()
            ^ u64::try_from(number)
                .unwrap()
                .wrapping_mul(0xd605_1ca5_6afd_2f6b);
        Self(start)
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// 0 up to, and without, `count`.
    pub(super) fn below(&mut self, count: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(count).unwrap()).unwrap()
    }

    /// True once in so many times.
    pub(super) fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    pub(super) fn pick<'a, T>(&mut self, among: &'a [T]) -> &'a T {
        &among[self.below(among.len())]
    }

    /// The same, of what may be empty.
    pub(super) fn pick_any<'a, T>(&mut self, among: &'a [T]) -> Option<&'a T> {
        (!among.is_empty()).then(|| self.pick(among))
    }

    /// So many different ones of `count`.
    pub(super) fn different(&mut self, how_many: usize, count: usize) -> Vec<usize> {
        let mut drawn = Vec::new();
        while drawn.len() < how_many.min(count) {
            let next = self.below(count);
            if !drawn.contains(&next) {
                drawn.push(next);
            }
        }
        drawn
    }
}
