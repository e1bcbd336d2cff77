//! Whether mails go out at all just now.
//!
//! A login that is refused, or a quota of the day that is spent, is no mail's fault: the way out is closed then for
//! everybody, and after a pause one mail tries whether it is open again. A pure state; its times are given to it.

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
}

#[derive(Debug)]
struct Closed {
    /// Until when nobody tries.
    until: UtcTime,
    /// How long that pause is.
    pause: Duration,
    /// One tries.
    is_tried: bool,
}

impl Channel {
    /// Whether a mail may be sent at `now`. Of a way out that was closed this lets one through, to try it; whoever it
    /// lets through says how that went.
    pub fn lets_one_through(&mut self, now: UtcTime) -> bool {
        match &mut self.closed {
            None => true,
            Some(closed) if closed.is_tried || now < closed.until => false,
            Some(closed) => {
                closed.is_tried = true;
                true
            }
        }
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

    /// A try said neither that it is open nor that it is closed, or was not made: the next may try.
    pub fn note_untried(&mut self) {
        if let Some(closed) = &mut self.closed {
            closed.is_tried = false;
        }
    }

    /// It is closed; `pause` is how long to wait before it is tried. Closed again, it waits twice as long as before,
    /// up to half an hour, or `pause` if that is longer. How long it waits; none when another mail has closed it
    /// already, at the same time as this one.
    pub fn close(&mut self, now: UtcTime, pause: Duration) -> Option<Duration> {
        let pause = match &self.closed {
            None => pause,
            Some(closed) if closed.is_tried => {
                pause.max(closed.pause.saturating_mul(2).min(LONGEST_PAUSE))
            }
            Some(_) => return None,
        };
        self.closed = Some(Closed {
            until: now + pause,
            pause,
            is_tried: false,
        });
        Some(pause)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    fn at(minutes: i64) -> UtcTime {
        UtcTime::from_unix_seconds(minutes * 60)
    }

    #[test]
    fn closed_it_lets_one_through_after_its_pause_and_all_once_that_one_came_through() {
        let mut channel = Channel::default();
        assert!(channel.lets_one_through(at(0)) && channel.lets_one_through(at(0)));
        assert_eq!(channel.close(at(0), MINUTE), Some(MINUTE));
        assert!(!channel.lets_one_through(at(0)));
        assert!(channel.lets_one_through(at(1)));
        assert!(!channel.lets_one_through(at(1)), "one is enough to try it");
        channel.note_open();
        assert!(channel.lets_one_through(at(1)) && channel.lets_one_through(at(1)));
    }

    #[test]
    fn pauses_double_up_to_half_an_hour_and_begin_anew_once_it_was_open() {
        let mut channel = Channel::default();
        let mut minutes = Vec::new();
        let mut now = 0;
        for _ in 0..8 {
            assert!(channel.lets_one_through(at(now)));
            let pause = channel.close(at(now), MINUTE).unwrap().as_secs() / 60;
            minutes.push(pause);
            now += i64::try_from(pause).unwrap();
        }
        assert_eq!(minutes, [1, 2, 4, 8, 16, 30, 30, 30]);
        channel.note_open();
        assert_eq!(channel.close(at(now), MINUTE), Some(MINUTE));
    }

    #[test]
    fn a_longer_pause_that_the_server_asks_for_is_kept() {
        let mut channel = Channel::default();
        channel.close(at(0), 60 * MINUTE);
        assert!(channel.lets_one_through(at(60)));
        assert_eq!(channel.close(at(60), 60 * MINUTE), Some(60 * MINUTE));
    }

    #[test]
    fn mails_that_meet_the_same_closed_door_close_it_once() {
        let mut channel = Channel::default();
        assert!(channel.close(at(0), MINUTE).is_some());
        assert_eq!(channel.close(at(0), MINUTE), None);
        assert!(channel.lets_one_through(at(1)));
    }

    #[test]
    fn a_try_that_was_not_made_leaves_the_try_to_the_next() {
        let mut channel = Channel::default();
        channel.close(at(0), MINUTE);
        assert!(channel.lets_one_through(at(1)));
        channel.note_untried();
        assert!(channel.lets_one_through(at(1)));
    }
}
