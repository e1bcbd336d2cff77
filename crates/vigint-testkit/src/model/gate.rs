//! A gate that holds answers back until the test lets them go.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};

use super::state::Shared;

/// Holds back every answer that is [behind](super::Answer::behind) it, at the stand-in that made it, until it
/// is released or the stand-in is dropped. Dropping the gate releases nothing.
#[derive(Clone, Debug)]
pub struct Gate {
    latch: Latch,
    shared: Weak<Shared>,
}

impl Gate {
    pub(super) fn new(shared: &Arc<Shared>) -> Self {
        Self {
            latch: Latch::default(),
            shared: Arc::downgrade(shared),
        }
    }

    /// Lets go all that wait, and from now on holds nothing back.
    pub fn release(&self) {
        if let Some(shared) = self.shared.upgrade() {
            shared.open(&self.latch);
        }
    }

    pub(super) fn latch(&self) -> Latch {
        self.latch.clone()
    }
}

/// What an answer holds of its gate: no way back to the stand-in, which keeps answers itself.
#[derive(Clone, Debug, Default)]
pub(super) struct Latch(Arc<AtomicBool>);

impl Latch {
    pub(super) fn is_open(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }

    /// Only [`Shared::open`] calls this: it wakes who waits.
    pub(super) fn set_open(&self) {
        self.0.store(true, Ordering::Release);
    }
}
