//! When a camera is opened again, and what is told of its failures: each kind of reason once, then they are counted.
//!
//! A camera may fail every few seconds for months. Only times and reasons go in; it opens nothing and tells nobody.

use std::collections::VecDeque;
use std::time::Duration;

use crate::backoff::Backoff;

/// Pictures for this long mean that a camera is well: what was before is forgotten.
const HEALTH: Duration = Duration::from_secs(60);
/// The shortest time from the end of a try to the next one.
const SHORTEST_PAUSE: Duration = Duration::from_millis(500);
/// A failure that goes on is told again after this long, with how often it was.
const REMINDER: Duration = Duration::from_secs(3600);
/// Who has failed so often in a row is away, and not only flapping.
const STAYS_AWAY: u32 = 4;
/// So many kinds of reasons are remembered of one camera that is not well.
const MAX_KINDS: usize = 8;

/// What was tried since the camera was last well. Times are of a clock that is never set back.
#[derive(Debug)]
pub(super) struct Restarts {
    backoff: Backoff,
    /// When the running try began.
    tried_at: Duration,
    /// Since when it shows pictures.
    open_since: Option<Duration>,
    /// The kinds of reasons that were told, the one that was heard last at the end.
    told: VecDeque<String>,
    told_at: Duration,
    /// Whether a failure was told since it was open.
    is_told_away: bool,
    /// Failures that nobody was told of, since somebody was.
    untold: u32,
    /// Tries that failed since it was open.
    failed_in_a_row: u32,
    lost: Option<Loss>,
}

/// A camera that was lost and is back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Loss {
    /// When it was lost.
    pub(super) since: Duration,
    /// How often it was tried, the try that did it included.
    pub(super) tries: u32,
}

/// What follows from a failure.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Failure {
    /// How long to wait before the next try.
    pub(super) delay: Duration,
    /// Whether it is to be told, and of how many that were like it nobody was told before.
    pub(super) tell: Option<u32>,
}

impl Restarts {
    /// Nothing was tried yet.
    pub(super) fn new(backoff: Backoff) -> Self {
        Self {
            backoff,
            tried_at: Duration::ZERO,
            open_since: None,
            told: VecDeque::new(),
            told_at: Duration::ZERO,
            is_told_away: false,
            untold: 0,
            failed_in_a_row: 0,
            lost: None,
        }
    }

    /// A try begins.
    pub(super) fn begins(&mut self, now: Duration) {
        self.tried_at = now;
        if let Some(lost) = &mut self.lost {
            lost.tries = lost.tries.saturating_add(1);
        }
    }

    /// Its first picture is there. Gives for how long it was away, unless this is the first time.
    pub(super) fn opened(&mut self, now: Duration) -> Option<Loss> {
        self.open_since = Some(now);
        self.failed_in_a_row = 0;
        self.is_told_away = false;
        self.lost.take()
    }

    /// The try failed, or what it had opened broke.
    pub(super) fn failed(&mut self, now: Duration, reason: &str) -> Failure {
        let was_well = self
            .open_since
            .take()
            .is_some_and(|since| now.saturating_sub(since) >= HEALTH);
        if was_well {
            self.backoff.reset();
            self.told.clear();
            self.untold = 0;
        }
        self.failed_in_a_row = self.failed_in_a_row.saturating_add(1);
        self.lost.get_or_insert(Loss {
            since: now,
            tries: 0,
        });
        // A try that took long has waited already: from one to the next it is never longer than the longest delay.
        let spent = now.saturating_sub(self.tried_at);
        let spent = if was_well { Duration::ZERO } else { spent };
        Failure {
            delay: self
                .backoff
                .next()
                .saturating_sub(spent)
                .max(SHORTEST_PAUSE),
            tell: self.is_to_be_told(now, reason),
        }
    }

    /// One that stays away after it was told to be back is told of sooner: the last word must not be that it is open.
    fn pause_between_telling(&self) -> Duration {
        if self.failed_in_a_row >= STAYS_AWAY && !self.is_told_away {
            HEALTH
        } else {
            REMINDER
        }
    }

    fn is_to_be_told(&mut self, now: Duration, reason: &str) -> Option<u32> {
        if !self.is_new(reason) && now.saturating_sub(self.told_at) < self.pause_between_telling() {
            self.untold = self.untold.saturating_add(1);
            return None;
        }
        self.told_at = now;
        self.is_told_away = true;
        Some(std::mem::take(&mut self.untold))
    }

    /// Whether no reason of this kind is remembered. From now on it is; the one not heard for longest gives way.
    fn is_new(&mut self, reason: &str) -> bool {
        let kind = kind_of(reason);
        let known = self.told.iter().position(|told| *told == kind);
        match known {
            Some(place) => drop(self.told.remove(place)),
            None if self.told.len() >= MAX_KINDS => drop(self.told.pop_front()),
            None => {}
        }
        self.told.push_back(kind);
        known.is_none()
    }
}

/// A reason without the words that hold a figure: rates, sizes, counts, which differ from failure to failure.
fn kind_of(reason: &str) -> String {
    let has_figure = |word: &&str| word.contains(|c: char| c.is_ascii_digit());
    let words = reason.split_whitespace();
    let kind: Vec<&str> = words.filter(|word| !has_figure(word)).collect();
    kind.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    /// A camera that refuses at once, tried for so long: the times of the tries, and what was told.
    fn refusing(restarts: &mut Restarts, until: Duration) -> (Vec<u64>, Vec<u32>) {
        let (mut now, mut tries, mut told) = (Duration::ZERO, Vec::new(), Vec::new());
        while now < until {
            restarts.begins(now);
            tries.push(now.as_secs());
            let failure = restarts.failed(now, "refused");
            told.extend(failure.tell);
            now += failure.delay;
        }
        (tries, told)
    }

    #[test]
    fn a_camera_that_refuses_is_tried_ever_more_rarely_and_told_of_once_an_hour() {
        let mut restarts = Restarts::new(Backoff::of_camera());
        let (tries, told) = refusing(&mut restarts, seconds(2 * 3600));
        assert_eq!(tries[..7], [0, 1, 3, 7, 15, 31, 61]);
        assert_eq!(told[0], 0);
        assert_eq!(told.len(), 2, "{told:?}");
        assert!((115..125).contains(&told[1]), "{told:?}");
        let back = restarts.opened(seconds(7300)).unwrap();
        assert_eq!(back.since, Duration::ZERO);
        assert_eq!(usize::try_from(back.tries).unwrap(), tries.len() - 1);
    }

    #[test]
    fn each_reason_is_told_once_however_they_take_turns() {
        let mut restarts = Restarts::new(Backoff::of_camera());
        let told: Vec<bool> = ["a", "b", "a", "b", "c", "a"]
            .iter()
            .map(|reason| restarts.failed(seconds(1), reason).tell.is_some())
            .collect();
        assert_eq!(told, [true, true, false, false, true, false]);
    }

    #[test]
    fn reasons_that_differ_only_in_figures_are_one() {
        let mut restarts = Restarts::new(Backoff::of_camera());
        let mut is_told = |reason: &str| restarts.failed(seconds(1), reason).tell.is_some();
        assert!(is_told(
            "it shows 0.5 pictures a second, where it used to show 10"
        ));
        assert!(!is_told(
            "it shows 1.2 pictures a second, where it used to show 9"
        ));
        assert!(is_told("its pictures changed from 640x360 to 480x270"));
        assert!(!is_told("its pictures changed from 480x270 to 640x360"));
    }

    #[test]
    fn a_ninth_kind_of_reason_is_told_and_the_one_not_heard_for_longest_forgotten() {
        let mut restarts = Restarts::new(Backoff::of_camera());
        let mut is_told = |reason: char| {
            let failure = restarts.failed(seconds(1), &format!("reason {reason}"));
            failure.tell.is_some()
        };
        assert!(('a'..='h').all(&mut is_told));
        assert!(!is_told('a'));
        assert!(is_told('i'));
        assert!(!is_told('a'));
        assert!(is_told('b'));
        assert_eq!(restarts.told.len(), MAX_KINDS);
    }

    #[test]
    fn only_a_minute_of_pictures_makes_it_begin_anew() {
        let mut restarts = Restarts::new(Backoff::of_camera());
        let mut failed_after = |start: u64, healthy: u64| {
            restarts.begins(seconds(start));
            restarts.opened(seconds(start));
            restarts.failed(seconds(start + healthy), "broke")
        };
        assert_eq!(failed_after(0, 0).delay, seconds(1));
        assert_eq!(failed_after(100, 0).delay, seconds(2));
        assert!(failed_after(200, 0).tell.is_none());
        let anew = failed_after(300, 60);
        assert_eq!((anew.delay, anew.tell), (seconds(1), Some(0)));
    }

    #[test]
    fn a_try_that_took_long_is_followed_sooner() {
        let mut restarts = Restarts::new(Backoff::of_camera());
        for _ in 0..6 {
            restarts.failed(Duration::ZERO, "hangs");
        }
        restarts.begins(seconds(100));
        assert_eq!(restarts.failed(seconds(120), "hangs").delay, seconds(10));
        restarts.begins(seconds(200));
        assert_eq!(restarts.failed(seconds(260), "hangs").delay, SHORTEST_PAUSE);
    }

    #[test]
    fn a_camera_that_is_back_within_the_first_minute_and_then_stays_away_is_told_of_again() {
        let mut restarts = Restarts::new(Backoff::of_camera());
        assert!(restarts.failed(seconds(0), "gone").tell.is_some());
        restarts.opened(seconds(2));
        let told = [3, 5, 9, 17, 33, 62, 92, 122]
            .map(|at| (at, restarts.failed(seconds(at), "gone").tell));
        let told: Vec<_> = told.iter().filter(|(_, tell)| tell.is_some()).collect();
        // When a minute has passed since the last word.
        assert_eq!(told, [&(62, Some(5))]);
    }

    #[test]
    fn a_camera_that_is_back_for_a_moment_and_then_stays_away_is_told_of_again() {
        let mut restarts = Restarts::new(Backoff::of_camera());
        assert!(restarts.failed(seconds(0), "gone").tell.is_some());
        restarts.opened(seconds(70));
        let told: Vec<_> = (0..6)
            .map(|n| restarts.failed(seconds(80 + n * 20), "gone").tell)
            .collect();
        assert_eq!(told, [None, None, None, Some(3), None, None]);
        // Flapping is not staying away.
        for n in 0..100 {
            restarts.opened(seconds(300 + n * 10));
            let failure = restarts.failed(seconds(305 + n * 10), "gone");
            assert_eq!(failure.tell, None);
        }
    }
}
