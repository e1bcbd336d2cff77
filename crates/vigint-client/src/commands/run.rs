//! `vigint-client run`.

use std::sync::Arc;
use std::time::Duration;

use vigint_client::{Event, SecureVideoAnalyzer};
use vigint_core::clock::{Clock as _, SystemClock};

use super::stopping::told_to_stop_twice;
use crate::cli::Cli;
use crate::console::Console;
use crate::exit::Exit;

/// How often the live lines move.
const STATUS_PERIOD: Duration = Duration::from_millis(500);

/// Runs all sources to their ends, or until a signal.
pub(super) async fn run(cli: &Cli, console: &Arc<Console>) -> Exit {
    match try_run(cli, console).await {
        Ok(()) => Exit::Done,
        Err(exit) => exit,
    }
}

async fn try_run(cli: &Cli, console: &Arc<Console>) -> Result<(), Exit> {
    let settings = super::settings(cli, console)?;
    let sources = super::sources(cli, &settings, console)?;
    if sources.is_empty() {
        console.complain(super::NO_SOURCE);
        return Err(Exit::Usage);
    }
    let listener = Arc::clone(console);
    let analyzer = super::analyzer(&settings, console, move |event| listener.event(&event))?;
    let result = tokio::select! {
        result = analyzer.run_all(sources) => result,
        () = told_to_stop_twice(&analyzer) => Ok(()),
        () = keep_showing(&analyzer, console) => Ok(()),
    };
    console.clear();
    if analyzer.is_stopped() {
        let at = SystemClock::new().now();
        console.event(&Event::Stopped { at });
        return Ok(());
    }
    result.map_err(|error| {
        if matches!(error, vigint_client::RunError::NothingOpened) {
            console.complain("No source could be opened.");
        }
        Exit::from(&error)
    })
}

async fn keep_showing(analyzer: &SecureVideoAnalyzer, console: &Console) {
    if !console.has_live_lines() {
        return std::future::pending().await;
    }
    let mut ticks = tokio::time::interval(STATUS_PERIOD);
    loop {
        ticks.tick().await;
        console.show(analyzer.progress(), STATUS_PERIOD);
    }
}
