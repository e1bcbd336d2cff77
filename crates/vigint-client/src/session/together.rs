//! How much goes in one request of a source: no more than the network carries in a few seconds, so that what is sent is
//! news when it arrives and a slow network times out on nothing that a smaller batch could have carried.

use std::time::Duration;

use crate::queue::Bounds;

/// What is begun with.
const FIRST_BYTES: usize = 256 * 1024;
/// Less than this is about a frame.
const LEAST_BYTES: usize = 32 * 1024;
/// A batch that took longer was too large.
const SLOW: Duration = Duration::from_secs(5);
/// One that took less may be larger.
const QUICK: Duration = Duration::from_secs(1);
/// So many batches in a row that did not arrive, while what went by itself did, are no chance.
const BROKEN_IN_A_ROW: u32 = 3;

/// The size that batches have now.
#[derive(Clone, Copy, Debug)]
pub(super) struct Together {
    bytes: usize,
    most: Bounds,
    broken_in_a_row: u32,
}

impl Together {
    /// Never more than `most`.
    pub(super) fn within(most: Bounds) -> Self {
        Self {
            bytes: FIRST_BYTES.min(most.bytes),
            most,
            broken_in_a_row: 0,
        }
    }

    pub(super) fn most(self) -> Bounds {
        Bounds {
            bytes: self.bytes,
            ..self.most
        }
    }

    /// Learns how long a batch took.
    pub(super) fn took(&mut self, span: Duration) {
        self.broken_in_a_row = 0;
        if span > SLOW {
            self.bytes = (self.bytes / 2).max(LEAST_BYTES);
        } else if span < QUICK {
            self.bytes = (self.bytes * 2).min(self.most.bytes);
        }
    }

    /// Learns that a batch was too large for something on its way.
    pub(super) fn failed(&mut self) {
        self.bytes = (self.bytes / 2).max(LEAST_BYTES);
    }

    /// Learns that a batch did not arrive, for want of time or of a server, or because something on the way breaks
    /// batches. Whether it does: so many in a row did not, and no frame by itself failed in between.
    pub(super) fn broke(&mut self) -> bool {
        self.failed();
        self.broken_in_a_row += 1;
        let does = self.broken_in_a_row >= BROKEN_IN_A_ROW;
        if does {
            self.broken_in_a_row = 0;
        }
        does
    }

    /// Learns that a frame by itself did not arrive either.
    pub(super) fn single_failed(&mut self) {
        self.broken_in_a_row = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOST: Bounds = Bounds {
        frames: 100,
        bytes: 900 * 1024,
    };

    /// What becomes of the size over a network of so many bytes a second where a request may take 30 s.
    fn settles(bytes_a_second: usize) -> usize {
        let mut together = Together::within(MOST);
        for _ in 0..20 {
            let millis = together.bytes * 1000 / bytes_a_second;
            match millis {
                0..30_000 => together.took(Duration::from_millis(u64::try_from(millis).unwrap())),
                _ => {
                    together.broke();
                }
            }
        }
        together.bytes
    }

    #[test]
    fn three_batches_in_a_row_that_break_are_no_chance_unless_single_frames_fail_too() {
        let mut together = Together::within(MOST);
        assert!(!together.broke() && !together.broke());
        together.single_failed();
        assert!(!together.broke() && !together.broke());
        together.took(QUICK);
        assert!(!together.broke() && !together.broke() && together.broke());
        assert!(!together.broke(), "it begins anew");
    }

    #[test]
    fn batches_are_as_large_as_the_network_carries_in_a_few_seconds() {
        assert_eq!(settles(10_000_000), MOST.bytes);
        assert_eq!(settles(100_000), 256 * 1024);
        assert_eq!(settles(32_000), 128 * 1024);
        assert_eq!(settles(1_000), LEAST_BYTES);
    }
}
