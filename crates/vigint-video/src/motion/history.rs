//! The last second of one source's planes.

use std::collections::VecDeque;
use std::time::Duration;

use vigint_core::clock::UtcTime;

/// Frames nearer together than this add nothing but memory.
const APART: Duration = Duration::from_millis(15);

/// Planes with their times, oldest first. Never empty.
#[derive(Debug)]
pub(super) struct History {
    planes: VecDeque<(UtcTime, Box<[u8]>)>,
    /// Planes are kept until the next one is so old.
    keep: Duration,
}

impl History {
    pub(super) fn new(at: UtcTime, first: &[u8], keep: Duration) -> Self {
        Self {
            planes: VecDeque::from([(at, first.into())]),
            keep,
        }
    }

    /// The newest plane that is at least so old, or the oldest.
    pub(super) fn older(&self, at: UtcTime, age: Duration) -> &[u8] {
        let behind = self
            .planes
            .partition_point(|(then, _)| at.since(*then) >= age);
        let found = self.planes.get(behind.saturating_sub(1));
        found.map_or(&[], |(_, plane)| plane)
    }

    /// The newest plane.
    pub(super) fn newest(&self) -> &[u8] {
        self.planes.back().map_or(&[], |(_, plane)| plane)
    }

    /// Adds a plane, in the memory of one that is too old.
    pub(super) fn push(&mut self, at: UtcTime, plane: &[u8]) {
        let newest = self.planes.back();
        if newest.is_some_and(|(then, _)| at.since(*then) < APART) {
            return;
        }
        let mut spare = None;
        while self
            .planes
            .get(1)
            .is_some_and(|(then, _)| at.since(*then) >= self.keep)
        {
            spare = self.planes.pop_front();
        }
        let kept = match spare {
            Some((_, mut memory)) if memory.len() == plane.len() => {
                memory.copy_from_slice(plane);
                memory
            }
            _ => plane.into(),
        };
        self.planes.push_back((at, kept));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: i64) -> UtcTime {
        UtcTime::from_unix_millis(millis)
    }

    #[test]
    fn the_newest_plane_that_is_old_enough_is_found() {
        let keep = Duration::from_millis(600);
        let mut history = History::new(at(0), &[0], keep);
        for (number, millis) in (1..).zip([100, 105, 200, 300]) {
            history.push(at(millis), &[number]);
        }
        let older = |history: &History, age| history.older(at(400), Duration::from_millis(age))[0];
        assert_eq!(older(&history, 100), 4);
        assert_eq!(older(&history, 150), 3);
        assert_eq!(older(&history, 250), 1, "105 was too near to 100");
        assert_eq!(
            older(&history, 900),
            0,
            "the oldest, where none is old enough"
        );
        history.push(at(850), &[9]);
        assert_eq!(older(&history, 900), 3, "200 is the newest that is 600 old");
    }
}
