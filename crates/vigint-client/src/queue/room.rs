//! What the queues of all sources of one analyzer share: the memory, and that their server cannot be reached.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use super::held::Held;

/// The most bytes of pictures that wait in all queues together.
const MAX_BYTES: usize = 256 * 1024 * 1024;

/// Bounds what several queues hold together. Where it is too much, the queue that holds most gives its oldest frame.
#[derive(Debug)]
pub(crate) struct Room {
    max_bytes: usize,
    queues: Mutex<Vec<Member>>,
    is_server_away: AtomicBool,
}

#[derive(Clone, Debug)]
struct Member {
    held: Weak<Held>,
    /// A film's frames are not given up: its reader waits.
    gives: bool,
}

impl Default for Room {
    fn default() -> Self {
        Self::of(MAX_BYTES)
    }
}

impl Room {
    pub(super) fn of(max_bytes: usize) -> Self {
        Self {
            max_bytes,
            queues: Mutex::default(),
            is_server_away: AtomicBool::new(false),
        }
    }

    pub(super) fn join(&self, held: &Arc<Held>, gives: bool) {
        let mut queues = self.queues.lock().unwrap_or_else(PoisonError::into_inner);
        queues.retain(|member| member.held.strong_count() > 0);
        queues.push(Member {
            held: Arc::downgrade(held),
            gives,
        });
    }

    /// Learns whether the server can be reached.
    pub(crate) fn server_is_away(&self, is_away: bool) {
        self.is_server_away.store(is_away, Relaxed);
    }

    pub(super) fn is_server_away(&self) -> bool {
        self.is_server_away.load(Relaxed)
    }

    /// Whether `more` bytes are too many.
    pub(super) fn has_no_room_for(&self, more: usize) -> bool {
        let bytes = self
            .members()
            .into_iter()
            .map(|(held, _)| held.lock().bytes());
        bytes.sum::<usize>() + more > self.max_bytes
    }

    /// Has frames given up until all that wait have room. Each queue keeps one. Must be called with no queue locked.
    pub(super) fn make_room(&self) {
        let members = self.members();
        // Each turn drops a frame or ends: no more turns than frames.
        loop {
            let mut total = 0;
            let mut largest: Option<(usize, &Arc<Held>)> = None;
            for (held, gives) in &members {
                let (bytes, frames) = {
                    let state = held.lock();
                    (state.bytes(), state.len())
                };
                total += bytes;
                let can_give = *gives && frames > 1;
                if can_give && largest.is_none_or(|(most, _)| bytes > most) {
                    largest = Some((bytes, held));
                }
            }
            match largest {
                Some((_, held)) if total > self.max_bytes => held.lock().drop_oldest(),
                _ => return,
            }
        }
    }

    fn members(&self) -> Vec<(Arc<Held>, bool)> {
        let queues = self.queues.lock().unwrap_or_else(PoisonError::into_inner);
        let live = queues
            .iter()
            .filter_map(|member| Some((member.held.upgrade()?, member.gives)));
        live.collect()
    }
}
