//! Several sources at once. When not one of them can be opened the run has failed; as soon as one is open,
//! cameras that could not be opened are tried again for as long as it takes.
//!
//! Each source has a [`Seat`], by which the others hear whether it could be opened. Who tries again, and when, is the
//! session's own business.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::analyzer::SecureVideoAnalyzer;
use crate::session::RunError;
use crate::source::Source;

/// How far the first openings are.
#[derive(Clone, Copy, Debug)]
struct FirstOpenings {
    undecided: usize,
    opened: usize,
}

/// The place of one source among several.
#[derive(Debug)]
pub(crate) struct Seat {
    openings: watch::Sender<FirstOpenings>,
    /// Whether its first try has ended.
    is_decided: AtomicBool,
    has_opened: AtomicBool,
}

impl Seat {
    /// It is open; the first time counts.
    pub(crate) fn opened(&self) {
        let is_first = !self.has_opened.swap(true, Relaxed);
        self.decide(usize::from(is_first));
    }

    /// It could not be opened. Waits until another is open (true), or all have failed or nobody wants them any
    /// more (false).
    pub(crate) async fn failed(&self, stop: &CancellationToken) -> bool {
        self.decide(0);
        let mut openings = self.openings.subscribe();
        let decided = openings.wait_for(|all| all.opened > 0 || all.undecided == 0);
        tokio::select! {
            _ = decided => {}
            () = stop.cancelled() => {}
        }
        had_one_open(&self.openings)
    }

    fn decide(&self, opened: usize) {
        let is_first = !self.is_decided.swap(true, Relaxed);
        self.openings.send_modify(|all| {
            all.undecided -= usize::from(is_first).min(all.undecided);
            all.opened += opened;
        });
    }
}

/// Who leaves without having opened anything has failed.
impl Drop for Seat {
    fn drop(&mut self) {
        self.decide(0);
    }
}

fn had_one_open(openings: &watch::Sender<FirstOpenings>) -> bool {
    openings.borrow().opened > 0
}

/// Runs all of them side by side to their ends.
pub(crate) async fn run_all(
    analyzer: &SecureVideoAnalyzer,
    sources: Vec<Source>,
) -> Result<(), RunError> {
    let openings = watch::Sender::new(FirstOpenings {
        undecided: sources.len(),
        opened: 0,
    });
    let mut runs = JoinSet::new();
    for source in sources {
        let seat = Seat {
            openings: openings.clone(),
            is_decided: AtomicBool::new(false),
            has_opened: AtomicBool::new(false),
        };
        let analyzer = analyzer.clone();
        runs.spawn(async move { analyzer.run_in(source, Some(seat)).await });
    }
    let mut result = Ok(());
    while let Some(ended) = runs.join_next().await {
        match ended {
            Ok(Ok(())) => {}
            Ok(Err(RunError::CannotOpen(_))) => result = Err(RunError::NothingOpened),
            // The key or the server: every other source would fare alike.
            Ok(Err(fatal)) => {
                runs.shutdown().await;
                return Err(fatal);
            }
            Err(broken) if broken.is_panic() => std::panic::resume_unwind(broken.into_panic()),
            Err(_) => {}
        }
    }
    if had_one_open(&openings) {
        Ok(())
    } else {
        result
    }
}
