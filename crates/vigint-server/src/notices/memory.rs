//! What was seen lately, so that a key or an address that comes again and again costs no queue and no query. It only
//! spares them: whether something is told, the database decides.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use vigint_core::clock::UtcTime;
use vigint_core::key::KeyHash;

use super::notice::NoticeKind;
use super::tell::QUIET;

/// The most that is remembered.
const MOST: usize = 4096;

/// What is not told is looked at again after this: a key that was refused for another reason may be revoked by then.
/// Also how long a sighting may wait in the queue before the same one is taken in again.
pub(super) const LOOK_AGAIN: Duration = Duration::from_secs(60);

/// By what a sighting is recognised.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Mark {
    /// A key that was refused.
    Refused(KeyHash),
    /// A key in a URL.
    InUrl(KeyHash),
    /// A network from which too many keys were refused: clients' or the operator's.
    Network { address: IpAddr, is_admin: bool },
}

struct Remembered {
    /// Until then there is nothing to look at.
    until: UtcTime,
    /// What it was found to be; none when it is nothing to tell, or not known yet.
    kind: Option<NoticeKind>,
    /// Seen so often since it was last told.
    times: u64,
    /// Of these, counted by kind.
    counted: u64,
    since: UtcTime,
}

/// What is to be done with a sighting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Recall {
    /// Look at it.
    New,
    /// It was looked at; count it as this.
    Known(Option<NoticeKind>),
    /// It is not known, and is to stay so.
    Passed,
    /// There is no room for more.
    Full,
}

/// How often something was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Tally {
    pub(super) times: u64,
    /// When the first of them came, and when they were counted.
    pub(super) since: UtcTime,
    pub(super) at: UtcTime,
    /// Of `times`, those not yet counted by kind.
    pub(super) uncounted: u64,
}

/// Bounded by [`MOST`].
#[derive(Default)]
pub(super) struct Memory(Mutex<HashMap<Mark, Remembered>>);

impl Memory {
    /// Takes note of a sighting; when it may not be new, only of one that is known.
    pub(super) fn note(&self, mark: Mark, now: UtcTime, may_be_new: bool) -> Recall {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = seen.get_mut(&mark) {
            if known.times == 0 {
                known.since = now;
            }
            known.times = known.times.saturating_add(1);
            // A clock that was set back does not silence it for longer than it would have been.
            if now < known.until && known.until.since(now) <= QUIET {
                known.counted = known
                    .counted
                    .saturating_add(u64::from(known.kind.is_some()));
                return Recall::Known(known.kind);
            }
            if !may_be_new {
                return Recall::Passed;
            }
            known.until = now + LOOK_AGAIN;
            known.kind = None;
            return Recall::New;
        }
        if !may_be_new {
            return Recall::Passed;
        }
        if seen.len() >= MOST {
            seen.retain(|_, known| known.until > now);
        }
        if seen.len() >= MOST {
            return Recall::Full;
        }
        let new = Remembered {
            until: now + LOOK_AGAIN,
            kind: None,
            times: 1,
            counted: 0,
            since: now,
        };
        seen.insert(mark, new);
        Recall::New
    }

    /// How often it was seen since it was last told. From here on those are counted by kind.
    pub(super) fn tally(&self, mark: Mark, now: UtcTime) -> Tally {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(known) = seen.get_mut(&mark) else {
            return Tally {
                times: 1,
                since: now,
                at: now,
                uncounted: 1,
            };
        };
        let uncounted = known.times.saturating_sub(known.counted);
        known.counted = known.times;
        Tally {
            times: known.times,
            since: known.since,
            at: now,
            uncounted,
        }
    }

    /// It is known now: until then it only counts. Those that were `told` are not told again. How many came since
    /// the tally, which are to be counted by kind, too.
    pub(super) fn settle(
        &self,
        mark: Mark,
        kind: Option<NoticeKind>,
        until: UtcTime,
        told: Option<Tally>,
    ) -> u64 {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(known) = seen.get_mut(&mark) else {
            return 0;
        };
        known.kind = kind;
        known.until = until;
        if kind.is_none() {
            return 0;
        }
        let late = known.times.saturating_sub(known.counted);
        known.counted = known.times;
        if let Some(told) = told {
            known.times = known.times.saturating_sub(told.times);
            known.counted = known.times;
            known.since = told.at;
        }
        late
    }

    /// It could not be looked at: the next one is new.
    pub(super) fn forget(&self, mark: Mark) {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        seen.remove(&mark);
    }
}

#[cfg(test)]
mod tests {
    use vigint_core::key::ApiKey;
    use vigint_core::random::SystemRandom;

    use super::*;

    const AT: UtcTime = UtcTime::UNIX_EPOCH;

    fn mark() -> Mark {
        Mark::Refused(ApiKey::generate(&SystemRandom).hash())
    }

    #[test]
    fn what_comes_again_is_looked_at_once_and_counted() {
        let memory = Memory::default();
        let key = mark();
        assert_eq!(memory.note(key, AT, true), Recall::New);
        assert_eq!(
            memory.note(key, AT, true),
            Recall::Known(None),
            "it still waits"
        );
        let tally = memory.tally(key, AT);
        assert_eq!((tally.times, tally.uncounted), (2, 2));
        let kind = Some(NoticeKind::RevokedKeyUsed);
        assert_eq!(memory.note(key, AT, true), Recall::Known(None));
        // One came while it was told: it counts, and belongs to the next notice.
        assert_eq!(memory.settle(key, kind, AT + QUIET, Some(tally)), 1);
        let later = AT + QUIET - Duration::from_millis(1);
        assert_eq!(memory.note(key, later, true), Recall::Known(kind));
        assert_eq!(memory.note(key, AT + QUIET, true), Recall::New);
        let tally = memory.tally(key, AT + QUIET);
        assert_eq!((tally.times, tally.since, tally.uncounted), (3, AT, 1));
    }

    #[test]
    fn a_flood_of_different_keys_takes_no_more_memory_and_ends_with_its_minute() {
        let memory = Memory::default();
        for _ in 0..MOST {
            assert_eq!(memory.note(mark(), AT, true), Recall::New);
        }
        assert_eq!(memory.note(mark(), AT, true), Recall::Full);
        assert_eq!(memory.0.lock().unwrap().len(), MOST);
        assert_eq!(memory.note(mark(), AT + LOOK_AGAIN, true), Recall::New);
        assert_eq!(memory.0.lock().unwrap().len(), 1);
    }

    #[test]
    fn what_is_no_news_is_looked_at_again_after_a_minute() {
        let memory = Memory::default();
        let key = mark();
        memory.note(key, AT, true);
        memory.settle(key, None, AT + LOOK_AGAIN, None);
        assert_eq!(
            memory.note(key, AT + Duration::from_secs(59), true),
            Recall::Known(None)
        );
        assert_eq!(memory.note(key, AT + LOOK_AGAIN, true), Recall::New);
    }

    #[test]
    fn a_clock_set_back_silences_nothing() {
        let memory = Memory::default();
        let key = mark();
        let late = AT + QUIET * 9;
        memory.note(key, late, true);
        memory.settle(key, Some(NoticeKind::KeyInUrl), late + QUIET, None);
        assert_eq!(memory.note(key, AT, true), Recall::New);
    }

    #[test]
    fn what_may_not_be_new_counts_only_when_it_is_known() {
        let memory = Memory::default();
        let key = mark();
        assert_eq!(memory.note(key, AT, false), Recall::Passed);
        assert!(memory.0.lock().unwrap().is_empty());
        memory.note(key, AT, true);
        assert_eq!(memory.note(key, AT, false), Recall::Known(None));
        assert_eq!(memory.tally(key, AT).times, 2);
    }
}
