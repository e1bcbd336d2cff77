//! How the parts of the server are: each is failing from a failed try until the next good one.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// One part's state.
#[derive(Debug, Default)]
pub struct Vital {
    failing: AtomicBool,
    failures: AtomicU64,
}

impl Vital {
    /// Notes a try.
    pub fn note(&self, succeeded: bool) {
        self.failing.store(!succeeded, Ordering::Relaxed);
        if !succeeded {
            self.failures.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Whether the last try failed.
    #[must_use]
    pub fn is_failing(&self) -> bool {
        self.failing.load(Ordering::Relaxed)
    }

    /// How many tries failed since the start.
    #[must_use]
    pub fn failures(&self) -> u64 {
        self.failures.load(Ordering::Relaxed)
    }
}

/// The parts that can fail while requests are still answered.
#[derive(Clone, Debug, Default)]
pub struct Vitals {
    /// Keeping frames and making films.
    pub clips: Arc<Vital>,
    /// Handing mails over.
    pub mail: Arc<Vital>,
    /// Judging.
    pub analyzer: Arc<Vital>,
}
