//! What went against a promise, and when.

use std::sync::{Mutex, PoisonError};

use vigint_core::clock::{Clock as _, SystemClock};

use crate::say;

/// More are counted and not kept.
const KEPT: usize = 100;

/// All complaints of a run.
#[derive(Debug, Default)]
pub(super) struct Complaints {
    clock: SystemClock,
    all: Mutex<All>,
}

#[derive(Debug, Default)]
struct All {
    kept: Vec<String>,
    count: usize,
}

impl Complaints {
    /// Says it, and keeps it.
    pub(super) fn add(&self, what: &str) {
        let at = self.clock.elapsed().as_secs_f64();
        let text = format!("{at:.1} s: {what}");
        let mut all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        all.count += 1;
        if all.kept.len() < KEPT {
            say::line(&format!("WRONG at {text}"));
            all.kept.push(text);
        }
    }

    /// How many there are, and the first of them.
    pub(super) fn all(&self) -> (usize, Vec<String>) {
        let all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        (all.count, all.kept.clone())
    }
}
