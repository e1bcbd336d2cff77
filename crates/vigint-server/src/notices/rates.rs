//! Whether a key is used ten times as much as usual.
//!
//! Usual is the mean of the minutes in which the key was used, over a week. Not the median: a shop's key idles
//! through most minutes of a night and works through the day, and each morning would be ten times the median. What
//! the mean gives away, that a thief's own minutes raise it, takes hours; the first full minute tells.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;
use vigint_core::clock::UtcTime;
use vigint_core::ids::KeyId;
use vigint_db::usage::{BusyKey, MinutesUsed};
use vigint_db::{DbError, Operator};

use super::notice::{Notice, NoticeKind, NoticedKey};
use super::service::Notices;
use super::tell::QUIET;

const MINUTE: Duration = Duration::from_secs(60);
/// So long after its end a minute is written down, by every server.
const SETTLING: Duration = Duration::from_secs(5);
/// How far back usual reaches.
const HISTORY: Duration = Duration::from_secs(7 * 24 * 3600);
/// A key that was used in fewer minutes has no usual rate yet.
const FEWEST_MINUTES: i64 = 60;
/// Below so many requests a minute nothing is unusual: one camera sends as many.
const FLOOR: i64 = 600;
/// How many times the usual rate is unusual.
const FACTOR: i64 = 10;
/// A usual rate is asked for again after this.
const KEPT: Duration = Duration::from_secs(3600);

const OPERATOR: Operator = Operator::named("rate watch");

/// Looks at each minute once it is over.
pub struct RateWatch {
    notices: Arc<Notices>,
    seen: Mutex<Seen>,
}

#[derive(Default)]
struct Seen {
    /// The last minute looked at.
    minute: Option<UtcTime>,
    /// Of the keys that were busy within the hour: no more than there are keys.
    usual: HashMap<KeyId, Usual>,
    /// When what was told long ago was last forgotten.
    forgot_at: Option<UtcTime>,
}

#[derive(Clone, Copy)]
struct Usual {
    used: MinutesUsed,
    asked_at: UtcTime,
}

impl RateWatch {
    /// A watch that tells through these notices.
    #[must_use]
    pub fn new(notices: Arc<Notices>) -> Self {
        Self {
            notices,
            seen: Mutex::default(),
        }
    }

    /// Looks at the last minute that is over and written down, unless it has. To be called every few seconds: it
    /// costs one query a minute, and one a busy key and hour.
    ///
    /// # Errors
    /// When the database fails: the next call looks at that minute again.
    pub async fn look(&self) -> Result<(), DbError> {
        let now = self.notices.now();
        let minute = last_full_minute(now - SETTLING);
        let mut seen = self.seen.lock().await;
        if seen.minute == Some(minute) {
            return Ok(());
        }
        let busy = self
            .notices
            .database()
            .read(move |conn| vigint_db::usage::busy_keys(conn, &OPERATOR, minute, FLOOR))
            .await?;
        for key in busy {
            self.judge(&mut seen, key, minute).await?;
        }
        seen.usual
            .retain(|_, usual| minute.since(usual.asked_at) < KEPT);
        seen.minute = Some(minute);
        self.forget_told(&mut seen, now).await
    }

    async fn judge(&self, seen: &mut Seen, key: BusyKey, minute: UtcTime) -> Result<(), DbError> {
        let used = self.usual(seen, &key, minute).await?;
        if !is_unusual(key.requests, used) {
            return Ok(());
        }
        self.notices.count(NoticeKind::UnusualRate, 1);
        let notice = Notice::UnusualRate {
            key: NoticedKey {
                id: key.key_id,
                prefix: key.prefix,
            },
            minute,
            requests: key.requests,
            usual: mean(used),
        };
        self.notices.tell(notice, Some(key.tenant)).await.map(drop)
    }

    /// What the key did before the minute in question.
    async fn usual(
        &self,
        seen: &mut Seen,
        key: &BusyKey,
        minute: UtcTime,
    ) -> Result<MinutesUsed, DbError> {
        let kept = seen.usual.get(&key.key_id);
        if let Some(usual) = kept.filter(|usual| is_fresh(usual.asked_at, minute)) {
            return Ok(usual.used);
        }
        let (tenant, id) = (key.tenant.clone(), key.key_id);
        let used = self
            .notices
            .database()
            .read(move |conn| {
                vigint_db::usage::minutes_used(conn, &tenant, id, minute - HISTORY, minute)
            })
            .await?;
        let asked_at = minute;
        seen.usual.insert(id, Usual { used, asked_at });
        Ok(used)
    }

    /// Addresses come and go: what says no more than that one was told of does not stay.
    async fn forget_told(&self, seen: &mut Seen, now: UtcTime) -> Result<(), DbError> {
        if seen.forgot_at.is_some_and(|at| is_fresh(at, now)) {
            return Ok(());
        }
        self.notices
            .database()
            .write(move |conn| vigint_db::notices::forget(conn, &OPERATOR, now - QUIET))
            .await?;
        seen.forgot_at = Some(now);
        Ok(())
    }
}

/// Within the hour; not when the clock was set back.
fn is_fresh(asked_at: UtcTime, now: UtcTime) -> bool {
    asked_at <= now && now.since(asked_at) < KEPT
}

fn last_full_minute(now: UtcTime) -> UtcTime {
    let millis = i64::try_from(MINUTE.as_millis()).unwrap_or(i64::MAX);
    let current = now.unix_millis().div_euclid(millis);
    UtcTime::from_unix_millis(current.saturating_sub(1).saturating_mul(millis))
}

fn is_unusual(requests: i64, usual: MinutesUsed) -> bool {
    let is_known = usual.minutes >= FEWEST_MINUTES;
    let all_as_fast = i128::from(requests) * i128::from(usual.minutes);
    is_known && requests >= FLOOR && all_as_fast >= i128::from(FACTOR) * i128::from(usual.requests)
}

/// Rounded up: a key that is used makes at least one.
fn mean(usual: MinutesUsed) -> i64 {
    let minutes = usual.minutes.max(1);
    usual.requests.saturating_add(minutes - 1) / minutes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usual(minutes: i64, a_minute: i64) -> MinutesUsed {
        MinutesUsed {
            minutes,
            requests: minutes * a_minute,
        }
    }

    #[test]
    fn ten_times_the_usual_rate_is_unusual_and_less_is_not() {
        assert!(is_unusual(6000, usual(100, 600)));
        assert!(!is_unusual(5999, usual(100, 600)));
    }

    #[test]
    fn small_numbers_are_no_alarm() {
        assert!(!is_unusual(599, usual(100, 1)));
        assert!(is_unusual(600, usual(100, 1)));
    }

    #[test]
    fn without_an_hour_of_history_nothing_is_usual() {
        assert!(!is_unusual(6000, usual(59, 1)));
        assert!(is_unusual(6000, usual(60, 1)));
        assert!(!is_unusual(6000, usual(0, 0)));
    }

    #[test]
    fn quiet_nights_do_not_make_the_day_unusual() {
        // A week of nights at one request a minute and of days at 600.
        let week = MinutesUsed {
            minutes: 7 * 24 * 60,
            requests: 7 * 60 * (14 + 10 * 600),
        };
        assert!(!is_unusual(1800, week), "three cameras instead of one");
        assert!(is_unusual(6000, week));
    }

    #[test]
    fn a_minute_is_looked_at_once_it_is_over() {
        let at = |millis| UtcTime::from_unix_millis(millis);
        assert_eq!(last_full_minute(at(119_999)), at(0));
        assert_eq!(last_full_minute(at(120_000)), at(60_000));
        assert_eq!(last_full_minute(at(-1)), at(-120_000));
    }

    #[test]
    fn the_mean_of_a_key_in_use_is_never_zero() {
        assert_eq!(mean(usual(100, 0)), 0);
        assert_eq!(
            mean(MinutesUsed {
                minutes: 60,
                requests: 61
            }),
            2
        );
    }
}
