//! How often something may happen: a rate for each of many, by the server's clock.
//!
//! It must not know what is limited.

use std::hash::Hash;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use governor::clock::Clock as _;
use governor::middleware::NoOpMiddleware;
use governor::state::keyed::DashMapStateStore;
use governor::{NotUntil, Quota, RateLimiter};
use vigint_core::clock::Clock;

/// Whoever has all of its allowance back is forgotten after so many more takes.
const SWEEP_EVERY: u32 = 4096;

/// A server's clock, as governor reads it.
#[derive(Clone, Debug)]
struct Ticks(Arc<dyn Clock>);

impl governor::clock::Clock for Ticks {
    type Instant = Duration;

    fn now(&self) -> Duration {
        self.0.elapsed()
    }
}

type Limiter<K> = RateLimiter<K, DashMapStateStore<K>, Ticks, NoOpMiddleware<Duration>>;

/// How long to wait until there is room again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Wait(Duration);

impl Wait {
    /// In whole seconds, at least one: what `Retry-After` takes.
    pub(super) fn seconds(self) -> u64 {
        let begun = u64::from(self.0.subsec_nanos() > 0);
        self.0.as_secs().saturating_add(begun).max(1)
    }
}

/// A rate for each key. Remembers only those who have used some of their allowance lately.
pub(super) struct Rate<K: Hash + Eq + Clone> {
    limiter: Limiter<K>,
    clock: Ticks,
    /// The most that may be taken at once.
    burst: NonZeroU32,
    takes: AtomicU32,
}

impl<K: Hash + Eq + Clone> Rate<K> {
    /// So many a minute, all of them at once if need be.
    pub(super) fn per_minute(most: u32, clock: &Arc<dyn Clock>) -> Self {
        Self::new(Quota::per_minute(at_least_one(most)), clock)
    }

    /// So many a second, after a pause so many at once.
    pub(super) fn per_second(most: u32, burst: u32, clock: &Arc<dyn Clock>) -> Self {
        let quota = Quota::per_second(at_least_one(most)).allow_burst(at_least_one(burst));
        Self::new(quota, clock)
    }

    fn new(quota: Quota, clock: &Arc<dyn Clock>) -> Self {
        let clock = Ticks(Arc::clone(clock));
        Self {
            limiter: RateLimiter::dashmap_with_clock(quota, clock.clone()),
            clock,
            burst: quota.burst_size(),
            takes: AtomicU32::new(0),
        }
    }

    /// Takes one from the allowance of `key`, or says how long it has to wait; then it takes nothing.
    pub(super) fn take(&self, key: &K) -> Result<(), Wait> {
        let taken = self.limiter.check_key(key);
        self.sweep_sometimes();
        taken.map_err(|refused| self.wait(&refused))
    }

    /// Takes so many more after one, all or none; of more than a full allowance, all of it.
    pub(super) fn take_more(&self, key: &K, more: u32) -> Result<(), Wait> {
        let more = more.min(self.burst.get() - 1);
        let Some(more) = NonZeroU32::new(more) else {
            return Ok(());
        };
        match self.limiter.check_key_n(key, more) {
            Ok(taken) => taken.map_err(|refused| self.wait(&refused)),
            // More than a full allowance, which was ruled out above.
            Err(_) => Err(Wait(Duration::ZERO)),
        }
    }

    fn wait(&self, refused: &NotUntil<Duration>) -> Wait {
        Wait(refused.wait_time_from(self.clock.now()))
    }

    /// By takes and not by a job: where nothing is taken, nothing grows.
    fn sweep_sometimes(&self) {
        let takes = self.takes.fetch_add(1, Ordering::Relaxed);
        if takes % SWEEP_EVERY == SWEEP_EVERY - 1 {
            self.limiter.retain_recent();
        }
    }
}

fn at_least_one(most: u32) -> NonZeroU32 {
    NonZeroU32::new(most).unwrap_or(NonZeroU32::MIN)
}

#[cfg(test)]
mod tests {
    use vigint_core::clock::{ManualClock, UtcTime};

    use super::*;

    fn clock() -> (Arc<ManualClock>, Arc<dyn Clock>) {
        let clock = Arc::new(ManualClock::new(UtcTime::UNIX_EPOCH));
        (Arc::clone(&clock), clock)
    }

    #[test]
    fn an_allowance_comes_back_with_time_and_a_wait_is_whole_seconds() {
        let (hand, clock) = clock();
        let rate = Rate::per_minute(4, &clock);
        for _ in 0..4 {
            rate.take(&"a").unwrap();
        }
        assert_eq!(rate.take(&"a").unwrap_err().seconds(), 15);
        rate.take(&"b").unwrap();
        hand.advance(Duration::from_millis(14_001));
        assert_eq!(rate.take(&"a").unwrap_err().seconds(), 1);
        hand.advance(Duration::from_millis(999));
        rate.take(&"a").unwrap();
        assert!(rate.take(&"a").is_err());
    }

    #[test]
    fn a_batch_takes_all_of_its_cells_or_none_and_never_more_than_there_can_be() {
        let (hand, clock) = clock();
        let rate = Rate::per_second(10, 5, &clock);
        rate.take(&"a").unwrap();
        rate.take_more(&"a", 2).unwrap();
        assert!(rate.take_more(&"a", 3).is_err());
        rate.take_more(&"a", 2).unwrap();
        assert!(rate.take(&"a").is_err());
        hand.advance(Duration::from_millis(500));
        rate.take(&"a").unwrap();
        rate.take_more(&"a", 99).unwrap();
        assert!(rate.take(&"a").is_err());
        let one_at_once = Rate::per_second(10, 1, &clock);
        one_at_once.take(&"a").unwrap();
        one_at_once.take_more(&"a", 99).unwrap();
    }

    #[test]
    fn whoever_has_its_allowance_back_is_forgotten() {
        let (hand, clock) = clock();
        let rate = Rate::per_minute(60, &clock);
        for key in 0..SWEEP_EVERY * 20 {
            rate.take(&key).unwrap();
            hand.advance(Duration::from_millis(1));
        }
        // A second of takes, and what came since the last sweep.
        assert!(rate.limiter.len() < 2 * usize::try_from(SWEEP_EVERY).unwrap());
    }
}
