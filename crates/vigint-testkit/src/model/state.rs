//! What the threads of a stand-in share: what was asked, what is to be answered, whether it stops.

use std::collections::{BTreeMap, VecDeque};
use std::net::{Shutdown, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::answer::Answer;
use super::gate::Latch;
use super::options::StandInOptions;
use super::request::{Call, ModelRequest};
use super::script::{Decide, Scripts};

/// What a kept request is taken to hold beside its body.
const REQUEST_OVERHEAD: usize = 4096;
/// More connections at once are closed unread.
const MAX_CONNECTIONS: usize = 4096;

pub(super) struct Shared {
    pub(super) options: StandInOptions,
    state: Mutex<State>,
    /// A request came, a gate opened, the stand-in stops.
    changed: Condvar,
}

#[derive(Default)]
pub(super) struct State {
    stops: bool,
    connections: BTreeMap<u64, TcpStream>,
    pub(super) scripts: Scripts,
    /// Requests for an answer.
    pub(super) asked: Record,
    /// All others.
    pub(super) others: Record,
}

/// A request taken in, and who answers it.
pub(super) struct Turn {
    pub(super) request: Arc<ModelRequest>,
    /// How many of its kind came before it.
    pub(super) number: usize,
    /// Always none when it was refused.
    pub(super) scripted: Option<Answer>,
    pub(super) fallback: Decide,
}

impl Shared {
    pub(super) fn new(options: StandInOptions) -> Self {
        Self {
            options,
            state: Mutex::default(),
            changed: Condvar::new(),
        }
    }

    /// Nothing but plain changes is done under the lock: a thread that panicked left it whole.
    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes a connection, so that [`Self::stop`] ends it. False when it must not be served.
    pub(super) fn open_connection(&self, number: u64, stream: TcpStream) -> bool {
        let mut state = self.lock();
        let is_served = !state.stops && state.connections.len() < MAX_CONNECTIONS;
        if is_served {
            state.connections.insert(number, stream);
        }
        is_served
    }

    pub(super) fn close_connection(&self, number: u64) {
        self.lock().connections.remove(&number);
    }

    /// Keeps a request and takes its answer, both at once: scripts are used up in the order of the record.
    pub(super) fn take_turn(&self, request: ModelRequest) -> Turn {
        let request = Arc::new(request);
        let mut state = self.lock();
        let record = match request.call {
            Call::Generate => &mut state.asked,
            Call::ListModels | Call::Unknown => &mut state.others,
        };
        let number = record.seen;
        record.push(&request, self.options.kept_bytes);
        let is_refused = request.refused.is_some();
        let turn = Turn {
            number,
            scripted: (!is_refused)
                .then(|| state.scripts.next(&request))
                .flatten(),
            fallback: Arc::clone(&state.scripts.fallback),
            request,
        };
        drop(state);
        self.changed.notify_all();
        turn
    }

    /// Waits until so many requests for an answer have come. False when they did not come within `limit`.
    pub(super) fn wait_for_requests(&self, count: usize, limit: Duration) -> bool {
        self.wait_while(limit, |state| state.asked.seen < count)
    }

    /// Lets time pass. False when the stand-in stops meanwhile.
    pub(super) fn wait_out(&self, delay: Duration) -> bool {
        !self.wait_while(delay, |state| !state.stops)
    }

    /// Waits until it is open. False when the stand-in stops first.
    pub(super) fn wait_for(&self, latch: &Latch) -> bool {
        let closed = |state: &mut State| !state.stops && !latch.is_open();
        let state = self.changed.wait_while(self.lock(), closed);
        !state.unwrap_or_else(PoisonError::into_inner).stops
    }

    pub(super) fn open(&self, latch: &Latch) {
        // Under the lock: nobody is then between looking at the latch and going to wait.
        let state = self.lock();
        latch.set_open();
        drop(state);
        self.changed.notify_all();
    }

    /// Ends all connections and all waiting.
    pub(super) fn stop(&self) {
        let mut state = self.lock();
        state.stops = true;
        for stream in state.connections.values() {
            // It may have ended by itself.
            drop(stream.shutdown(Shutdown::Both));
        }
        drop(state);
        self.changed.notify_all();
    }

    pub(super) fn stops(&self) -> bool {
        self.lock().stops
    }

    /// Waits while this holds, at most for `limit`. Whether it came to hold no longer.
    fn wait_while(&self, limit: Duration, holds: impl Fn(&State) -> bool) -> bool {
        let waited = self
            .changed
            .wait_timeout_while(self.lock(), limit, |state| holds(state));
        let (state, outcome) = waited.unwrap_or_else(PoisonError::into_inner);
        drop(state);
        !outcome.timed_out()
    }
}

/// Requests in the order they came, as many as may be kept.
#[derive(Default)]
pub(super) struct Record {
    seen: usize,
    kept: VecDeque<Arc<ModelRequest>>,
    bytes: usize,
}

impl Record {
    /// How many came, kept or not.
    pub(super) const fn seen(&self) -> usize {
        self.seen
    }

    pub(super) fn kept(&self) -> Vec<Arc<ModelRequest>> {
        self.kept.iter().cloned().collect()
    }

    fn push(&mut self, request: &Arc<ModelRequest>, limit: usize) {
        self.seen += 1;
        self.bytes += weight(request);
        self.kept.push_back(Arc::clone(request));
        while self.bytes > limit
            && let Some(oldest) = self.kept.pop_front()
        {
            self.bytes -= weight(&oldest);
        }
    }
}

/// A body is kept as it came, parsed, and with its pictures decoded.
fn weight(request: &ModelRequest) -> usize {
    3 * request.body.len() + REQUEST_OVERHEAD
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(number: u64, body: usize) -> ModelRequest {
        ModelRequest {
            connection: number,
            body: vec![0; body],
            ..ModelRequest::default()
        }
    }

    #[test]
    fn the_oldest_requests_are_forgotten_beyond_the_limit() {
        let shared = Shared::new(StandInOptions {
            kept_bytes: 2 * (3 * 1000 + REQUEST_OVERHEAD),
            ..StandInOptions::default()
        });
        let numbers = (0..5).map(|number| shared.take_turn(request(number, 1000)).number);
        assert_eq!(numbers.collect::<Vec<_>>(), [0, 1, 2, 3, 4]);
        let kept = |shared: &Shared| {
            let kept = shared.lock().asked.kept();
            kept.iter()
                .map(|request| request.connection)
                .collect::<Vec<_>>()
        };
        assert_eq!(kept(&shared), [3, 4]);
        shared.take_turn(request(5, 1 << 20));
        assert!(kept(&shared).is_empty(), "too large to be kept at all");
        shared.take_turn(request(6, 0));
        assert_eq!(kept(&shared), [6]);
        assert_eq!(shared.lock().asked.seen(), 7);
    }

    #[test]
    fn stopping_ends_all_waiting() {
        let shared = Arc::new(Shared::new(StandInOptions::default()));
        let waits = |wait: fn(&Shared) -> bool| {
            let shared = Arc::clone(&shared);
            std::thread::spawn(move || wait(&shared))
        };
        let waiting = [
            waits(|shared| shared.wait_for(&Latch::default())),
            waits(|shared| shared.wait_out(Duration::from_secs(3600))),
        ];
        shared.stop();
        for waiting in waiting {
            assert!(!waiting.join().unwrap());
        }
    }

    #[test]
    fn a_delay_ends_by_itself() {
        assert!(Shared::new(StandInOptions::default()).wait_out(Duration::from_millis(1)));
    }
}
