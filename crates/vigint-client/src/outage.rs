//! What all sessions of one analyzer know of the server together: whether it can be reached, since when not, and
//! what was lost meanwhile. Each change is told once, of the server and not of every camera.
//!
//! It must not know how the server is asked, nor where frames wait.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use vigint_core::clock::{Clock, UtcTime};
use vigint_core::ids::SourceId;

use crate::event::{Event, EventSink};
use crate::uplink::ApiError;

/// A server that was busy, or away for a moment, is told of again when it was not for this long.
pub(crate) const QUIET: Duration = Duration::from_secs(60);
/// One that was away for less was so for a moment.
const MOMENT: Duration = Duration::from_secs(5);
/// Moments that go on are told again after this long, with how many they were.
const REMINDER: Duration = Duration::from_secs(3600);

/// Frames that were given up, of each source that lost any.
type FramesLost = BTreeMap<SourceId, u64>;

/// When a request was begun, by the wall's clock and by the one that never goes back.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Began {
    at: UtcTime,
    elapsed: Duration,
}

/// The server as the sessions see it.
pub(crate) struct Outage {
    clock: Arc<dyn Clock>,
    events: EventSink,
    state: Mutex<State>,
    /// How often it has come back.
    returns: watch::Sender<u64>,
}

#[derive(Default)]
struct State {
    /// While it cannot be reached.
    lost: Option<Lost>,
    /// When it last answered anybody, as [`Clock::elapsed`].
    answered: Option<Duration>,
    /// Given up of each source since the server last answered it. That it is away may be known only half a minute
    /// after it was.
    frames_lost: FramesLost,
    moments: Moments,
    /// The last complaint of a server that is there, and when it was last heard.
    busy: Option<(String, Duration)>,
    /// Of each source whose analyses find no server: how many of its frames were taken when that began. Nothing once
    /// it was told.
    unanalysed: BTreeMap<SourceId, Option<u64>>,
    users: usize,
    told_of_key: bool,
}

struct Lost {
    since: UtcTime,
    is_told: bool,
}

/// Absences that were over in a moment. Times are of [`Clock::elapsed`].
#[derive(Default)]
struct Moments {
    last: Option<Duration>,
    told: Option<Duration>,
    /// Since one was told: how many, and what was lost in them.
    untold: u32,
    frames_lost: FramesLost,
}

impl Moments {
    /// Whether one more is no news.
    fn go_on(&self, now: Duration) -> bool {
        let is_within =
            |at: Option<Duration>, span| at.is_some_and(|at| now.saturating_sub(at) < span);
        is_within(self.last, QUIET) && is_within(self.told, REMINDER)
    }
}

/// Somebody who sends to the server.
pub(crate) struct User<'o>(&'o Outage);

impl Drop for User<'_> {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.users = state.users.saturating_sub(1);
    }
}

impl Outage {
    /// Nothing is known yet.
    pub(crate) fn new(clock: Arc<dyn Clock>, events: EventSink) -> Self {
        Self {
            clock,
            events,
            state: Mutex::default(),
            returns: watch::Sender::new(0),
        }
    }

    /// Somebody begins to send. After a time when nobody did, a refused key is told anew.
    pub(crate) fn begin(&self) -> User<'_> {
        let mut state = self.lock();
        if state.users == 0 {
            state.told_of_key = false;
        }
        state.users += 1;
        User(self)
    }

    /// A request is begun now.
    pub(crate) fn request_begins(&self) -> Began {
        Began {
            at: self.clock.now(),
            elapsed: self.clock.elapsed(),
        }
    }

    /// Learns how a request of a source went that was begun at `began`. Whether the server is away is handed to `note`
    /// before anybody can learn otherwise. That a request found no server while another, which ended later than it
    /// began, found it says nothing of the server.
    pub(crate) fn learn(
        &self,
        source: &SourceId,
        began: Began,
        failure: Option<&ApiError>,
        note: impl FnOnce(bool),
    ) {
        match failure {
            Some(error) if error.is_away() => self.is_away(began, error, note),
            Some(error) => {
                self.is_there(source, note);
                if error.may_pass() {
                    self.is_busy(error);
                }
            }
            None => self.is_there(source, note),
        }
    }

    /// Counts frames that had to be given up.
    pub(crate) fn count_lost(&self, source: &SourceId, frames: u64) {
        *self.lock().frames_lost.entry(source.clone()).or_default() += frames;
    }

    /// Whether the server cannot be reached.
    pub(crate) fn is_on(&self) -> bool {
        self.lock().lost.is_some()
    }

    /// How often a server that was away has come back, whoever found out. Who asks before a request misses none.
    pub(crate) fn returns(&self) -> watch::Receiver<u64> {
        self.returns.subscribe()
    }

    /// Whether this is the first to hear that the key is refused.
    pub(crate) fn is_first_refusal_of_key(&self) -> bool {
        !std::mem::replace(&mut self.lock().told_of_key, true)
    }

    /// Learns that an analysis found no server, or one that `is_late`, when `sent` frames of its source were taken.
    /// Whether that is to be told: once frames have passed since the first time, it is about analyses and not about
    /// the server; one that is late is there while frames find it.
    pub(crate) fn stops_analyses_only(&self, source: &SourceId, sent: u64, is_late: bool) -> bool {
        let mut state = self.lock();
        if state.lost.is_some() {
            return false;
        }
        let since = state.unanalysed.entry(source.clone()).or_insert(Some(sent));
        let is_news = since.is_some_and(|since| is_late || sent > since);
        if is_news {
            *since = None;
        }
        is_news
    }

    /// Learns that an analysis found the server.
    pub(crate) fn lets_analyses_pass(&self, source: &SourceId) {
        self.lock().unanalysed.remove(source);
    }

    fn is_away(&self, began: Began, error: &ApiError, note: impl FnOnce(bool)) {
        let (at, now) = (self.clock.now(), self.clock.elapsed());
        let (since, untold) = {
            let mut state = self.lock();
            if state
                .answered
                .is_some_and(|answered| answered > began.elapsed)
            {
                return;
            }
            let State { lost, moments, .. } = &mut *state;
            let lost = lost.get_or_insert(Lost {
                since: began.at,
                is_told: false,
            });
            note(true);
            let is_no_news = moments.go_on(now) && at.since(lost.since) < MOMENT;
            if lost.is_told || is_no_news {
                return;
            }
            lost.is_told = true;
            (lost.since, std::mem::take(&mut moments.untold))
        };
        let mut reason = error.to_string();
        if untold > 0 {
            reason.push_str(&format!(
                " (and was lost for a moment {untold} times since that was last told)"
            ));
        }
        (self.events)(Event::ServerLost {
            at,
            since,
            reason,
            code: error.code().to_owned(),
        });
    }

    fn is_there(&self, source: &SourceId, note: impl FnOnce(bool)) {
        let (at, now) = (self.clock.now(), self.clock.elapsed());
        let back = {
            let mut state = self.lock();
            note(false);
            state.answered = Some(now);
            let Some(lost) = state.lost.take() else {
                state.frames_lost.remove(source);
                return;
            };
            // That analyses found no server is explained.
            state.unanalysed.retain(|_, since| since.is_none());
            let frames = std::mem::take(&mut state.frames_lost);
            let moments = &mut state.moments;
            for (source, frames) in frames {
                *moments.frames_lost.entry(source).or_default() += frames;
            }
            if !lost.is_told || at.since(lost.since) < MOMENT {
                moments.last = Some(now);
            }
            if lost.is_told {
                moments.told = Some(now);
                Some((lost.since, std::mem::take(&mut moments.frames_lost)))
            } else {
                moments.untold = moments.untold.saturating_add(1);
                None
            }
        };
        if let Some((since, lost_of_source)) = back {
            (self.events)(Event::ServerBack {
                at,
                since,
                frames_lost: lost_of_source.values().sum(),
                lost_of_source,
            });
        }
        self.returns.send_modify(|returns| *returns += 1);
    }

    fn is_busy(&self, error: &ApiError) {
        let now = self.clock.elapsed();
        let said = error.code().to_owned();
        {
            let mut state = self.lock();
            let before = state.busy.replace((said.clone(), now));
            if before.is_some_and(|(code, at)| code == said && now.saturating_sub(at) < QUIET) {
                return;
            }
        }
        (self.events)(Event::Error {
            at: self.clock.now(),
            source_id: None,
            code: said,
            message: format!("{error}; trying again"),
        });
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use vigint_core::clock::ManualClock;

    use super::*;

    struct Rig {
        clock: Arc<ManualClock>,
        outage: Outage,
        told: Arc<Mutex<Vec<Event>>>,
    }

    fn rig() -> Rig {
        let clock = Arc::new(ManualClock::new(UtcTime::from_unix_seconds(1000)));
        let told: Arc<Mutex<Vec<Event>>> = Arc::default();
        let listener = Arc::clone(&told);
        let events: EventSink = Arc::new(move |event| listener.lock().unwrap().push(event));
        Rig {
            outage: Outage::new(Arc::clone(&clock) as _, events),
            clock,
            told,
        }
    }

    impl Rig {
        fn learn(&self, failure: Option<&ApiError>) {
            self.learn_of("till", failure);
        }

        fn learn_of(&self, source: &str, failure: Option<&ApiError>) {
            let source = source.parse().unwrap();
            self.outage
                .learn(&source, self.outage.request_begins(), failure, |_| {});
        }

        fn told(&self) -> String {
            serde_json::to_string(&std::mem::take(&mut *self.told.lock().unwrap())).unwrap()
        }
    }

    fn away() -> ApiError {
        ApiError::Unreachable {
            server: "http://s".into(),
            reason: "Connection refused".into(),
        }
    }

    fn busy(status: u16, code: &str) -> ApiError {
        ApiError::Busy {
            status,
            code: Some(code.into()),
            message: "full".into(),
            retry_after: None,
        }
    }

    #[test]
    fn a_server_that_is_lost_is_told_of_once_and_once_when_it_is_back_with_what_was_lost() {
        let rig = rig();
        let (till, door) = ("till".parse().unwrap(), "door".parse().unwrap());
        rig.outage.count_lost(&till, 7);
        rig.learn(None);
        assert_eq!(rig.told(), "[]");
        for _ in 0..3 {
            rig.learn(Some(&away()));
            rig.clock.advance(Duration::from_secs(10));
        }
        let told = rig.told();
        assert_eq!(told.matches("server_lost").count(), 1, "{told}");
        assert!(
            told.contains(r#""since":"1970-01-01T00:16:40.000Z""#)
                && told.contains("Connection refused")
                && told.contains(r#""code":"server_unreachable""#),
            "{told}"
        );
        assert!(rig.outage.is_on());
        rig.outage.count_lost(&till, 30);
        rig.outage.count_lost(&door, 4);
        rig.outage.count_lost(&till, 1);
        rig.learn(None);
        rig.learn(None);
        let told = rig.told();
        assert_eq!(told.matches("server_back").count(), 1, "{told}");
        assert!(
            told.contains(
                r#""at":"1970-01-01T00:17:10.000Z","since":"1970-01-01T00:16:40.000Z","frames_lost":35,"lost_of_source":{"door":4,"till":31}"#
            ),
            "{told}"
        );
        assert!(!rig.outage.is_on());
    }

    #[test]
    fn a_server_that_refuses_a_frame_is_there_and_a_proxy_without_one_behind_it_is_not() {
        let rig = rig();
        let proxy = ApiError::Busy {
            status: 502,
            code: None,
            message: String::new(),
            retry_after: None,
        };
        rig.learn(Some(&proxy));
        assert!(rig.outage.is_on());
        let refused = ApiError::Refused {
            status: 422,
            code: None,
            message: "no JPEG".into(),
        };
        rig.learn(Some(&refused));
        assert!(!rig.outage.is_on());
    }

    #[test]
    fn a_busy_server_is_told_of_once_for_as_long_as_it_is() {
        let rig = rig();
        for _ in 0..10 {
            rig.learn(Some(&busy(429, "rate_limited")));
            rig.learn(None);
            rig.clock.advance(Duration::from_secs(50));
        }
        assert_eq!(rig.told().matches("rate_limited").count(), 1);
        rig.learn(Some(&busy(503, "busy")));
        assert_eq!(rig.told().matches(r#""code":"busy""#).count(), 1);
        rig.clock.advance(Duration::from_secs(60));
        rig.learn(Some(&busy(503, "busy")));
        assert_eq!(rig.told().matches(r#""code":"busy""#).count(), 1);
        assert!(!rig.outage.is_on());
    }

    #[test]
    fn frames_given_up_before_the_loss_was_known_are_told_and_those_before_the_last_answer_not() {
        let rig = rig();
        let (till, door) = ("till".parse().unwrap(), "door".parse().unwrap());
        rig.outage.count_lost(&till, 5);
        rig.outage.count_lost(&door, 3);
        rig.learn(None);
        // The answer that never comes is waited for.
        let began = rig.outage.request_begins();
        rig.outage.count_lost(&till, 200);
        rig.clock.advance(Duration::from_secs(30));
        rig.outage.learn(&till, began, Some(&away()), |_| {});
        rig.outage.count_lost(&till, 40);
        rig.learn(None);
        let told = rig.told();
        assert!(
            told.contains(r#""frames_lost":243,"lost_of_source":{"door":3,"till":240}"#),
            "{told}"
        );
    }

    #[test]
    fn what_is_lost_for_a_moment_again_and_again_is_told_once_and_counted_until_it_is_told_again() {
        let rig = rig();
        let till = "till".parse().unwrap();
        let moment = |frames| {
            rig.learn(Some(&away()));
            assert!(rig.outage.is_on());
            rig.clock.advance(Duration::from_secs(1));
            rig.outage.count_lost(&till, frames);
            rig.learn(None);
            rig.clock.advance(Duration::from_secs(20));
        };
        moment(1);
        let told = rig.told();
        assert!(
            told.contains("server_lost") && told.contains("server_back"),
            "{told}"
        );
        for _ in 0..4 {
            moment(2);
        }
        assert_eq!(rig.told(), "[]");
        // One that lasts is told although it began like them.
        rig.learn(Some(&away()));
        assert_eq!(rig.told(), "[]");
        rig.clock.advance(MOMENT);
        rig.learn(Some(&away()));
        let told = rig.told();
        assert!(told.contains("for a moment 4 times"), "{told}");
        rig.learn(None);
        let told = rig.told();
        assert!(told.contains(r#""frames_lost":8"#), "{told}");
        rig.clock.advance(QUIET);
        moment(0);
        assert_eq!(rig.told().matches("server_lost").count(), 1);
        let started = rig.clock.elapsed();
        while rig.clock.elapsed() - started < REMINDER {
            moment(0);
        }
        assert_eq!(
            rig.told().matches("server_lost").count(),
            1,
            "an hour later"
        );
    }

    #[test]
    fn a_request_that_hangs_while_others_are_answered_says_nothing_of_the_server() {
        let rig = rig();
        let till = "till".parse().unwrap();
        let began = rig.outage.request_begins();
        rig.clock.advance(Duration::from_secs(30));
        rig.learn_of("door", None);
        let unheard = |_| panic!("no queue is to learn that the server is away");
        rig.outage.learn(&till, began, Some(&away()), unheard);
        assert!(!rig.outage.is_on() && rig.told() == "[]");
        // The clock on the wall may be set back: what is begun now is begun later all the same.
        rig.clock.set(UtcTime::from_unix_seconds(10));
        rig.learn(Some(&away()));
        assert!(rig.outage.is_on());
    }

    #[test]
    fn whether_it_is_away_is_noted_with_each_answer() {
        let rig = rig();
        let till = "till".parse().unwrap();
        for failure in [Some(&away()), None] {
            let mut noted = None;
            let note = |is_away| noted = Some(is_away);
            rig.outage
                .learn(&till, rig.outage.request_begins(), failure, note);
            assert_eq!(noted, Some(failure.is_some()));
        }
    }

    #[test]
    fn analyses_that_find_no_server_are_told_once_when_frames_find_it() {
        let rig = rig();
        let till = "till".parse().unwrap();
        let is_told = |sent| rig.outage.stops_analyses_only(&till, sent, false);
        let is_told_late = |sent| rig.outage.stops_analyses_only(&till, sent, true);
        assert_eq!([10, 10, 40, 70].map(is_told), [false, false, true, false]);
        assert!(!is_told_late(80));
        rig.outage.lets_analyses_pass(&till);
        assert!(!is_told(80), "the first");
        rig.learn(Some(&away()));
        assert!(!is_told(90) && !is_told_late(90));
        rig.learn(None);
        assert!(!is_told(100), "the first since it is back");
        assert!(is_told_late(100) && !is_told_late(110));
    }

    #[test]
    fn a_refused_key_is_told_once_for_all_that_run_at_once_and_again_when_they_are_run_again() {
        let rig = rig();
        for _ in 0..2 {
            let users = [rig.outage.begin(), rig.outage.begin()];
            let told = [0; 3].map(|_| rig.outage.is_first_refusal_of_key());
            assert_eq!(told, [true, false, false]);
            drop(users);
        }
    }

    #[tokio::test]
    async fn whoever_waits_for_the_server_is_woken_when_another_reaches_it() {
        let rig = rig();
        let mut returns = rig.outage.returns();
        rig.learn(Some(&away()));
        {
            let mut returned = std::pin::pin!(returns.changed());
            let mut context = std::task::Context::from_waker(std::task::Waker::noop());
            assert!(returned.as_mut().poll(&mut context).is_pending());
        }
        // It comes back before anybody waits.
        rig.learn(None);
        returns.changed().await.unwrap();
    }
}
