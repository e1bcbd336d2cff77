//! `cargo xtask gate --battery`: the score of every drawn case and of the shared films, as a table.

use std::path::Path;

use anyhow::Context as _;
use vigint_testkit::battery::{self, Reports, Said, Score, Truth};
use vigint_testkit::footage::FootageError;

use super::frames::Film;
use super::plot::Plot;
use super::watch::Watch;
use crate::say;

/// The rates that the gate is promised for.
const RATES: [u32; 2] = [5, 10];
const FILMS: [&str; 2] = ["bottles-hand.mp4", "car-park-overhead.mp4"];

/// What stands above the rows of [`row`]: seconds, but for the share of empty time in which it was open. Scene
/// changes and frozen pictures are reported rightly / missed / made up.
pub(super) const HEADER: &str = "case                           fps  ready     on    off  dropout  open %  visits missed split  scenes  frozen  verdict";

/// Scores everything at this rate, or at those that are promised; draws it into a folder when there is one.
pub(super) fn run(rate: Option<u32>, plots: Option<&Path>) -> anyhow::Result<()> {
    let rates = rate.map_or(RATES.to_vec(), |rate| vec![rate]);
    let films = films()?;
    if let Some(folder) = plots {
        std::fs::create_dir_all(folder)
            .with_context(|| format!("cannot make {}", folder.display()))?;
    }
    say::step("The motion gate on the battery");
    say::line(HEADER);
    let (mut good, mut all) = (0_usize, 0_usize);
    let mut show = |watched: &Watched<'_>| -> anyhow::Result<()> {
        let score = Score::of(&watched.said, watched.truth);
        all += 1;
        good += usize::from(score.complaints().is_empty());
        say::line(&row(watched.name, watched.rate, &score));
        plots.map_or(Ok(()), |folder| watched.draw(folder))
    };
    for case in battery::cases() {
        for rate in &rates {
            let frames = case.frames(*rate);
            let frames = frames.map(|frame| Ok((frame.at_millis, frame.jpeg)));
            show(&Watched::new(case.name, *rate, &case.truth, frames)?)?;
        }
    }
    for (film, truth) in &films {
        for rate in &rates {
            let frames = film.frames(*rate)?;
            let frames = frames.map(|frame| frame.map(|frame| (frame.at_millis, frame.jpeg())));
            show(&Watched::new(&film.name(), *rate, truth, frames)?)?;
        }
    }
    say::line(&format!("{good} of {all} are as good as promised"));
    Ok(())
}

/// A case or a film that the gate has seen.
struct Watched<'a> {
    name: &'a str,
    rate: u32,
    truth: &'a Truth,
    said: Vec<Said>,
    scores: Vec<f32>,
}

impl<'a> Watched<'a> {
    /// Shows the gate these frames: milliseconds and JPEGs.
    fn new(
        name: &'a str,
        rate: u32,
        truth: &'a Truth,
        frames: impl Iterator<Item = Result<(i64, Vec<u8>), FootageError>>,
    ) -> anyhow::Result<Self> {
        let mut watch = Watch::new();
        let (mut said, mut scores) = (Vec::new(), Vec::new());
        for frame in frames {
            let (at_millis, jpeg) = frame?;
            let seen = watch.look(at_millis, &jpeg)?;
            said.push(seen.said);
            scores.push(seen.score);
        }
        Ok(Self {
            name,
            rate,
            truth,
            said,
            scores,
        })
    }

    fn draw(&self, folder: &Path) -> anyhow::Result<()> {
        let plot = Plot {
            title: format!("{}, {} frames a second", self.name, self.rate),
            said: &self.said,
            scores: &self.scores,
            truth: Some(self.truth),
            shots: &[],
        };
        plot.write(&folder.join(format!("{}-{}fps.png", self.name, self.rate)))
    }
}

/// The shared films that are here, with their truth.
fn films() -> anyhow::Result<Vec<(Film, Truth)>> {
    let mut films = Vec::new();
    for name in FILMS {
        let path = Truth::shared_folder().join(name);
        match Truth::beside(&path)?.filter(|_| path.exists()) {
            Some(truth) => films.push((Film::find(&path)?, truth)),
            None => say::line(&format!(
                "skipped: {} or its truth is not here",
                path.display()
            )),
        }
    }
    Ok(films)
}

/// One line of the table.
pub(super) fn row(name: &str, rate: u32, score: &Score) -> String {
    let seconds = |seconds: Option<f64>| match seconds {
        None => "-".to_owned(),
        Some(seconds) if seconds.is_infinite() => "never".to_owned(),
        Some(seconds) => format!("{seconds:.2}"),
    };
    let reports = |reports: Reports| match (reports.found, reports.missed, reports.invented) {
        (0, 0, 0) => "-".to_owned(),
        (found, missed, invented) => format!("{found}/{missed}/{invented}"),
    };
    let complaints = score.complaints();
    let verdict = if complaints.is_empty() {
        "good".to_owned()
    } else {
        complaints.join(", ")
    };
    format!(
        "{name:<30}{rate:>4}{:>7}{:>7}{:>7}{:>9}{:>8.1}{:>8}{:>7}{:>6}{:>8}{:>8}  {verdict}",
        seconds(score.ready),
        seconds(score.on_latency),
        seconds(score.off_latency),
        seconds(Some(score.dropout).filter(|dropout| *dropout > 0.0)),
        score.open_when_empty * 100.0,
        score.visits_found,
        score.visits_missed,
        score.visits_split,
        reports(score.scene_changes),
        reports(score.frozen),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_stand_under_their_headers() {
        let score = Score::of(&[], &Truth::default());
        let row = row("covered_lens", 10, &score);
        for name in ["fps", "ready", "split", "frozen"] {
            let end = HEADER.find(name).unwrap() + name.len();
            assert_ne!(row.as_bytes()[end - 1], b' ', "{name}:\n{HEADER}\n{row}");
            assert_eq!(row.as_bytes()[end], b' ', "{name}:\n{HEADER}\n{row}");
        }
        assert!(row.ends_with("  it is ready too late"), "{row}");
    }
}
