//! Keeps a provider that has shut us out from being asked in vain: a refused key, a quota of the day that is used up.
//! After a while one call is let through to see whether that is over.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use vigint_core::clock::Clock;

/// How long after it shut us out the provider is asked again…
const FIRST_WAIT: Duration = Duration::from_secs(5);
/// …and how long at most, after that failed again and again.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// What a caller is told to wait at least.
const LEAST_WAIT: Duration = Duration::from_secs(1);

/// Whether a provider may be asked.
pub(super) struct Breaker {
    clock: Arc<dyn Clock>,
    /// None while it may.
    shut: Mutex<Option<Shut>>,
}

struct Shut {
    why: String,
    wait: Duration,
    until: Duration,
    is_probed: bool,
}

/// Not now.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Refused {
    pub(super) why: String,
    pub(super) retry_after: Duration,
}

impl Breaker {
    pub(super) fn new(clock: &Arc<dyn Clock>) -> Self {
        Self {
            clock: Arc::clone(clock),
            shut: Mutex::new(None),
        }
    }

    /// Leave to ask, or why not. While the provider is shut, one caller at a time gets it after each wait.
    pub(super) fn enter(&self) -> Result<Pass<'_>, Refused> {
        let mut shut = self.lock();
        let Some(state) = shut.as_mut() else {
            return Ok(Pass {
                breaker: self,
                is_probe: false,
            });
        };
        let left = state.until.saturating_sub(self.clock.elapsed());
        if state.is_probed || !left.is_zero() {
            return Err(Refused {
                why: state.why.clone(),
                retry_after: left.max(LEAST_WAIT),
            });
        }
        state.is_probed = true;
        Ok(Pass {
            breaker: self,
            is_probe: true,
        })
    }

    /// Whether it is shut. It stays so until somebody who asks comes through.
    pub(super) fn is_shut(&self) -> bool {
        self.lock().is_some()
    }

    /// Shuts it, or keeps it shut for longer. Says for how long.
    fn shut(&self, why: String, is_probe: bool) -> Duration {
        let now = self.clock.elapsed();
        let mut shut = self.lock();
        let wait = match &*shut {
            // Those who were let in before it was shut say nothing new.
            Some(state) if !is_probe => return state.until.saturating_sub(now).max(LEAST_WAIT),
            Some(state) => (state.wait * 2).min(LONGEST_WAIT),
            None => FIRST_WAIT,
        };
        *shut = Some(Shut {
            why,
            wait,
            until: now + wait,
            is_probed: false,
        });
        wait
    }

    /// A probe came to nothing: what was shut stays so, for longer.
    fn stay_shut(&self) {
        let now = self.clock.elapsed();
        // Unless a call that was let in before it was shut has worked meanwhile.
        if let Some(state) = self.lock().as_mut() {
            state.wait = (state.wait * 2).min(LONGEST_WAIT);
            state.until = now + state.wait;
            state.is_probed = false;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Shut>> {
        self.shut.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Leave to ask. Dropped without a word, nothing is known.
pub(super) struct Pass<'a> {
    breaker: &'a Breaker,
    is_probe: bool,
}

impl Pass<'_> {
    /// The provider took us in, whatever it answered.
    pub(super) fn worked(mut self) {
        self.is_probe = false;
        *self.breaker.lock() = None;
    }

    /// It shut us out. Says after how long it is asked again.
    pub(super) fn shut_out(mut self, why: String) -> Duration {
        let is_probe = std::mem::replace(&mut self.is_probe, false);
        self.breaker.shut(why, is_probe)
    }
}

impl Drop for Pass<'_> {
    fn drop(&mut self) {
        if self.is_probe {
            self.breaker.stay_shut();
        }
    }
}

#[cfg(test)]
mod tests {
    use vigint_core::clock::{ManualClock, UtcTime};

    use super::*;

    fn breaker() -> (Breaker, Arc<ManualClock>) {
        let hand = Arc::new(ManualClock::new(UtcTime::UNIX_EPOCH));
        let clock: Arc<dyn Clock> = Arc::<ManualClock>::clone(&hand);
        (Breaker::new(&clock), hand)
    }

    fn refused(breaker: &Breaker) -> (String, u64) {
        let refused = breaker.enter().err().expect("shut");
        (refused.why, refused.retry_after.as_secs())
    }

    #[test]
    fn one_probe_is_let_through_after_five_seconds_doubling_to_sixty() {
        let (breaker, clock) = breaker();
        let wait = breaker.enter().ok().unwrap().shut_out("key".to_owned());
        assert_eq!(wait.as_secs(), 5);
        for wait in [5, 10, 20, 40, 60, 60] {
            assert_eq!(refused(&breaker), ("key".to_owned(), wait));
            clock.advance(Duration::from_secs(wait - 1));
            assert_eq!(refused(&breaker), ("key".to_owned(), 1));
            clock.advance(Duration::from_secs(1));
            let probe = breaker.enter().ok().unwrap();
            assert_eq!(refused(&breaker), ("key".to_owned(), 1), "one at a time");
            // Cut off, or still refused: the same.
            if wait % 20 == 0 {
                drop(probe);
            } else {
                probe.shut_out("key".to_owned());
            }
        }
        clock.advance(Duration::from_secs(60));
        assert!(breaker.is_shut());
        breaker.enter().ok().unwrap().worked();
        assert!(!breaker.is_shut());
        let pass = breaker.enter().ok().unwrap();
        assert_eq!(pass.shut_out("again".to_owned()).as_secs(), 5);
    }

    #[test]
    fn calls_that_were_under_way_when_it_was_shut_do_not_make_it_longer() {
        let (breaker, _) = breaker();
        let passes = [(); 3].map(|()| breaker.enter().ok().unwrap());
        for pass in passes {
            assert_eq!(pass.shut_out("quota".to_owned()).as_secs(), 5);
        }
        assert_eq!(refused(&breaker), ("quota".to_owned(), 5));
    }

    #[test]
    fn late_answers_of_calls_before_it_was_shut_do_not_pass_for_the_probe_s() {
        let (breaker, clock) = breaker();
        let before = [(); 3].map(|()| breaker.enter().ok().unwrap());
        let [works, late, shuts] = before;
        shuts.shut_out("quota".to_owned());
        clock.advance(Duration::from_secs(5));
        let probe = breaker.enter().ok().unwrap();
        late.shut_out("quota".to_owned());
        assert_eq!(refused(&breaker).1, 1, "the probe still runs");
        works.worked();
        // Nor does a probe that is cut off shut what works again.
        drop(probe);
        assert!(breaker.enter().is_ok());
    }

    #[test]
    fn a_call_that_came_to_nothing_shuts_nothing() {
        let (breaker, _) = breaker();
        drop(breaker.enter());
        assert!(breaker.enter().is_ok());
    }
}
