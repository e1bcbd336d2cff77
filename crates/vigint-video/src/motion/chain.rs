//! Evidence of motion counts when it goes on: linked areas of change in every frame, long enough.
//!
//! A single step (a lamp, a caption, a key frame's pulse, a jump of exposure) shows against the lag frame for
//! less than the lag, so it can never make such a chain; a moving thing always does.

use std::time::Duration;

use vigint_core::clock::UtcTime;

use super::regions::Region;

/// The areas of change of the last frame, and since when each goes on.
#[derive(Debug, Default)]
pub(super) struct Chain {
    links: Vec<(Region, UtcTime)>,
}

impl Chain {
    /// Adds a frame's areas and returns those that have gone on for at least `long`.
    pub(super) fn extend(
        &mut self,
        at: UtcTime,
        areas: Vec<Region>,
        long: Duration,
    ) -> Vec<Region> {
        let links: Vec<_> = areas
            .into_iter()
            .map(|area| {
                let linked = self.links.iter().filter(|(old, _)| are_linked(&area, old));
                let since = linked.map(|(_, since)| *since).min().unwrap_or(at);
                (area, since)
            })
            .collect();
        self.links = links;
        self.links
            .iter()
            .filter(|(_, since)| at.since(*since) >= long)
            .map(|(area, _)| *area)
            .collect()
    }
}

/// Two areas may be the same thing when they lie about as near as it is large.
fn are_linked(one: &Region, other: &Region) -> bool {
    let margin = 8 + one.longest_side().max(other.longest_side()) / 2;
    one.is_near(other, margin)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_millis(150);

    fn area(left: usize) -> Region {
        Region {
            left,
            top: 10,
            right: left + 4,
            bottom: 14,
            area: 16,
        }
    }

    fn lengths(frames: &[(i64, &[usize])]) -> Vec<usize> {
        let mut chain = Chain::default();
        frames
            .iter()
            .map(|(millis, lefts)| {
                let areas = lefts.iter().map(|left| area(*left)).collect();
                chain
                    .extend(UtcTime::from_unix_millis(*millis), areas, LONG)
                    .len()
            })
            .collect()
    }

    #[test]
    fn a_thing_that_goes_on_moving_counts_after_a_while() {
        let frames: [(i64, &[usize]); 4] = [(0, &[0]), (100, &[5]), (200, &[10]), (300, &[15])];
        assert_eq!(lengths(&frames), [0, 0, 1, 1]);
    }

    #[test]
    fn a_frame_without_change_breaks_the_chain() {
        let frames: [(i64, &[usize]); 4] = [(0, &[0]), (100, &[0]), (200, &[]), (300, &[0])];
        assert_eq!(lengths(&frames), [0, 0, 0, 0]);
    }

    #[test]
    fn changes_far_apart_are_not_one_thing() {
        let frames: [(i64, &[usize]); 4] = [(0, &[0]), (100, &[60]), (200, &[120]), (300, &[0])];
        assert_eq!(lengths(&frames), [0, 0, 0, 0]);
    }
}
