//! `vigint-client gate`: the motion gate of one source, live.

use std::sync::Arc;

use vigint_client::{DetectorGate, Event, MotionLook, RunError, SecureVideoAnalyzer, Source};
use vigint_core::clock::{Clock as _, SystemClock};

use super::stopping::told_to_stop_twice;
use crate::cli::Cli;
use crate::console::Console;
use crate::exit::Exit;
use crate::sight::{Openings, Stamp, line_of};

/// Shows it to the end of a film, or until a signal.
pub(super) async fn gate(cli: &Cli, console: &Arc<Console>) -> Exit {
    let shown = async {
        let source = the_source(cli, console)?;
        show(source, console).await
    };
    match shown.await {
        Ok(()) => Exit::Done,
        Err(exit) => exit,
    }
}

/// The one source that was given.
fn the_source(cli: &Cli, console: &Console) -> Result<Source, Exit> {
    let settings = super::settings(cli, console)?;
    let mut sources = super::sources(cli, &settings, console)?;
    match (sources.pop(), sources.is_empty()) {
        (Some(source), true) => Ok(source),
        (None, _) => {
            console.complain(super::NO_SOURCE);
            Err(Exit::Usage)
        }
        (Some(_), false) => {
            console.complain("Several sources were given: gate shows one at a time.");
            Err(Exit::Usage)
        }
    }
}

async fn show(source: Source, console: &Arc<Console>) -> Result<(), Exit> {
    let listener = Arc::clone(console);
    // Without the settings' key and address: nothing is sent, and a mistyped key is in nobody's way.
    let built = SecureVideoAnalyzer::builder()
        .on_event(move |event| listener.event(&event))
        .build();
    let analyzer = built.map_err(|error| {
        console.complain(&error.to_string());
        super::exit_of(&error)
    })?;

    let stamp = Stamp::of(&source.location);
    let name = source.id.to_string();
    let mut openings = Openings::default();
    let mut gate = DetectorGate::default();
    let mut on_look = |look: MotionLook<'_>| {
        openings.note(look.at, look.sample.on);
        let line = line_of(&look, &stamp);
        if look.is_news {
            console.say(&line);
        }
        console.show_line(&name, &line);
    };
    let result = tokio::select! {
        result = analyzer.watch_motion(source, &mut gate, &mut on_look) => result,
        () = told_to_stop_twice(&analyzer) => Ok(()),
    };
    console.clear();
    if result.is_ok() {
        console.say(&openings.to_string());
    }
    if analyzer.is_stopped() {
        let at = SystemClock::new().now();
        console.event(&Event::Stopped { at });
        return Ok(());
    }
    result.map_err(|error| {
        if matches!(error, RunError::CannotOpen(_)) {
            console.complain("No source could be opened.");
        }
        Exit::from(&error)
    })
}
