//! When a picture was taken, and when it may come out.
//!
//! Live pictures were taken when they arrive. A film's pictures have the film's own times, counted from its
//! beginning: paced as a camera would show them, or at once with times that end at now.

use std::time::Duration;

use vigint_core::clock::{Clock, UtcTime};

/// A reader that was held back longer than this goes on at its own pace instead of hurrying after.
const MAX_HURRY: Duration = Duration::from_secs(1);

/// Pictures that arrive at once, as the first ones of a camera do, still have one time each: the server keeps one
/// picture of each. They are this far apart.
const TICK: Duration = Duration::from_millis(1);
/// A clock that is further back than this behind the newest picture was set back, and is believed.
const MAX_BURST: Duration = Duration::from_secs(2);

/// Gives each picture its time.
#[derive(Debug)]
pub(super) enum Pace {
    /// A camera.
    Live {
        /// The time of its newest picture, over all openings.
        last: Option<UtcTime>,
    },
    /// A film.
    Film {
        /// When its first picture is said to have been taken.
        start: UtcTime,
        /// Time from picture to picture.
        period: Duration,
        /// Pictures given out so far.
        given: u32,
        /// When the next picture may come out, on the clock's [`Clock::elapsed`]; `None`: at once.
        due: Option<Duration>,
    },
}

impl Pace {
    /// A film shown as a camera would show it, from `start`.
    pub(super) fn paced(start: UtcTime, period: Duration, clock: &dyn Clock) -> Self {
        Self::Film {
            start,
            period,
            given: 0,
            due: Some(clock.elapsed()),
        }
    }

    /// A film shown as fast as it can be read, its last of `frames` pictures at `end`.
    pub(super) fn ending_at(end: UtcTime, period: Duration, frames: u32) -> Self {
        Self::Film {
            start: end - period * frames.saturating_sub(1),
            period,
            given: 0,
            due: None,
        }
    }

    /// How long the next picture must still wait.
    pub(super) fn wait(&self, clock: &dyn Clock) -> Duration {
        match self {
            Self::Film { due: Some(due), .. } => due.saturating_sub(clock.elapsed()),
            _ => Duration::ZERO,
        }
    }

    /// The time of the picture that comes out now.
    pub(super) fn stamp(&mut self, clock: &dyn Clock) -> UtcTime {
        match self {
            Self::Live { last } => {
                let now = clock.now();
                let stamp = match *last {
                    Some(last) if now <= last && last.since(now) <= MAX_BURST => last + TICK,
                    _ => now,
                };
                *last = Some(stamp);
                stamp
            }
            Self::Film {
                start,
                period,
                given,
                due,
            } => {
                let taken = *start + *period * *given;
                *given = given.saturating_add(1);
                if let Some(due) = due {
                    let earliest = clock.elapsed().saturating_sub(MAX_HURRY);
                    *due = (*due + *period).max(earliest);
                }
                taken
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use vigint_core::clock::ManualClock;

    use super::*;

    const PERIOD: Duration = Duration::from_millis(100);

    fn clock() -> ManualClock {
        ManualClock::new(UtcTime::from_unix_seconds(1000))
    }

    #[test]
    fn live_pictures_were_taken_when_they_arrive() {
        let clock = clock();
        let mut pace = Pace::Live { last: None };
        clock.advance(Duration::from_millis(1234));
        assert_eq!(pace.stamp(&clock), UtcTime::from_unix_millis(1_001_234));
        assert_eq!(pace.wait(&clock), Duration::ZERO);
    }

    #[test]
    fn live_pictures_that_arrive_at_once_have_a_time_each_and_a_clock_set_back_is_believed() {
        let clock = clock();
        let mut pace = Pace::Live {
            last: Some(clock.now()),
        };
        let stamps = [(); 3].map(|()| pace.stamp(&clock).unix_millis());
        assert_eq!(stamps, [1_000_001, 1_000_002, 1_000_003]);
        let mut pace = Pace::Live {
            last: Some(clock.now() + Duration::from_secs(3600)),
        };
        assert_eq!(pace.stamp(&clock), clock.now());
    }

    #[test]
    fn a_paced_film_gives_its_pictures_at_its_own_rate() {
        let clock = clock();
        let mut pace = Pace::paced(clock.now(), PERIOD, &clock);
        for n in 0..5 {
            assert_eq!(pace.wait(&clock), Duration::ZERO);
            assert_eq!(pace.stamp(&clock).unix_millis(), 1_000_000 + n * 100);
            assert_eq!(pace.wait(&clock), PERIOD);
            clock.advance(PERIOD);
        }
    }

    #[test]
    fn a_film_held_back_for_long_keeps_its_times_and_does_not_hurry_after() {
        let clock = clock();
        let mut pace = Pace::paced(clock.now(), PERIOD, &clock);
        pace.stamp(&clock);
        clock.advance(Duration::from_secs(600));
        assert_eq!(
            pace.stamp(&clock).unix_millis(),
            1_000_100,
            "times stay the film's own"
        );
        let mut at_once = 0;
        while pace.wait(&clock).is_zero() {
            pace.stamp(&clock);
            at_once += 1;
        }
        assert!(
            at_once <= 11,
            "{at_once} pictures came at once: more than a second's worth"
        );
    }

    #[test]
    fn a_fast_film_ends_at_now_and_never_waits() {
        let clock = clock();
        let mut pace = Pace::ending_at(clock.now(), PERIOD, 30);
        let stamps: Vec<_> = (0..30)
            .map(|_| (pace.wait(&clock), pace.stamp(&clock)))
            .collect();
        assert!(stamps.iter().all(|(wait, _)| wait.is_zero()));
        assert_eq!(stamps[0].1, clock.now() - Duration::from_millis(2900));
        assert_eq!(stamps[29].1, clock.now());
    }
}
