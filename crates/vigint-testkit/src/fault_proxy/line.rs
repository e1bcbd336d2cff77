//! How the line is between a client and its server: open, slow, or stalled.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::timeout;
use vigint_core::clock::{Clock as _, SystemClock};

/// What passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flow {
    Open,
    /// So many bytes a second, of all connections and both ways together.
    Slow(u32),
    /// Nothing, and nobody is told.
    Stalled,
}

#[derive(Debug)]
pub(super) struct Line {
    flow: watch::Sender<Flow>,
    clock: SystemClock,
    /// When the next byte of a slow line may pass.
    free_at: Mutex<Duration>,
}

impl Line {
    pub(super) fn new() -> Self {
        Self {
            flow: watch::Sender::new(Flow::Open),
            clock: SystemClock::new(),
            free_at: Mutex::default(),
        }
    }

    pub(super) fn become_so(&self, flow: Flow) {
        self.flow.send_replace(flow);
    }

    /// Waits until so many bytes may pass.
    pub(super) async fn clear(&self, bytes: usize) {
        let mut flow = self.flow.subscribe();
        loop {
            let now = *flow.borrow_and_update();
            match now {
                Flow::Open => return,
                Flow::Slow(rate) => {
                    let wait = self.reserve(bytes, rate);
                    // Whoever waits on a slow line goes on at once when it is open again.
                    let changed = flow.wait_for(|flow| *flow != now);
                    if timeout(wait, changed).await.is_err() {
                        return;
                    }
                }
                Flow::Stalled => {
                    // The sender is ours: it cannot be gone.
                    let _ = flow.wait_for(|flow| *flow != Flow::Stalled).await;
                }
            }
        }
    }

    fn reserve(&self, bytes: usize, rate: u32) -> Duration {
        let now = self.clock.elapsed();
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        let mut free_at = self.free_at.lock().unwrap_or_else(PoisonError::into_inner);
        let begins = now.max(*free_at);
        *free_at = begins + Duration::from_secs(1) * bytes / rate.max(1);
        *free_at - now
    }
}
