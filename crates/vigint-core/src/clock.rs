//! Time, and the only place that asks the system for it.
//!
//! Everything inside Vigint is UTC with whole milliseconds ([`UtcTime`]); a client's time zone matters
//! only where a person reads a text. Code that needs the time takes a [`Clock`], so that a test can
//! turn it instead of waiting.

use std::fmt;
use std::sync::Mutex;
use std::time::Duration;

use jiff::Timestamp;
use jiff::fmt::temporal::Pieces;
use serde::de::{Unexpected, Visitor};
use serde::{Deserialize, Serialize};

/// A moment in UTC, kept to the millisecond.
///
/// Written as RFC 3339 with exactly three decimals (`2026-11-22T15:40:03.250Z`), read from any RFC 3339
/// text with an offset.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UtcTime(i64);

/// How a time is written, for people who wrote something else.
pub const WHAT_A_TIME_IS: &str = "a time with its offset, such as 2026-11-22T15:40:00Z";

impl UtcTime {
    /// 1970-01-01T00:00:00Z.
    pub const UNIX_EPOCH: Self = Self(0);

    /// The moment this many milliseconds after 1970 (negative: before). Clamped to the years −9999 to 9999.
    #[must_use]
    pub fn from_unix_millis(millis: i64) -> Self {
        Self(millis.clamp(
            Timestamp::MIN.as_second() * 1000,
            Timestamp::MAX.as_second() * 1000,
        ))
    }

    /// The moment this many seconds after 1970. Clamped like [`Self::from_unix_millis`].
    #[must_use]
    pub fn from_unix_seconds(seconds: i64) -> Self {
        Self::from_unix_millis(seconds.saturating_mul(1000))
    }

    /// Milliseconds since 1970.
    #[must_use]
    pub const fn unix_millis(self) -> i64 {
        self.0
    }

    /// Whole seconds since 1970, rounded down.
    #[must_use]
    pub const fn unix_seconds(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// This moment as jiff knows it, for calendars and time zones.
    #[must_use]
    pub fn timestamp(self) -> Timestamp {
        Timestamp::from_millisecond(self.0).unwrap_or(Timestamp::UNIX_EPOCH)
    }

    /// `self − earlier` in milliseconds; negative when `earlier` is later.
    #[must_use]
    pub const fn millis_since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }

    /// `self − earlier`, zero when `earlier` is later.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.millis_since(earlier)).unwrap_or(0))
    }

    /// This moment moved by milliseconds, clamped to what a time can be.
    #[must_use]
    pub fn plus_millis(self, millis: i64) -> Self {
        Self::from_unix_millis(self.0.saturating_add(millis))
    }
}

impl std::ops::Add<Duration> for UtcTime {
    type Output = Self;
    fn add(self, span: Duration) -> Self {
        self.plus_millis(i64::try_from(span.as_millis()).unwrap_or(i64::MAX))
    }
}

impl std::ops::Sub<Duration> for UtcTime {
    type Output = Self;
    fn sub(self, span: Duration) -> Self {
        self.plus_millis(-i64::try_from(span.as_millis()).unwrap_or(i64::MAX))
    }
}

impl From<Timestamp> for UtcTime {
    /// Rounds down to the millisecond.
    fn from(at: Timestamp) -> Self {
        Self::from_unix_millis(at.as_millisecond())
    }
}

impl fmt::Display for UtcTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.3}", self.timestamp())
    }
}

impl fmt::Debug for UtcTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::str::FromStr for UtcTime {
    type Err = jiff::Error;
    /// A time that a calendar has but jiff cannot hold (the last hours of the year 9999) becomes the last
    /// or first that it can.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.parse::<Timestamp>() {
            Ok(at) => Ok(at.into()),
            Err(error) => beyond_the_ends(text).ok_or(error),
        }
    }
}

/// The end of time that `text` lies beyond, when it is a whole time with an offset.
fn beyond_the_ends(text: &str) -> Option<UtcTime> {
    let pieces = Pieces::parse(text).ok()?;
    let local = pieces.date().to_datetime(pieces.time()?);
    let is_beyond = pieces.to_numeric_offset()?.to_timestamp(local).is_err();
    let end = if local.year() > 0 { i64::MAX } else { i64::MIN };
    is_beyond.then(|| UtcTime::from_unix_millis(end))
}

impl Serialize for UtcTime {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for UtcTime {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;

        impl Visitor<'_> for Text {
            type Value = UtcTime;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(WHAT_A_TIME_IS)
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<UtcTime, E> {
                text.parse()
                    .map_err(|_| E::invalid_value(Unexpected::Str(text), &self))
            }
        }

        deserializer.deserialize_str(Text)
    }
}

/// Who is asked what time it is.
pub trait Clock: Send + Sync + fmt::Debug {
    /// The moment now. May jump when the system's clock is set.
    fn now(&self) -> UtcTime;

    /// Time since some fixed moment; never goes back. For measuring spans.
    fn elapsed(&self) -> Duration;
}

/// The system's clock.
#[derive(Debug)]
pub struct SystemClock {
    start: std::time::Instant,
}

#[allow(
    clippy::disallowed_methods,
    reason = "this is the one place that asks the system"
)]
impl SystemClock {
    /// A clock whose [`Clock::elapsed`] counts from here.
    #[must_use]
    pub fn new() -> Self {
        Self {
            start: std::time::Instant::now(),
        }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

#[allow(
    clippy::disallowed_methods,
    reason = "this is the one place that asks the system"
)]
impl Clock for SystemClock {
    fn now(&self) -> UtcTime {
        Timestamp::now().into()
    }

    fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }
}

/// A clock that stands still until it is turned: for tests.
#[derive(Debug)]
pub struct ManualClock {
    now: Mutex<(UtcTime, Duration)>,
}

impl ManualClock {
    /// A clock that shows `now`.
    #[must_use]
    pub fn new(now: UtcTime) -> Self {
        Self {
            now: Mutex::new((now, Duration::ZERO)),
        }
    }

    /// Turns the clock forward.
    pub fn advance(&self, span: Duration) {
        let mut now = self.lock();
        now.0 = now.0 + span;
        now.1 += span;
    }

    /// Sets the wall clock, as an operator would; [`Clock::elapsed`] goes on as before.
    pub fn set(&self, at: UtcTime) {
        self.lock().0 = at;
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, (UtcTime, Duration)> {
        self.now
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl Clock for ManualClock {
    fn now(&self) -> UtcTime {
        self.lock().0
    }

    fn elapsed(&self) -> Duration {
        self.lock().1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_with_three_decimals_and_read_back() {
        let at = UtcTime::from_unix_millis(1_795_362_003_250);
        assert_eq!(at.to_string(), "2026-11-22T15:40:03.250Z");
        assert_eq!(at.to_string().parse::<UtcTime>().unwrap(), at);
        assert_eq!(
            serde_json::to_string(&UtcTime::UNIX_EPOCH).unwrap(),
            "\"1970-01-01T00:00:00.000Z\""
        );
        let offset: UtcTime = serde_json::from_str("\"2026-11-22T16:40:03.2509+01:00\"").unwrap();
        assert_eq!(offset, at);
    }

    #[test]
    fn the_ends_of_time_are_still_times() {
        let last = UtcTime::from_unix_millis(i64::MAX);
        assert_eq!(last.to_string(), "9999-12-30T22:00:00.000Z");
        assert_eq!(UtcTime::from(Timestamp::MAX), last);
        let first = UtcTime::from_unix_millis(i64::MIN);
        assert!(first.to_string().starts_with("-009999-"), "{first}");
    }

    #[test]
    fn a_time_beyond_the_ends_is_read_as_the_end() {
        let last = UtcTime::from_unix_millis(i64::MAX);
        for beyond in ["9999-12-31T23:59:59Z", "9999-12-31T23:59:59.999-12:00"] {
            assert_eq!(beyond.parse::<UtcTime>().unwrap(), last, "{beyond}");
            let json = format!("\"{beyond}\"");
            assert_eq!(serde_json::from_str::<UtcTime>(&json).unwrap(), last);
        }
    }

    #[test]
    fn a_time_without_its_offset_is_no_moment() {
        for bad in [
            "",
            "yesterday",
            "2026-11-24T21:57:44",
            "2026-11-24",
            "9999-12-31T23:59:59",
        ] {
            assert!(bad.parse::<UtcTime>().is_err(), "{bad}");
        }
        let error = serde_json::from_str::<UtcTime>("5")
            .unwrap_err()
            .to_string();
        assert!(error.contains(WHAT_A_TIME_IS), "{error}");
    }

    #[test]
    fn the_manual_clock_moves_only_when_turned() {
        let clock = ManualClock::new(UtcTime::UNIX_EPOCH);
        clock.advance(Duration::from_millis(1500));
        assert_eq!(clock.now(), UtcTime::from_unix_millis(1500));
        assert_eq!(clock.elapsed(), Duration::from_millis(1500));
        clock.set(UtcTime::UNIX_EPOCH);
        assert_eq!(clock.now(), UtcTime::UNIX_EPOCH);
        assert_eq!(clock.elapsed(), Duration::from_millis(1500));
    }
}
