//! What each command does: settles what was given, calls the library, tells the console.

mod check;
mod csv;
mod gate;
mod incidents;
mod run;
mod shell;
mod stopping;
mod usage;

use std::io;
use std::sync::Arc;
use std::time::Duration;

use clap::Parser as _;
use clap::error::ErrorKind;
use vigint_client::{ApiError, BuildError, Event, Mask, SecureVideoAnalyzer, Settings, Source};

use crate::cameras::{all_sources, read_cameras};
use crate::cli::{Cli, Command};
use crate::console::{Console, print_usage, whole};
use crate::exit::Exit;

/// The seed's words, to the letter.
pub(crate) const NO_KEY: &str = "No API key provided. Some features may not work.";

/// Where a source is needed and none was given.
const NO_SOURCE: &str =
    "There is no source: give --source with an RTSP URL, a file or a device, or set VIGINT_SOURCE.";

/// Where a list of cameras takes the place of the one in the settings, which somebody may miss.
const NOT_READ: &str = "Warning: VIGINT_SOURCE is not read beside --sources: list that camera in the file as well, \
    or take VIGINT_SOURCE out.";

/// How long the tasks of a stopped program may take to be dropped. It is milliseconds but for what cannot be dropped.
const TASKS_END_WITHIN: Duration = Duration::from_secs(2);

/// Parses the command line and does what it says.
pub(crate) fn dispatch() -> Exit {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return refuse_command_line(&error),
    };
    let command = cli.command.clone().unwrap_or(Command::Run);
    match &command {
        Command::Completions { shell } => return shell::completions(*shell),
        Command::Man { out } => return shell::man(out.as_deref()),
        _ => {}
    }
    let lives = matches!(command, Command::Run | Command::Gate { .. });
    let console = Arc::new(Console::new(cli.server.json, lives));
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => {
            // It passes: whoever starts us is to try again.
            console.complain(&format!("the program cannot start: {error}"));
            console.finish();
            return Exit::Failed;
        }
    };
    let exit = runtime.block_on(async {
        match command {
            Command::Run => run::run(&cli, &console).await,
            Command::Check { stills } => check::check(&cli, &stills, &console).await,
            Command::Usage(asked) => usage::usage(&cli, asked, &console).await,
            Command::Incidents { action, list } => {
                incidents::incidents(&cli, action, list, &console).await
            }
            Command::Gate { .. } => gate::gate(&cli, &console).await,
            // Both have been answered above.
            Command::Completions { .. } | Command::Man { .. } => Exit::Done,
        }
    });
    // Until every task is dropped: a camera's child process is killed by the drop of its task. A name look-up that
    // hangs must not keep a stopped program alive.
    runtime.shutdown_timeout(TASKS_END_WITHIN);
    match console.finish() {
        // What was asked for is not there: to whoever reads the exit code that must not look like success.
        Some(failure) if exit == Exit::Done && !lives => {
            print_usage(
                &format!("standard output cannot be written: {failure}"),
                false,
            );
            Exit::Failed
        }
        _ => exit,
    }
}

/// Prints clap's words without what was typed that could be a secret.
fn refuse_command_line(error: &clap::Error) -> Exit {
    let is_help = matches!(
        error.kind(),
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion
    );
    let text = error.render().to_string();
    if is_help {
        print_usage(&text, true);
        return Exit::Done;
    }
    let mut mask = Mask::default();
    let mut follows_key_flag = false;
    for typed in std::env::args_os().skip(1) {
        let typed = typed.to_string_lossy();
        mask.learn(&typed);
        if follows_key_flag || typed.starts_with(vigint_core::key::KEY_PREFIX) {
            mask.hide(&typed);
        }
        if let Some(key) = typed.strip_prefix("--api-key=") {
            mask.hide(key);
        }
        follows_key_flag = typed == "--api-key";
    }
    print_usage(&mask.apply(&text), false);
    Exit::Usage
}

/// The settings of this process, or a complaint.
fn settings(cli: &Cli, console: &Console) -> Result<Settings, Exit> {
    match Settings::of_process(cli.server.given()) {
        Ok(settings) => {
            if let Some(profile) = &settings.missing_profile {
                console.complain(&format!(
                    "Warning: there is no .env.{profile} in this folder; .env counts."
                ));
            }
            Ok(settings)
        }
        Err(error) => {
            console.complain(&error.to_string());
            Err(Exit::Usage)
        }
    }
}

/// All sources that were given, flags before `VIGINT_SOURCE`. Empty when there is none.
fn sources(cli: &Cli, settings: &Settings, console: &Console) -> Result<Vec<Source>, Exit> {
    let options = cli.sources.options();
    let mut typed = cli.typed_sources();
    match (&settings.source, &cli.sources.sources) {
        (Some(source), None) if typed.is_empty() => typed.push(source.reveal()),
        (Some(_), Some(_)) if typed.is_empty() => console.complain(NOT_READ),
        // `--source` goes before it, as every flag.
        _ => {}
    }
    let refuse = |message: String| {
        console.complain(&message);
        Exit::Usage
    };
    let cameras = match &cli.sources.sources {
        Some(path) => read_cameras(path, options).map_err(|error| refuse(error.to_string()))?,
        None => Vec::new(),
    };
    options.check().map_err(|error| refuse(error.to_string()))?;
    all_sources(&typed, cameras, options).map_err(|error| refuse(error.to_string()))
}

/// The analyzer that the settings ask for, or a complaint.
fn analyzer(
    settings: &Settings,
    console: &Console,
    on_event: impl Fn(Event) + Send + Sync + 'static,
) -> Result<SecureVideoAnalyzer, Exit> {
    let built = SecureVideoAnalyzer::builder()
        .settings(settings)
        .on_event(on_event)
        .watch_motion(console.has_live_lines())
        .build();
    let analyzer = match built {
        Ok(analyzer) => analyzer,
        Err(error) => {
            console.complain(&error.to_string());
            return Err(exit_of(&error));
        }
    };
    if analyzer.is_exposed() {
        console.complain(&format!(
            "Warning: {} is not encrypted: the API key and the pictures can be read on the way. Use https://.",
            analyzer.server()
        ));
    }
    if !analyzer.has_key() {
        console.complain(NO_KEY);
    }
    Ok(analyzer)
}

/// An analyzer with a key, or a complaint: without one the server has nothing to say about anybody.
fn keyed_analyzer(cli: &Cli, console: &Console) -> Result<SecureVideoAnalyzer, Exit> {
    let settings = settings(cli, console)?;
    let analyzer = analyzer(&settings, console, |_| {})?;
    if analyzer.has_key() {
        Ok(analyzer)
    } else {
        Err(Exit::Key)
    }
}

/// Says why the server did not do it.
fn failed(error: &ApiError, console: &Console) -> Exit {
    console.complain(&whole(&error.to_string()));
    Exit::from(error)
}

/// Says that an answer could not be printed. Whoever reads may have had enough, as `head` does: that is no failure.
fn printed(written: io::Result<()>, console: &Console) -> Exit {
    match written {
        Ok(()) => Exit::Done,
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Exit::Done,
        Err(error) => {
            console.complain(&format!("the answer could not be written: {error}"));
            Exit::Failed
        }
    }
}

fn exit_of(error: &BuildError) -> Exit {
    match error {
        BuildError::Key(_) => Exit::Key,
        BuildError::Address(_) | BuildError::Authority(_) => Exit::Usage,
        BuildError::Tls(_) => Exit::Server,
    }
}
