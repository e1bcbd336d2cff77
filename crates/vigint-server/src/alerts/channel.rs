//! Whether mails go out at all just now.
//!
//! A login that is refused, or a quota of the day that is spent, is no mail's fault: the way out is closed then for
//! everybody, and after a pause one mail tries whether it is open again. A pure state; its times are given to it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use vigint_core::clock::UtcTime;

/// The longest pause between two tries of a way out that stays closed, unless its server asks for a longer one.
const LONGEST_PAUSE: Duration = Duration::from_secs(30 * 60);

/// The way out.
#[derive(Debug, Default)]
pub struct Channel {
    closed: Option<Closed>,
    /// When it carried a mail last.
    carried_at: Option<UtcTime>,
    /// How many were let through.
    passes: u64,
}

#[derive(Debug)]
struct Closed {
    /// Until when nobody tries.
    until: UtcTime,
    /// How long that pause is.
    pause: Duration,
    /// Who tries, by the number of its pass.
    tried_by: Option<u64>,
}

impl Channel {
    /// The number of the pass for a mail that is to be sent at `now`, if one may.
    fn let_through(&mut self, now: UtcTime) -> Option<u64> {
        let pass = self.passes + 1;
        if let Some(closed) = &mut self.closed {
            if closed.tried_by.is_some() || now < closed.until {
                return None;
            }
            closed.tried_by = Some(pass);
        }
        self.passes = pass;
        Some(pass)
    }

    /// It has carried a mail.
    pub fn note_carried(&mut self, now: UtcTime) {
        self.carried_at = Some(now);
        self.closed = None;
    }

    /// It would have carried another mail.
    pub fn note_open(&mut self) {
        self.closed = None;
    }

    /// Whether it has carried a mail after this moment, as far as this server knows.
    #[must_use]
    pub fn has_carried_since(&self, then: UtcTime) -> bool {
        self.carried_at.is_some_and(|at| at > then)
    }

    /// It is closed; `pause` is how long to wait before it is tried. Closed again, it waits twice as long as before,
    /// up to half an hour, or `pause` if that is longer. How long it waits; none when another mail has closed it
    /// already, at the same time as this one.
    pub fn close(&mut self, now: UtcTime, pause: Duration) -> Option<Duration> {
        let pause = match &self.closed {
            None => pause,
            Some(closed) if closed.tried_by.is_some() => {
                pause.max(closed.pause.saturating_mul(2).min(LONGEST_PAUSE))
            }
            Some(_) => return None,
        };
        self.closed = Some(Closed {
            until: now + pause,
            pause,
            tried_by: None,
        });
        Some(pause)
    }
}

/// The right to send one mail. Of a way out that was closed one is given, to try it; when that ends, however it does,
/// without having said how the way is, the next may try.
#[derive(Debug)]
#[must_use]
pub struct Pass {
    channel: Arc<Mutex<Channel>>,
    number: u64,
}

impl Pass {
    /// For a mail that is to be sent at `now`; none while the way is closed, or another tries it.
    pub fn take(channel: &Arc<Mutex<Channel>>, now: UtcTime) -> Option<Self> {
        let number = {
            let mut state = channel.lock().unwrap_or_else(PoisonError::into_inner);
            state.let_through(now)?
        };
        let channel = Arc::clone(channel);
        Some(Self { channel, number })
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        let mut state = self.channel.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(closed) = &mut state.closed
            && closed.tried_by == Some(self.number)
        {
            closed.tried_by = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    fn at(minutes: i64) -> UtcTime {
        UtcTime::from_unix_seconds(minutes * 60)
    }

    /// A way out, and who holds a pass for it.
    #[derive(Default)]
    struct Way {
        channel: Arc<Mutex<Channel>>,
        held: Vec<Pass>,
    }

    impl Way {
        fn lets_one_through(&mut self, now: UtcTime) -> bool {
            let pass = Pass::take(&self.channel, now);
            let is_through = pass.is_some();
            self.held.extend(pass);
            is_through
        }

        fn close(&self, now: UtcTime, pause: Duration) -> Option<Duration> {
            self.channel.lock().unwrap().close(now, pause)
        }

        fn note_open(&self) {
            self.channel.lock().unwrap().note_open();
        }
    }

    #[test]
    fn closed_it_lets_one_through_after_its_pause_and_all_once_that_one_came_through() {
        let mut way = Way::default();
        assert!(way.lets_one_through(at(0)) && way.lets_one_through(at(0)));
        assert_eq!(way.close(at(0), MINUTE), Some(MINUTE));
        assert!(!way.lets_one_through(at(0)));
        assert!(way.lets_one_through(at(1)));
        assert!(!way.lets_one_through(at(1)), "one is enough to try it");
        way.note_open();
        assert!(way.lets_one_through(at(1)) && way.lets_one_through(at(1)));
    }

    #[test]
    fn pauses_double_up_to_half_an_hour_and_begin_anew_once_it_was_open() {
        let mut way = Way::default();
        let mut minutes = Vec::new();
        let mut now = 0;
        for _ in 0..8 {
            assert!(way.lets_one_through(at(now)));
            let pause = way.close(at(now), MINUTE).unwrap().as_secs() / 60;
            minutes.push(pause);
            now += i64::try_from(pause).unwrap();
        }
        assert_eq!(minutes, [1, 2, 4, 8, 16, 30, 30, 30]);
        way.note_open();
        assert_eq!(way.close(at(now), MINUTE), Some(MINUTE));
    }

    #[test]
    fn a_longer_pause_that_the_server_asks_for_is_kept() {
        let mut way = Way::default();
        way.close(at(0), 60 * MINUTE);
        assert!(way.lets_one_through(at(60)));
        assert_eq!(way.close(at(60), 60 * MINUTE), Some(60 * MINUTE));
    }

    #[test]
    fn mails_that_meet_the_same_closed_door_close_it_once() {
        let mut way = Way::default();
        assert!(way.close(at(0), MINUTE).is_some());
        assert_eq!(way.close(at(0), MINUTE), None);
        assert!(way.lets_one_through(at(1)));
    }

    #[test]
    fn a_try_that_ends_without_a_word_leaves_the_try_to_the_next() {
        let mut way = Way::default();
        way.close(at(0), MINUTE);
        assert!(way.lets_one_through(at(1)));
        way.held.clear();
        assert!(way.lets_one_through(at(1)));
        let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let _tries = way.held.pop();
            panic!("in the middle");
        }));
        assert!(panicked.is_err());
        assert!(way.lets_one_through(at(1)));
    }

    #[test]
    fn who_was_let_through_before_it_closed_ends_nobodys_try() {
        let mut way = Way::default();
        assert!(way.lets_one_through(at(0)));
        let before = way.held.pop();
        way.close(at(0), MINUTE);
        assert!(way.lets_one_through(at(1)));
        drop(before);
        assert!(!way.lets_one_through(at(1)));
    }
}
