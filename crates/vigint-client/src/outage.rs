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

/// A server that was busy is told of again when it was not for this long.
const QUIET: Duration = Duration::from_secs(60);

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
    /// The last complaint of a server that is there, and when it was last heard.
    busy: Option<(String, Duration)>,
    told_of_key: bool,
}

struct Lost {
    since: UtcTime,
    frames: BTreeMap<SourceId, u64>,
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

    /// Learns how a request went that was begun at `began`.
    pub(crate) fn learn(&self, began: UtcTime, failure: Option<&ApiError>) {
        match failure {
            Some(error) if error.is_away() => self.is_away(began, error),
            Some(error) => {
                self.is_there();
                if error.may_pass() {
                    self.is_busy(error);
                }
            }
            None => self.is_there(),
        }
    }

    /// Counts frames that had to be given up.
    pub(crate) fn count_lost(&self, source: &SourceId, frames: u64) {
        if let Some(lost) = &mut self.lock().lost {
            *lost.frames.entry(source.clone()).or_default() += frames;
        }
    }

    /// Whether the server cannot be reached.
    pub(crate) fn is_on(&self) -> bool {
        self.lock().lost.is_some()
    }

    /// Waits until a server that was away is back, whoever finds out.
    pub(crate) async fn ends(&self) {
        let mut returns = self.returns.subscribe();
        // The sender lives as long as `self`.
        let _ = returns.changed().await;
    }

    /// Whether this is the first to hear that the key is refused.
    pub(crate) fn is_first_refusal_of_key(&self) -> bool {
        !std::mem::replace(&mut self.lock().told_of_key, true)
    }

    fn is_away(&self, began: UtcTime, error: &ApiError) {
        {
            let mut state = self.lock();
            if state.lost.is_some() {
                return;
            }
            state.lost = Some(Lost {
                since: began,
                frames: BTreeMap::new(),
            });
        }
        (self.events)(Event::ServerLost {
            at: self.clock.now(),
            since: began,
            reason: error.to_string(),
            code: error.code().to_owned(),
        });
    }

    fn is_there(&self) {
        let Some(lost) = self.lock().lost.take() else {
            return;
        };
        (self.events)(Event::ServerBack {
            at: self.clock.now(),
            since: lost.since,
            frames_lost: lost.frames.values().sum(),
            lost_of_source: lost.frames,
        });
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
            self.outage.learn(self.clock.now(), failure);
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

    #[tokio::test]
    async fn whoever_waits_for_the_server_is_woken_when_another_reaches_it() {
        let rig = rig();
        rig.learn(Some(&away()));
        let mut ends = std::pin::pin!(rig.outage.ends());
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        assert!(ends.as_mut().poll(&mut context).is_pending());
        rig.learn(None);
        ends.await;
    }
}
