//! How far each source is: counters that a status line reads while they move.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use vigint_core::ids::SourceId;

/// What moved in a picture says nothing any more when no other has come for this long: three periods of the slowest
/// camera, and longer than any that shows nothing is waited for.
const MOTION_HOLDS: Duration = Duration::from_secs(30);

/// Where one source stands now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceProgress {
    /// Which source.
    pub source_id: SourceId,
    /// Pictures that came from it.
    pub captured: u64,
    /// How long ago the newest one came.
    pub last_picture_age: Option<Duration>,
    /// Whether something moves in it, where that is looked at
    /// ([`crate::SecureVideoAnalyzerBuilder::watch_motion`]); `None` when no picture has come for half a minute.
    pub moves: Option<bool>,
    /// Frames the server has taken.
    pub sent: u64,
    /// The bytes of these frames.
    pub sent_bytes: u64,
    /// Frames given up because newer ones came.
    pub dropped: u64,
    /// Frames left out evenly so that others could go on.
    pub thinned: u64,
    /// Frames the server would not have.
    pub refused: u64,
    /// Frames waiting to be sent.
    pub queued: usize,
    /// The last verdict, or what stands in its way.
    pub last_verdict: Option<String>,
}

/// What was seen last.
#[derive(Clone, Copy, Debug, Default)]
struct Sight {
    /// When the newest picture came, on [`vigint_core::clock::Clock::elapsed`].
    picture_at: Option<Duration>,
    moves: Option<bool>,
}

/// The counters of one source.
#[derive(Debug)]
pub(crate) struct Counters {
    source_id: SourceId,
    captured: AtomicU64,
    sight: Mutex<Sight>,
    pub(crate) sent: AtomicU64,
    sent_bytes: AtomicU64,
    /// How many had been sent when the last good analysis was asked for.
    pub(crate) analysed: AtomicU64,
    pub(crate) refused: AtomicU64,
    pub(crate) dropped: AtomicU64,
    pub(crate) thinned: AtomicU64,
    pub(crate) queued: AtomicUsize,
    last_verdict: Mutex<Option<String>>,
}

impl Counters {
    pub(crate) fn new(source_id: SourceId) -> Self {
        Self {
            source_id,
            captured: AtomicU64::new(0),
            sight: Mutex::default(),
            sent: AtomicU64::new(0),
            sent_bytes: AtomicU64::new(0),
            analysed: AtomicU64::new(0),
            refused: AtomicU64::new(0),
            dropped: AtomicU64::new(0),
            thinned: AtomicU64::new(0),
            queued: AtomicUsize::new(0),
            last_verdict: Mutex::new(None),
        }
    }

    /// Says whether it was another one before.
    pub(crate) fn set_verdict(&self, verdict: &str) -> bool {
        lock(&self.last_verdict)
            .replace(verdict.to_owned())
            .as_deref()
            != Some(verdict)
    }

    pub(crate) fn source_id(&self) -> &SourceId {
        &self.source_id
    }

    /// A picture came at this time, on [`vigint_core::clock::Clock::elapsed`].
    pub(crate) fn note_picture(&self, at: Duration) {
        self.captured.fetch_add(1, Relaxed);
        lock(&self.sight).picture_at = Some(at);
    }

    /// The server has taken a frame of so many bytes.
    pub(crate) fn note_sent_bytes(&self, bytes: usize) {
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        self.sent_bytes.fetch_add(bytes, Relaxed);
    }

    /// Something moves, or nothing does, or nobody knows any more.
    pub(crate) fn note_motion(&self, moves: Option<bool>) {
        lock(&self.sight).moves = moves;
    }

    /// All of them `now`, on [`vigint_core::clock::Clock::elapsed`].
    pub(crate) fn read(&self, now: Duration) -> SourceProgress {
        let sight = *lock(&self.sight);
        let age = sight.picture_at.map(|at| now.saturating_sub(at));
        SourceProgress {
            source_id: self.source_id.clone(),
            captured: self.captured.load(Relaxed),
            last_picture_age: age,
            moves: sight
                .moves
                .filter(|_| age.is_some_and(|age| age <= MOTION_HOLDS)),
            sent_bytes: self.sent_bytes.load(Relaxed),
            sent: self.sent.load(Relaxed),
            dropped: self.dropped.load(Relaxed),
            thinned: self.thinned.load(Relaxed),
            refused: self.refused.load(Relaxed),
            queued: self.queued.load(Relaxed),
            last_verdict: lock(&self.last_verdict).clone(),
        }
    }
}

fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_said_of_motion_in_a_camera_that_is_gone() {
        let counters = Counters::new(SourceId::default_source());
        counters.note_picture(Duration::from_secs(100));
        counters.note_motion(Some(true));
        let moves = |seconds| counters.read(Duration::from_secs(seconds)).moves;
        assert_eq!((moves(101), moves(130)), (Some(true), Some(true)));
        assert_eq!(moves(131), None);
        counters.note_picture(Duration::from_secs(140));
        assert_eq!(moves(141), Some(true));
    }
}
