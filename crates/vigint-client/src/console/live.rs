//! The lines that move, one for each source, on a terminal.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use vigint_client::SourceProgress;

use super::one_line;
use super::words::span;

/// Looks that a rate is the mean of.
const LOOKS: usize = 6;
/// A source whose newest picture is older than this has stopped.
const STOPPED: Duration = Duration::from_secs(5);

/// All of them.
#[derive(Debug, Default)]
pub(super) struct LiveLines {
    lines: MultiProgress,
    of_source: HashMap<String, LiveLine>,
}

#[derive(Debug)]
struct LiveLine {
    bar: ProgressBar,
    rates: Rates,
}

/// What a source did between the last looks.
#[derive(Debug, Default)]
struct Rates {
    looks: VecDeque<Look>,
}

#[derive(Clone, Copy, Debug)]
struct Look {
    after: Duration,
    captured: u64,
    sent_bytes: u64,
}

impl LiveLines {
    /// Brings them up to date, `since` after the last time.
    pub(super) fn show(&mut self, progress: &[SourceProgress], since: Duration) {
        self.of_source.retain(|id, line| {
            let goes_on = progress
                .iter()
                .any(|source| source.source_id.as_str() == id);
            if !goes_on {
                line.bar.finish_and_clear();
            }
            goes_on
        });
        let ids = progress
            .iter()
            .map(|source| source.source_id.as_str().len());
        let width = ids.max().unwrap_or_default();
        for source in progress {
            let line = self.line(source.source_id.as_str());
            let rates = line.rates.after(source, since);
            line.bar.set_message(status_of(source, rates, width));
            line.bar.tick();
        }
    }

    /// Says something else on the line of this name.
    pub(super) fn say(&mut self, name: &str, text: &str) {
        let line = self.line(name);
        line.bar.set_message(text.to_owned());
        line.bar.tick();
    }

    /// Takes them away for good: what is printed afterwards must not bring them back.
    pub(super) fn clear(&mut self) {
        for (_, line) in self.of_source.drain() {
            line.bar.finish_and_clear();
        }
        let _ = self.lines.clear();
    }

    /// Prints what stays, above them.
    pub(super) fn above(&self, print: impl FnOnce()) {
        self.lines.suspend(print);
    }

    fn line(&mut self, name: &str) -> &mut LiveLine {
        let lines = &self.lines;
        self.of_source
            .entry(name.to_owned())
            .or_insert_with(|| LiveLine {
                bar: lines.add(ProgressBar::no_length().with_style(style())),
                rates: Rates::default(),
            })
    }
}

impl Rates {
    /// Pictures and bytes a second over the last looks.
    fn after(&mut self, source: &SourceProgress, since: Duration) -> (f64, f64) {
        self.looks.push_back(Look {
            after: since,
            captured: source.captured,
            sent_bytes: source.sent_bytes,
        });
        if self.looks.len() > LOOKS {
            self.looks.pop_front();
        }
        let (Some(first), Some(last)) = (self.looks.front(), self.looks.back()) else {
            return (0.0, 0.0);
        };
        let seconds: f64 = self
            .looks
            .iter()
            .skip(1)
            .map(|look| look.after.as_secs_f64())
            .sum();
        let rate = |from: u64, to: u64| {
            let count = u32::try_from(to.saturating_sub(from)).unwrap_or(u32::MAX);
            f64::from(count) / seconds.max(0.001)
        };
        (
            rate(first.captured, last.captured),
            rate(first.sent_bytes, last.sent_bytes),
        )
    }
}

fn style() -> ProgressStyle {
    ProgressStyle::with_template("{spinner} {wide_msg}")
        .unwrap_or_else(|_| ProgressStyle::default_spinner())
}

fn status_of(source: &SourceProgress, (fps, bytes): (f64, f64), width: usize) -> String {
    let mut line = format!("{:width$}", source.source_id.as_str());
    match source.last_picture_age {
        None => line.push_str("  no picture yet"),
        Some(age) if age >= STOPPED => {
            line.push_str(&format!("  no picture for {}", span(age)));
        }
        Some(age) => {
            let (age, kilobytes) = (age.as_secs_f64(), bytes / 1000.0);
            line.push_str(&format!(
                "  {fps:4.1} fps, {age:.1} s ago  {kilobytes:4.0} kB/s"
            ));
        }
    }
    line.push_str(&format!("  queue {}", source.queued));
    if source.thinned > 0 {
        line.push_str(&format!(", {} left out", source.thinned));
    }
    if source.dropped > 0 {
        line.push_str(&format!(", {} dropped", source.dropped));
    }
    if let Some(moves) = source.moves {
        line.push_str(if moves { "  motion" } else { "  no motion" });
    }
    let verdict = source.last_verdict.as_deref().unwrap_or("not judged yet");
    line.push_str(&format!("  {}", one_line(verdict)));
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    fn progress() -> SourceProgress {
        SourceProgress {
            source_id: "till".parse().unwrap(),
            captured: 120,
            sent: 117,
            sent_bytes: 3_000_000,
            dropped: 3,
            thinned: 0,
            refused: 0,
            queued: 7,
            last_picture_age: Some(Duration::from_millis(120)),
            moves: Some(true),
            last_verdict: Some("clear".into()),
        }
    }

    #[test]
    fn a_line_says_rate_age_bytes_queue_motion_and_verdict() {
        assert_eq!(
            status_of(&progress(), (9.96, 412_300.0), 6),
            "till    10.0 fps, 0.1 s ago   412 kB/s  queue 7, 3 dropped  motion  clear"
        );
        let stopped = SourceProgress {
            last_picture_age: Some(Duration::from_secs(75)),
            moves: None,
            last_verdict: None,
            dropped: 0,
            ..progress()
        };
        assert_eq!(
            status_of(&stopped, (0.0, 0.0), 4),
            "till  no picture for 1 min 15 s  queue 7  not judged yet"
        );
    }

    #[test]
    fn rates_are_means_over_the_last_looks() {
        let mut rates = Rates::default();
        let half = Duration::from_millis(500);
        let mut shown = (0.0, 0.0);
        for n in 0..20 {
            let source = SourceProgress {
                captured: n * 5,
                sent_bytes: n * 1000,
                ..progress()
            };
            shown = rates.after(&source, half);
        }
        assert_eq!(shown, (10.0, 2000.0));
    }
}
