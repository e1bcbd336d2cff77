//! Whether mails go out at all just now.
//!
//! A login that is refused, or a quota of the day that is spent, is no mail's fault: the way out is closed then for
//! everybody, and after a pause one mail tries whether it is open again. A pure state; its times are given to it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use vigint_core::clock::UtcTime;
use vigint_core::ids::AlertId;

/// The longest pause between two tries of a way out that stays closed, unless its server asks for a longer one.
const LONGEST_PAUSE: Duration = Duration::from_secs(30 * 60);

/// How long one that tries a closed way out is waited for; then the next may try, too, while it goes on. A server may take
/// minutes to answer.
const LONGEST_TRY: Duration = Duration::from_secs(60);

/// How long it is remembered that a mail was refused as if the way were closed: longer than it is tried again.
const DOUBT_KEPT: Duration = Duration::from_secs(3 * 24 * 3600);

/// The way out.
#[derive(Debug, Default)]
pub struct Channel {
    closed: Option<Closed>,
    /// When it carried a mail last.
    carried_at: Option<UtcTime>,
    /// Mails that were refused as if it were closed, and when they closed it last.
    doubted: HashMap<AlertId, UtcTime>,
    /// How many were let through.
    passes: u64,
}

#[derive(Debug)]
struct Closed {
    /// Until when nobody tries.
    until: UtcTime,
    /// How long that pause is.
    pause: Duration,
    /// Who tries, by the number of its pass, and since when.
    tried_by: Option<(u64, UtcTime)>,
}

impl Channel {
    /// The number of the pass for a mail that is to be sent at `now`, if one may.
    fn let_through(&mut self, now: UtcTime) -> Option<u64> {
        let pass = self.passes + 1;
        if let Some(closed) = &mut self.closed {
            let is_tried = |(_, since): (u64, UtcTime)| now.since(since) < LONGEST_TRY;
            if closed.tried_by.is_some_and(is_tried) || now < closed.until {
                return None;
            }
            closed.tried_by = Some((pass, now));
        }
        self.passes = pass;
        Some(pass)
    }

    /// It has carried a mail. Nothing else proves that it is open.
    pub fn note_carried(&mut self, now: UtcTime) {
        self.carried_at = Some(now);
        self.closed = None;
    }

    /// This mail was refused as if the way were closed. Whether it is at fault itself: others went out, as far as this
    /// server knows, since it was refused so and the way closed for it. It stays at fault, or it would close the way
    /// for all whenever no other mail went out between two of its tries.
    pub fn note_doubted(&mut self, alert: AlertId, now: UtcTime) -> bool {
        self.doubted.retain(|_, at| now.since(*at) < DOUBT_KEPT);
        let before = self.doubted.get(&alert);
        let is_at_fault =
            before.is_some_and(|before| self.carried_at.is_some_and(|at| at > *before));
        if !is_at_fault {
            self.doubted.insert(alert, now);
        }
        is_at_fault
    }

    /// Nothing more is to be known of this mail.
    pub fn forget(&mut self, alert: AlertId) {
        self.doubted.remove(&alert);
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
/// without having said how the way is, or when a minute has passed, the next may try.
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
            && closed.tried_by.is_some_and(|(by, _)| by == self.number)
        {
            closed.tried_by = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use vigint_core::random::Random;

    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    #[derive(Debug)]
    struct Always(u8);

    impl Random for Always {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(self.0);
        }
    }

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

        fn note_carried(&self, now: UtcTime) {
            self.channel.lock().unwrap().note_carried(now);
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
        way.note_carried(at(1));
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
        way.note_carried(at(now));
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
    fn a_mail_is_at_fault_itself_once_others_went_out_since_it_closed_the_way() {
        let mut channel = Channel::default();
        let [one, another] = [1, 2].map(|byte| AlertId::generate(&Always(byte)));
        channel.note_carried(at(1));
        assert!(!channel.note_doubted(one, at(2)), "who knows by now");
        assert!(!channel.note_doubted(one, at(3)), "nothing went out since");
        channel.note_carried(at(4));
        assert!(!channel.note_doubted(another, at(5)));
        assert!(channel.note_doubted(one, at(5)));
        assert!(channel.note_doubted(one, at(6)), "it stays so");
        assert!(!channel.note_doubted(another, at(6)));
        channel.note_carried(at(7));
        channel.forget(another);
        assert!(!channel.note_doubted(another, at(8)));
        let much_later = 8 + 3 * 24 * 60;
        assert!(!channel.note_doubted(one, at(much_later)));
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
    fn a_try_that_takes_long_leaves_the_next_its_own_and_ends_only_itself() {
        let mut way = Way::default();
        way.close(at(0), MINUTE);
        assert!(way.lets_one_through(at(1)));
        let almost = at(2) - Duration::from_secs(1);
        assert!(!way.lets_one_through(almost));
        assert!(way.lets_one_through(at(2)));
        assert!(!way.lets_one_through(at(2)), "one a minute");
        drop(way.held.remove(0));
        assert!(!way.lets_one_through(at(2)), "the second goes on");
        // Both may find it closed.
        assert_eq!(way.close(at(2), MINUTE), Some(2 * MINUTE));
        assert_eq!(way.close(at(2), MINUTE), None);
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
