//! How long it took from each cure to a live picture, by what was broken.

use std::collections::BTreeMap;
use std::time::Duration;

use super::schedule::Fault;

/// All of a run.
#[derive(Debug, Default)]
pub(super) struct Recoveries {
    of_kind: BTreeMap<Fault, OfKind>,
}

/// Those of one kind.
#[derive(Debug, Default)]
pub(super) struct OfKind {
    /// How often something was broken so.
    pub(super) faults: u32,
    times: Vec<Duration>,
}

impl Recoveries {
    /// Something was broken.
    pub(super) fn begin(&mut self, fault: Fault) {
        self.of_kind.entry(fault).or_default().faults += 1;
    }

    /// One camera is live so long after the cure.
    pub(super) fn add(&mut self, fault: Fault, after: Duration) {
        self.of_kind.entry(fault).or_default().times.push(after);
    }

    /// How often something was broken so.
    pub(super) fn faults(&self, fault: Fault) -> u32 {
        self.of_kind.get(&fault).map_or(0, |of_kind| of_kind.faults)
    }

    /// How often the server was broken.
    pub(super) fn of_server(&self) -> u32 {
        Fault::of_server().map(|fault| self.faults(fault)).sum()
    }

    pub(super) fn of_kind(&self) -> impl Iterator<Item = (Fault, &OfKind)> {
        self.of_kind
            .iter()
            .map(|(fault, of_kind)| (*fault, of_kind))
    }
}

impl OfKind {
    /// How many cameras were live again.
    pub(super) fn live(&self) -> usize {
        self.times.len()
    }

    pub(super) fn slowest(&self) -> Option<Duration> {
        self.times.iter().max().copied()
    }

    pub(super) fn median(&self) -> Option<Duration> {
        let mut times = self.times.clone();
        times.sort_unstable();
        times.get(times.len() / 2).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_slowest_and_the_middle_one_are_of_their_kind() {
        let mut recoveries = Recoveries::default();
        recoveries.begin(Fault::Reboot);
        for seconds in [9, 1, 5] {
            recoveries.add(Fault::Reboot, Duration::from_secs(seconds));
        }
        recoveries.begin(Fault::Freeze);
        let all: Vec<_> = recoveries.of_kind().collect();
        assert_eq!(all.len(), 2);
        let (_, reboots) = all[0];
        assert_eq!(reboots.median(), Some(Duration::from_secs(5)));
        assert_eq!(reboots.slowest(), Some(Duration::from_secs(9)));
        assert_eq!((all[1].1.faults, all[1].1.slowest()), (1, None));
        assert_eq!(
            [Fault::Freeze, Fault::Flood].map(|fault| recoveries.faults(fault)),
            [1, 0]
        );
    }
}
