//! Counts of values, to find their median in one pass.

/// Steps of a [`Histogram`].
const STEPS: usize = 1024;

/// Counts of values, to find their median by.
#[derive(Debug)]
pub(super) struct Histogram {
    counts: [u32; STEPS],
    total: u32,
    low: f32,
    scale: f32,
}

impl Histogram {
    /// For values between `low` and `high`; others count as the nearest of these.
    pub(super) fn new(low: f32, high: f32) -> Self {
        Self {
            counts: [0; STEPS],
            total: 0,
            low,
            scale: (STEPS - 1) as f32 / (high - low),
        }
    }

    /// Counts a value, if `counts`: to add nothing is quicker than to ask.
    pub(super) fn add_if(&mut self, counts: bool, value: f32) {
        /// A float so large that its last bits count ones.
        const WHOLE: f32 = 8_388_608.0;
        let step = ((value - self.low) * self.scale).clamp(0.0, (STEPS - 1) as f32);
        let step = usize::from(u16::try_from((step + WHOLE).to_bits() & 0x3FF).unwrap_or(0));
        self.total += u32::from(counts);
        if let Some(count) = self.counts.get_mut(step) {
            *count += u32::from(counts);
        }
    }

    /// How many values were counted.
    pub(super) fn total(&self) -> u32 {
        self.total
    }

    /// Their median, to the nearest step; 0 of none.
    pub(super) fn median(&self) -> f32 {
        let mut below = 0;
        let step = self.counts.iter().position(|count| {
            below += count;
            2 * below > self.total
        });
        step.map_or(0.0, |step| self.low + step as f32 / self.scale)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle_value() {
        let mut counts = Histogram::new(0.0, 64.0);
        assert!(counts.median().abs() < f32::EPSILON);
        for value in [1.0, 2.0, 50.0] {
            counts.add_if(true, value);
            counts.add_if(false, 60.0);
        }
        assert!((counts.median() - 2.0).abs() < 0.1);
        assert_eq!(counts.total(), 3);
    }
}
