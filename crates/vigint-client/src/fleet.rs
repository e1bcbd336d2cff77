//! Several sources at once. When not one of them can be opened the run has failed; as soon as one is open,
//! cameras that could not be opened are tried again for as long as it takes.

use std::sync::Arc;

use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::analyzer::SecureVideoAnalyzer;
use crate::backoff::Backoff;
use crate::event::Event;
use crate::session::{RunError, Surroundings};
use crate::source::Source;

/// How far the first openings are.
#[derive(Clone, Copy, Debug)]
struct FirstOpenings {
    undecided: usize,
    opened: usize,
}

/// What the sources know of each other.
#[derive(Clone, Debug)]
struct Fleet {
    openings: watch::Sender<FirstOpenings>,
}

impl Fleet {
    fn of(sources: usize) -> Self {
        let openings = watch::Sender::new(FirstOpenings {
            undecided: sources,
            opened: 0,
        });
        Self { openings }
    }

    fn decided(&self, opened: usize) {
        self.openings.send_modify(|all| {
            all.undecided = all.undecided.saturating_sub(1);
            all.opened += opened;
        });
    }

    /// Whether any source has been open.
    fn had_one_open(&self) -> bool {
        self.openings.borrow().opened > 0
    }

    /// Waits until a source is open (true), or all have failed or nobody wants them any more (false).
    async fn has_one_open(&self, stop: &CancellationToken) -> bool {
        let mut openings = self.openings.subscribe();
        let decided = openings.wait_for(|all| all.opened > 0 || all.undecided == 0);
        tokio::select! {
            _ = decided => {}
            () = stop.cancelled() => {}
        }
        self.had_one_open()
    }

    /// `around`, listening for openings on the way.
    fn listening(&self, around: &Surroundings) -> Surroundings {
        let (fleet, events) = (self.clone(), Arc::clone(&around.events));
        let events = Arc::new(move |event: Event| {
            if matches!(event, Event::SourceOpened { .. }) {
                fleet.decided(1);
            }
            events(event);
        });
        Surroundings {
            events,
            ..around.clone()
        }
    }
}

/// Runs all of them side by side to their ends.
pub(crate) async fn run_all(
    analyzer: &SecureVideoAnalyzer,
    sources: Vec<Source>,
) -> Result<(), RunError> {
    let fleet = Fleet::of(sources.len());
    let mut runs = JoinSet::new();
    for source in sources {
        runs.spawn(run_one(analyzer.clone(), source, fleet.clone()));
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
    if fleet.had_one_open() { Ok(()) } else { result }
}

async fn run_one(
    analyzer: SecureVideoAnalyzer,
    source: Source,
    fleet: Fleet,
) -> Result<(), RunError> {
    let around = fleet.listening(&analyzer.around);
    let tries_again = source.location.is_live() && !source.options.once && analyzer.has_key();
    let mut backoff = Backoff::of_camera();
    let mut told = String::new();
    loop {
        let error = match analyzer.run_in(source.clone(), around.clone()).await {
            Err(RunError::CannotOpen(error)) => error,
            ended => return ended,
        };
        let reason = error.to_string();
        if reason != told {
            let at = around.clock.now();
            (around.events)(Event::cannot_open(at, &source, &reason));
            if told.is_empty() {
                fleet.decided(0);
            }
            told = reason;
        }
        if !fleet.has_one_open(&around.stop).await || !tries_again {
            return Err(error.into());
        }
        if timeout(backoff.next(), around.stop.cancelled())
            .await
            .is_ok()
        {
            return Ok(());
        }
    }
}
