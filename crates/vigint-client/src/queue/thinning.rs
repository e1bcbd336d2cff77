//! Fewer frames a second of a camera, evenly, before any has to be given up: every second, every fourth … while the
//! server is busy or what waits for it grows, and more again once little has waited for a while.
//!
//! It goes by the times of the frames, so that it decides the same however fast they come. It must not know the queue.

use std::time::Duration;

use vigint_core::clock::UtcTime;

/// How often it is looked whether fewer must do.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// What may wait.
const LONG: Duration = Duration::from_secs(1);
/// No more than this must wait for the rate to rise …
const SHORT: Duration = Duration::from_millis(500);
/// … for this long.
const PATIENCE: Duration = Duration::from_secs(10);
/// The fewest frames a second that go on.
const LEAST_FPS: f64 = 1.0;

/// Which of a camera's frames go on.
#[derive(Debug)]
pub(super) struct Thinning {
    /// One of so many goes on: a power of two.
    keep_one_of: u32,
    most: u32,
    offered: u32,
    is_server_busy: bool,
    last_look: Option<Look>,
    short_since: Option<UtcTime>,
}

#[derive(Clone, Copy, Debug)]
struct Look {
    at: UtcTime,
    waiting: Duration,
}

impl Thinning {
    /// Of a camera with so many frames a second.
    pub(super) fn of(fps: f64) -> Self {
        let mut most: u32 = 1;
        while most < 64 && fps / f64::from(most * 2) >= LEAST_FPS {
            most *= 2;
        }
        Self {
            keep_one_of: 1,
            most,
            offered: 0,
            is_server_busy: false,
            last_look: None,
            short_since: None,
        }
    }

    /// The server asks for less, or does no longer.
    pub(super) fn server_is_busy(&mut self, is_busy: bool) {
        self.is_server_busy = is_busy;
    }

    /// Whether the frame of this time goes on, while frames of such a span wait. For a server that is away all do:
    /// fewer would not help it, and the newest are to be kept as they are.
    pub(super) fn admits(&mut self, at: UtcTime, waiting: Duration, is_server_away: bool) -> bool {
        if is_server_away {
            self.keep_one_of = 1;
            self.last_look = Some(Look { at, waiting });
            self.short_since = None;
            return true;
        }
        self.look(at, waiting);
        self.offered = self.offered.wrapping_add(1);
        self.offered.is_multiple_of(self.keep_one_of)
    }

    fn look(&mut self, at: UtcTime, waiting: Duration) {
        let Some(last) = self.last_look.filter(|last| last.at <= at) else {
            self.last_look = Some(Look { at, waiting });
            self.short_since = None;
            return;
        };
        if at.since(last.at) >= LOOK_EVERY {
            self.last_look = Some(Look { at, waiting });
            // What has been shrinking since the last look needs no help.
            let grows = waiting > LONG && waiting >= last.waiting;
            if grows || self.is_server_busy {
                self.keep_one_of = (self.keep_one_of * 2).min(self.most);
            }
        }
        if waiting > SHORT || self.is_server_busy {
            self.short_since = None;
            return;
        }
        let since = *self.short_since.get_or_insert(at);
        if at.since(since) >= PATIENCE {
            self.keep_one_of = (self.keep_one_of / 2).max(1);
            self.short_since = Some(at);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Frames at 10 a second: how many of each of so many seconds go on, while frames of `waiting` seconds wait.
    fn seconds(
        thinning: &mut Thinning,
        from: i64,
        count: i64,
        waiting: impl Fn(i64) -> f64,
    ) -> Vec<usize> {
        let second = |second: i64| {
            let frame = |tenth: i64| {
                let at = UtcTime::from_unix_millis(second * 1000 + tenth * 100);
                thinning.admits(at, Duration::from_secs_f64(waiting(second)), false)
            };
            (0..10).map(frame).filter(|admits| *admits).count()
        };
        (from..from + count).map(second).collect()
    }

    #[test]
    fn the_rate_halves_each_second_while_what_waits_grows_and_never_falls_below_one() {
        let mut thinning = Thinning::of(10.0);
        let kept = seconds(&mut thinning, 0, 8, |second| second as f64);
        assert_eq!(kept, [10, 10, 5, 3, 1, 1, 1, 2]);
        assert_eq!(
            kept[4..].iter().sum::<usize>(),
            5,
            "one of eight is 1.25 a second"
        );
        for (fps, most) in [(10.0, 8), (1.9, 1), (0.1, 1), (25.0, 16), (f64::NAN, 1)] {
            assert_eq!(Thinning::of(fps).most, most, "{fps}");
        }
    }

    #[test]
    fn those_that_go_on_are_evenly_apart() {
        let mut thinning = Thinning::of(10.0);
        seconds(&mut thinning, 0, 3, |second| second as f64 + 1.5);
        let step = thinning.keep_one_of;
        assert_eq!(step, 4);
        let kept: Vec<i64> = (3000..5000)
            .step_by(100)
            .filter(|millis| thinning.admits(UtcTime::from_unix_millis(*millis), LONG, false))
            .collect();
        assert_eq!(kept.len(), 5);
        assert!(
            kept.windows(2).all(|two| two[1] - two[0] == 400),
            "{kept:?}"
        );
    }

    #[test]
    fn a_short_queue_of_ten_seconds_raises_the_rate_a_step_at_a_time() {
        let mut thinning = Thinning::of(10.0);
        seconds(&mut thinning, 0, 4, |second| second as f64 + 1.5);
        assert_eq!(thinning.keep_one_of, 8);
        let rates = |thinning: &mut Thinning, from, count, waiting: f64| {
            seconds(thinning, from, count, |_| waiting);
            thinning.keep_one_of
        };
        assert_eq!(rates(&mut thinning, 4, 10, 0.2), 8);
        assert_eq!(rates(&mut thinning, 14, 10, 0.2), 4);
        assert_eq!(rates(&mut thinning, 24, 9, 0.2), 2);
        // Not short, not long: it stays, and the ten seconds begin anew.
        assert_eq!(rates(&mut thinning, 33, 1, 0.8), 2);
        assert_eq!(rates(&mut thinning, 34, 10, 0.2), 2);
        assert_eq!(rates(&mut thinning, 44, 1, 0.2), 1);
    }

    #[test]
    fn a_busy_server_lowers_the_rate_although_little_waits() {
        let mut thinning = Thinning::of(10.0);
        thinning.server_is_busy(true);
        seconds(&mut thinning, 0, 3, |_| 0.0);
        assert_eq!(thinning.keep_one_of, 4);
        thinning.server_is_busy(false);
        seconds(&mut thinning, 3, 11, |_| 0.0);
        assert_eq!(thinning.keep_one_of, 2);
    }

    #[test]
    fn what_waits_for_a_server_that_was_away_is_not_thinned_while_it_shrinks() {
        let mut thinning = Thinning::of(10.0);
        seconds(&mut thinning, 0, 3, |second| second as f64 + 1.5);
        for tenth in 30..230 {
            let at = UtcTime::from_unix_millis(tenth * 100);
            assert!(thinning.admits(at, Duration::from_secs(10), true));
        }
        let kept = seconds(&mut thinning, 23, 5, |second| {
            9.0 - (second - 23) as f64 * 2.0
        });
        assert_eq!(kept, [10; 5]);
    }

    #[test]
    fn a_clock_that_is_set_back_stops_nothing() {
        let mut thinning = Thinning::of(10.0);
        seconds(&mut thinning, 5000, 3, |_| 0.0);
        let kept = seconds(&mut thinning, 0, 4, |second| second as f64 + 1.5);
        assert_eq!(kept, [10, 5, 3, 1]);
    }
}
