//! The last second of one source's planes.

use std::collections::VecDeque;
use std::time::Duration;

use vigint_core::clock::UtcTime;

use crate::grey::GreyPlane;

/// Frames nearer together than this add nothing but memory.
const APART: Duration = Duration::from_millis(15);

/// Planes with their times.
#[derive(Debug)]
pub(super) struct History {
    newest: (UtcTime, GreyPlane),
    /// Oldest first.
    before: VecDeque<(UtcTime, GreyPlane)>,
    /// Planes are kept until the next one is so old.
    keep: Duration,
}

impl History {
    pub(super) fn new(at: UtcTime, first: GreyPlane, keep: Duration) -> Self {
        Self {
            newest: (at, first),
            before: VecDeque::new(),
            keep,
        }
    }

    /// The newest plane.
    pub(super) fn newest(&self) -> &GreyPlane {
        &self.newest.1
    }

    /// The newest plane that is at least so old, or the oldest.
    pub(super) fn older(&self, at: UtcTime, age: Duration) -> &GreyPlane {
        let is_old = |(then, _): &(UtcTime, GreyPlane)| at.since(*then) >= age;
        if is_old(&self.newest) {
            return self.newest();
        }
        let old = self.before.partition_point(is_old);
        let found = self.before.get(old.saturating_sub(1));
        found.map_or(self.newest(), |(_, plane)| plane)
    }

    /// The planes before the one that [`Self::older`] finds, when that one is at most `most` old: of what was long
    /// before, nothing is known.
    pub(super) fn before(
        &self,
        at: UtcTime,
        age: Duration,
        most: Duration,
    ) -> impl Iterator<Item = &GreyPlane> {
        let is_old = |(then, _): &(UtcTime, GreyPlane)| at.since(*then) >= age;
        let old = self.before.partition_point(is_old);
        let found = if is_old(&self.newest) {
            old
        } else {
            old.saturating_sub(1)
        };
        let (then, _) = self.before.get(found).unwrap_or(&self.newest);
        let count = if at.since(*then) <= most { found } else { 0 };
        self.before.iter().take(count).map(|(_, plane)| plane)
    }

    /// Adds a plane, in the memory of one that is too old.
    pub(super) fn push(&mut self, at: UtcTime, plane: &GreyPlane) {
        if at.since(self.newest.0) < APART {
            self.newest.1.assign(plane);
            return;
        }
        let mut spare = None;
        let is_old = |(then, _): &(UtcTime, GreyPlane)| at.since(*then) >= self.keep;
        while self.before.get(1).is_some_and(is_old) {
            spare = self.before.pop_front();
        }
        let mut kept = spare.map_or_else(GreyPlane::default, |(_, oldest)| oldest);
        kept.assign(plane);
        self.before
            .push_back(std::mem::replace(&mut self.newest, (at, kept)));
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
        let plane = |level| GreyPlane::new(1, 1, vec![level]).unwrap();
        let mut history = History::new(at(0), plane(0), keep);
        for (number, millis) in (1..).zip([100, 105, 200, 300]) {
            history.push(at(millis), &plane(number));
        }
        let older = |history: &History, age| {
            let found = history.older(at(400), Duration::from_millis(age));
            found.pixels()[0]
        };
        assert_eq!(older(&history, 100), 4);
        assert_eq!(older(&history, 150), 3);
        let before = |most| {
            let age = Duration::from_millis(150);
            let planes = history.before(at(400), age, Duration::from_millis(most));
            planes.map(|plane| plane.pixels()[0]).collect::<Vec<_>>()
        };
        assert_eq!(before(200), [0, 2]);
        assert_eq!(before(199), [0; 0]);
        assert_eq!(older(&history, 250), 2, "it took the place of 100");
        assert_eq!(
            older(&history, 900),
            0,
            "the oldest, where none is old enough"
        );
        history.push(at(850), &plane(9));
        assert_eq!(history.newest(), &plane(9));
        assert_eq!(older(&history, 900), 3, "200 is the newest that is 600 old");
    }
}
