//! `cargo xtask bench start`: how large the programs are, and how long they take from nothing to their first word. The
//! medians of many starts, with everything in the system's cache.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use clap::Args;
use vigint_core::clock::{Clock as _, SystemClock};
use vigint_testkit::programs::{ServerProcess, command};

use crate::{cargo, packages, say};

/// A port of this machine where nobody listens: a server that is not there says so at once.
const NOBODY: &str = "http://127.0.0.1:1";
/// What `check` ends with when there is neither key nor server.
const NO_KEY: i32 = 3;

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// A vigint-client that was built already, such as `cargo xtask dist` builds [default: build one]
    #[arg(long, value_name = "PROGRAM")]
    client: Option<PathBuf>,
    /// A vigint-server that was built already
    #[arg(long, value_name = "PROGRAM")]
    server: Option<PathBuf>,
    /// How often each is started
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u8).range(1..=200))]
    runs: u8,
}

pub(crate) fn run(options: &Options) -> anyhow::Result<()> {
    let client = program(options.client.as_deref(), "vigint-client")?;
    let server = program(options.server.as_deref(), "vigint-server")?;
    say::step(&format!("The median of {} starts", options.runs));
    for program in [&client, &server] {
        let bytes = std::fs::metadata(program)?.len();
        say::line(&format!("{:>9} bytes  {}", bytes, program.display()));
    }
    let folder = tempfile::tempdir()?;
    let version = median(options.runs, || {
        ends_with(0, &client, folder.path(), &["--version"])
    })?;
    tell("vigint-client --version", version);
    let check = ["check", "--api-url", NOBODY];
    let check = median(options.runs, || {
        ends_with(NO_KEY, &client, folder.path(), &check)
    })?;
    tell(
        "vigint-client check (no key, no server; runs ffmpeg)",
        check,
    );
    let new = median(options.runs, || {
        let folder = tempfile::tempdir()?;
        listens(&server, folder.path())
    })?;
    tell("vigint-server, new database, until it listens", new);
    let again = tempfile::tempdir()?;
    listens(&server, again.path())?;
    let again = median(options.runs, || listens(&server, again.path()))?;
    tell("vigint-server, its database there, until it listens", again);
    Ok(())
}

fn program(given: Option<&Path>, name: &str) -> anyhow::Result<PathBuf> {
    match given {
        // It is started in other folders than this one.
        Some(given) => std::path::absolute(given)
            .with_context(|| format!("there is no such program: {}", given.display())),
        None => {
            packages::ensure_compiler()?;
            Ok(cargo::build_release(&["-p", name])?.join(name))
        }
    }
}

/// The time of what is done once, in the middle of so many.
fn median(
    runs: u8,
    mut once: impl FnMut() -> anyhow::Result<Duration>,
) -> anyhow::Result<Duration> {
    let mut times = Vec::new();
    for _ in 0..runs {
        times.push(once()?);
    }
    times.sort();
    let middle = times.len().div_euclid(2);
    times.get(middle).copied().context("nothing was measured")
}

fn ends_with(
    code: i32,
    program: &Path,
    folder: &Path,
    arguments: &[&str],
) -> anyhow::Result<Duration> {
    let clock = SystemClock::new();
    let mut command = command(program, folder);
    command
        .args(arguments)
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let status = command
        .status()
        .with_context(|| format!("cannot run {}", program.display()))?;
    let took = clock.elapsed();
    ensure!(
        status.code() == Some(code),
        "{} {} ended with {status}",
        program.display(),
        arguments.join(" ")
    );
    Ok(took)
}

fn listens(program: &Path, folder: &Path) -> anyhow::Result<Duration> {
    let clock = SystemClock::new();
    let server = ServerProcess::start_program(program, folder, &["serve"])?;
    let took = clock.elapsed();
    ensure!(
        server.stop().success(),
        "vigint-server has not stopped well"
    );
    Ok(took)
}

fn tell(what: &str, time: Duration) {
    let millis = time.as_secs_f64() * 1000.0;
    say::line(&format!("{millis:>6.1} ms  {what}"));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_one_in_the_middle() {
        let mut times = [9, 1, 5].into_iter();
        let median = median(3, || Ok(Duration::from_secs(times.next().unwrap())));
        assert_eq!(median.unwrap(), Duration::from_secs(5));
    }

    #[test]
    fn a_program_that_ends_otherwise_is_no_figure() {
        let folder = tempfile::tempdir().unwrap();
        let path = Path::new("/bin/false");
        assert!(ends_with(1, path, folder.path(), &[]).is_ok());
        assert!(ends_with(0, path, folder.path(), &[]).is_err());
    }
}
