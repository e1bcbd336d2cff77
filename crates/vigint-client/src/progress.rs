//! How far each source is: counters that a status line reads while they move.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};

use vigint_core::ids::SourceId;

/// Where one source stands now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceProgress {
    /// Which source.
    pub source_id: SourceId,
    /// Frames the server has taken.
    pub sent: u64,
    /// Frames given up because newer ones came.
    pub dropped: u64,
    /// Frames the server would not have.
    pub refused: u64,
    /// Frames waiting to be sent.
    pub queued: usize,
    /// The last verdict, or what stands in its way.
    pub last_verdict: Option<String>,
}

/// The counters of one source.
#[derive(Debug)]
pub(crate) struct Counters {
    source_id: SourceId,
    pub(crate) sent: AtomicU64,
    /// How many had been sent when the last good analysis was asked for.
    pub(crate) analysed: AtomicU64,
    pub(crate) refused: AtomicU64,
    pub(crate) dropped: AtomicU64,
    pub(crate) queued: AtomicUsize,
    last_verdict: Mutex<Option<String>>,
}

impl Counters {
    pub(crate) fn new(source_id: SourceId) -> Self {
        Self {
            source_id,
            sent: AtomicU64::new(0),
            analysed: AtomicU64::new(0),
            refused: AtomicU64::new(0),
            dropped: AtomicU64::new(0),
            queued: AtomicUsize::new(0),
            last_verdict: Mutex::new(None),
        }
    }

    pub(crate) fn set_verdict(&self, verdict: &str) {
        let mut last = self
            .last_verdict
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        *last = Some(verdict.to_owned());
    }

    pub(crate) fn read(&self) -> SourceProgress {
        let last = self
            .last_verdict
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        SourceProgress {
            source_id: self.source_id.clone(),
            sent: self.sent.load(Relaxed),
            dropped: self.dropped.load(Relaxed),
            refused: self.refused.load(Relaxed),
            queued: self.queued.load(Relaxed),
            last_verdict: last.clone(),
        }
    }
}
