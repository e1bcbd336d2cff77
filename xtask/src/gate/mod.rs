//! `cargo xtask gate`: what the motion gate says of a film or of the battery, as a table, as JSON and as a
//! picture.

mod battery;
mod canvas;
mod frames;
mod plot;
mod sheet;
mod spans;
mod watch;

use std::path::{Path, PathBuf};

use clap::Args;
use vigint_testkit::battery::{Said, Score, Truth};

use self::frames::Film;
use self::plot::Plot;
use self::sheet::Sheet;
use self::watch::Watch;
use crate::say;

/// Frames a second unless one says otherwise: as many as the server's gate looks at.
const FRAMES_PER_SECOND: u32 = 5;

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// The film to show to the gate
    #[arg(required_unless_present = "battery")]
    file: Option<PathBuf>,
    /// How many frames a second it is shown; unless given 5, and 5 and 10 with --battery
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=60))]
    fps: Option<u32>,
    /// Draw what it said, and what is true where a truth.json beside the film knows; with --battery the
    /// folder for a picture of each case
    #[arg(long, value_name = "FILE.png|FOLDER")]
    plot: Option<PathBuf>,
    /// Show it every case of the drawn battery, and the shared films, and score it
    #[arg(long, conflicts_with = "file")]
    battery: bool,
}

/// Shows a film, or the battery, to the gate.
pub(crate) fn run(options: &Options) -> anyhow::Result<()> {
    match &options.file {
        Some(file) => {
            let film = Film::find(file)?;
            let rate = options.fps.unwrap_or(FRAMES_PER_SECOND);
            judge(&film, rate, options.plot.as_deref())
        }
        None => battery::run(options.fps, options.plot.as_deref()),
    }
}

fn judge(film: &Film, rate: u32, plot: Option<&Path>) -> anyhow::Result<()> {
    let truth = Truth::beside(film.path())?;
    let mut watch = Watch::new();
    let mut sheet = Sheet::default();
    let mut said: Vec<Said> = Vec::new();
    let mut scores: Vec<f32> = Vec::new();
    for frame in film.frames(rate)? {
        let frame = frame?;
        let seen = watch.look(frame.at_millis, &frame.jpeg())?;
        if plot.is_some() {
            sheet.add(&seen, &frame);
        }
        said.push(seen.said);
        scores.push(seen.score);
    }
    say::step(&format!(
        "{}: {} frames, {rate} a second",
        film.path().display(),
        said.len()
    ));
    spans::table(&said).iter().for_each(|line| say::line(line));
    if let Some(truth) = &truth {
        say::step("Against the truth beside it");
        say::line(battery::HEADER);
        say::line(&battery::row(&film.name(), rate, &Score::of(&said, truth)));
    }
    if let Some(file) = plot {
        let plot = Plot {
            title: format!("{}, {rate} frames a second", film.name()),
            said: &said,
            scores: &scores,
            truth: truth.as_ref(),
            shots: &sheet.shots(),
        };
        plot.write(file)?;
        say::line(&format!("drawn: {}", file.display()));
    }
    say::plain(&spans::json(&said).to_string());
    Ok(())
}
