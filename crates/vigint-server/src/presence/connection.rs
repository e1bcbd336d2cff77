//! One connection: whose key it showed last, whether a request of it runs, and whether it is to end.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use futures_util::task::AtomicWaker;
use tokio::sync::Notify;
use vigint_core::ids::{ClientId, KeyId};

use super::register::Register;

/// What is known of a connection. Owned by its stream and the request that runs on it; HTTP/1.1 runs one at a time.
pub struct Connection {
    number: u64,
    register: Register,
    state: Mutex<State>,
    /// The request that runs is to end. Written under `state`.
    request_ends: AtomicBool,
    /// The connection is to end as soon as nothing runs on it.
    closes: AtomicBool,
    /// It is to end in the middle of an answer.
    is_cut: AtomicBool,
    stream: AtomicWaker,
    request: AtomicWaker,
    /// A request that was to end has ended.
    left: Notify,
}

#[derive(Default)]
struct State {
    /// The key that was shown last, while its connections are on the register.
    key: Option<KeyId>,
    /// Whose it was.
    client: Option<ClientId>,
    /// It has carried requests of two clients: it belongs to a proxy, and to neither of them.
    is_shared: bool,
    phase: Phase,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Phase {
    /// No request runs.
    #[default]
    Idle,
    /// One does, and its answer has not begun.
    Working,
    /// Its answer is on its way.
    Answering,
}

impl Connection {
    pub(super) fn new(register: &Register) -> Arc<Self> {
        Arc::new(Self {
            number: register.next_number(),
            register: register.clone(),
            state: Mutex::default(),
            request_ends: AtomicBool::new(false),
            closes: AtomicBool::new(false),
            is_cut: AtomicBool::new(false),
            stream: AtomicWaker::new(),
            request: AtomicWaker::new(),
            left: Notify::new(),
        })
    }

    pub(super) const fn number(&self) -> u64 {
        self.number
    }

    /// A request of this connection that showed a good key begins. Called after the key was looked up: if it was put
    /// out in between, the next look finds it here.
    #[must_use]
    pub fn enter(self: &Arc<Self>, key: KeyId, client: ClientId) -> Visit {
        let mut state = self.state();
        if state.key != Some(key) {
            state.is_shared |= state.client.is_some_and(|before| before != client);
            state.client = Some(client);
            if let Some(before) = state.key.replace(key) {
                self.register.remove(before, self.number);
            }
            self.register.add(key, client, self);
        }
        state.phase = Phase::Working;
        self.request_ends.store(false, Ordering::Relaxed);
        Visit(Arc::clone(self))
    }

    /// Whether its stream is to end now: it closes, and nothing runs on it. Otherwise the task is woken when that
    /// may have changed.
    pub fn poll_is_over(&self, cx: &mut Context<'_>) -> bool {
        self.stream.register(cx.waker());
        self.is_cut() || (self.closes.load(Ordering::Acquire) && self.state().phase == Phase::Idle)
    }

    /// Whether its stream is to end although an answer is on its way.
    pub fn is_cut(&self) -> bool {
        self.is_cut.load(Ordering::Acquire)
    }

    /// The stream has ended.
    pub fn leave(&self) {
        if let Some(key) = self.state().key.take() {
            self.register.remove(key, self.number);
        }
    }

    /// `key` is no longer let in. A connection that showed it last ends, with what runs on it; of one that is shared
    /// only that ends. Whether a request is to end.
    pub(super) fn show_out(&self, key: KeyId) -> bool {
        let mut state = self.state();
        if state.key != Some(key) {
            // It has shown another since it was taken off the register.
            return false;
        }
        state.key = None;
        let runs = state.phase != Phase::Idle;
        self.request_ends.store(runs, Ordering::Release);
        if !state.is_shared {
            self.closes.store(true, Ordering::Release);
            let answers = state.phase == Phase::Answering;
            self.is_cut.fetch_or(answers, Ordering::Release);
        }
        drop(state);
        self.request.wake();
        self.stream.wake();
        runs
    }

    /// Waits until the request that was to end has ended.
    pub(super) async fn wait_until_left(&self) {
        while self.state().phase == Phase::Working && self.request_ends.load(Ordering::Acquire) {
            self.left.notified().await;
        }
    }

    fn move_on(&self, to: Phase) {
        self.state().phase = to;
        if self.request_ends.load(Ordering::Acquire) {
            self.left.notify_one();
        }
        if self.closes.load(Ordering::Acquire) {
            self.stream.wake();
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A request by a good key, from its look-up to the end of its answer.
pub struct Visit(Arc<Connection>);

impl Visit {
    /// Works until the work is done; `None` when the key was put out meanwhile, and the work is dropped.
    pub async fn unless_shown_out<F: Future>(&self, work: F) -> Option<F::Output> {
        let mut work = pin!(work);
        let done = poll_fn(|cx| {
            if self.is_shown_out() {
                return Poll::Ready(None);
            }
            if let Poll::Ready(done) = work.as_mut().poll(cx) {
                return Poll::Ready(Some(done));
            }
            self.0.request.register(cx.waker());
            if self.is_shown_out() {
                return Poll::Ready(None);
            }
            Poll::Pending
        })
        .await;
        self.0.move_on(Phase::Answering);
        done
    }

    /// Whether the key was put out since the request began.
    #[must_use]
    pub fn is_shown_out(&self) -> bool {
        self.0.request_ends.load(Ordering::Acquire)
    }

    /// Whether the connection goes on when the request was shown out: it is a proxy's.
    #[must_use]
    pub fn leaves_connection_open(&self) -> bool {
        self.0.state().is_shared
    }
}

impl Drop for Visit {
    fn drop(&mut self) {
        self.0.move_on(Phase::Idle);
    }
}
