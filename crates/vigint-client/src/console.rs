//! Everything the program prints, and nothing else may print.
//!
//! Standard output: events, as lines for people or as JSON. Standard error: warnings and errors, and on a
//! terminal a live line for each source. Texts from the server lose what could steer a terminal.

use std::collections::HashMap;
use std::io::{self, IsTerminal as _, Write as _};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use serde::Serialize;
use vigint_client::{Event, SourceProgress};
use vigint_core::text::plain_line;
use vigint_core::wire::AnalysisResponse;

/// Where words go.
pub(crate) struct Console {
    json: bool,
    /// The live lines, on a terminal.
    live: Option<Mutex<LiveLines>>,
}

struct LiveLines {
    lines: MultiProgress,
    of_source: HashMap<String, LiveLine>,
}

struct LiveLine {
    bar: ProgressBar,
    sent_before: u64,
}

impl LiveLines {
    fn line(&mut self, name: &str) -> &mut LiveLine {
        let lines = &self.lines;
        self.of_source
            .entry(name.to_owned())
            .or_insert_with(|| LiveLine {
                bar: lines.add(ProgressBar::no_length().with_style(style())),
                sent_before: 0,
            })
    }
}

impl Console {
    /// `live`: status lines may be shown if somebody sits there.
    pub(crate) fn new(json: bool, live: bool) -> Self {
        let has_viewer = live && !json && io::stderr().is_terminal();
        let live = has_viewer.then(|| {
            Mutex::new(LiveLines {
                lines: MultiProgress::new(),
                of_source: HashMap::new(),
            })
        });
        Self { json, live }
    }

    pub(crate) fn has_live_lines(&self) -> bool {
        self.live.is_some()
    }

    /// A line for people; with `--json` nothing.
    pub(crate) fn say(&self, line: &str) {
        if !self.json {
            self.above_live_lines(|| out(line));
        }
    }

    /// A warning or an error: always on standard error.
    pub(crate) fn complain(&self, line: &str) {
        self.above_live_lines(|| err(line));
    }

    /// One JSON value on one line of standard output.
    pub(crate) fn answer_json(&self, value: &impl Serialize) {
        if let Ok(line) = serde_json::to_string(value) {
            out(&line);
        }
    }

    /// An event: JSON, or words; what went wrong also on standard error.
    pub(crate) fn event(&self, event: &Event) {
        if self.json {
            self.answer_json(event);
        }
        match event {
            Event::Error {
                source_id, message, ..
            } => {
                let of = source_id
                    .as_ref()
                    .map_or(String::new(), |id| format!("{id}: "));
                self.complain(&format!("{of}{}", one_line(message)));
            }
            Event::SourceOpened {
                source_id,
                location,
                width,
                height,
                ..
            } => {
                self.say(&format!(
                    "{source_id}: opened {location} ({width}x{height})"
                ));
            }
            Event::Analysis { answer, .. } => self.say(&words_of(answer)),
            Event::SourceEnded {
                source_id,
                frames_sent,
                frames_dropped,
                frames_refused,
                ..
            } => {
                let mut line = format!("{source_id}: ended, {frames_sent} frames sent");
                for (count, what) in [(frames_dropped, "dropped"), (frames_refused, "refused")] {
                    if *count > 0 {
                        line.push_str(&format!(", {count} {what}"));
                    }
                }
                self.say(&line);
            }
            Event::Stopped { .. } => self.say("stopped"),
            _ => {}
        }
    }

    /// Brings the live lines up to date, `since` after the last time.
    pub(crate) fn show(&self, progress: &[SourceProgress], since: Duration) {
        let Some(live) = &self.live else { return };
        let mut live = live.lock().unwrap_or_else(PoisonError::into_inner);
        live.of_source.retain(|id, line| {
            let goes_on = progress
                .iter()
                .any(|source| source.source_id.as_str() == id);
            if !goes_on {
                line.bar.finish_and_clear();
            }
            goes_on
        });
        for source in progress {
            let line = live.line(source.source_id.as_str());
            line.bar
                .set_message(status_of(source, line.sent_before, since));
            line.bar.tick();
            line.sent_before = source.sent;
        }
    }

    /// Says something else on the live line of this name.
    pub(crate) fn show_line(&self, name: &str, text: &str) {
        let Some(live) = &self.live else { return };
        let mut live = live.lock().unwrap_or_else(PoisonError::into_inner);
        let line = live.line(name);
        line.bar.set_message(text.to_owned());
        line.bar.tick();
    }

    /// Takes the live lines away.
    pub(crate) fn clear(&self) {
        if let Some(live) = &self.live {
            let live = live.lock().unwrap_or_else(PoisonError::into_inner);
            let _ = live.lines.clear();
        }
    }

    fn above_live_lines(&self, print: impl FnOnce()) {
        match &self.live {
            Some(live) => {
                let live = live.lock().unwrap_or_else(PoisonError::into_inner);
                live.lines.suspend(print);
            }
            None => print(),
        }
    }
}

/// `println!` would panic when whoever reads has gone.
fn out(line: &str) {
    let mut stdout = io::stdout().lock();
    let _ = writeln!(stdout, "{line}").and_then(|()| stdout.flush());
}

/// `eprintln!` would panic as well. Where standard error is broken there is nobody left to tell.
fn err(line: &str) {
    let _ = writeln!(io::stderr(), "{line}");
}

/// Words before there is a console: help, and what is wrong with the command line.
pub(crate) fn print_usage(text: &str, is_help: bool) {
    if is_help {
        out(text.trim_end());
    } else {
        err(text.trim_end());
    }
}

fn style() -> ProgressStyle {
    ProgressStyle::with_template("{spinner} {wide_msg}")
        .unwrap_or_else(|_| ProgressStyle::default_spinner())
}

fn status_of(source: &SourceProgress, sent_before: u64, since: Duration) -> String {
    let news = u32::try_from(source.sent.saturating_sub(sent_before)).unwrap_or(u32::MAX);
    let fps = f64::from(news) / since.as_secs_f64().max(0.001);
    let mut line = format!(
        "{}: {} frames, {fps:.1} fps, queue {}",
        source.source_id, source.sent, source.queued
    );
    if source.dropped > 0 {
        line.push_str(&format!(", {} dropped", source.dropped));
    }
    let verdict = source.last_verdict.as_deref().unwrap_or("none yet");
    line.push_str(&format!(", verdict: {}", one_line(verdict)));
    line
}

/// An analysis in words.
fn words_of(answer: &AnalysisResponse) -> String {
    let source = one_line(&answer.source_id);
    if !answer.has_security_incident {
        let why = match answer.skipped {
            Some(skipped) => format!(" ({skipped})"),
            None => String::new(),
        };
        return format!("{source}: {}{why}", answer.verdict);
    }
    let mut line = format!(
        "{source}: INCIDENT ({}, risk {}): {}: {}",
        answer.verdict,
        answer.risk_level,
        one_line(&answer.incident_type),
        one_line(&answer.description)
    );
    let url = answer
        .incident
        .as_ref()
        .and_then(|incident| incident.video_url.as_deref());
    if let Some(url) = url.filter(|url| url.starts_with("http") && !url.contains(char::is_control))
    {
        line.push_str(&format!("\n  clip: {url}"));
    }
    line
}

/// A text from outside on one line, without anything that steers a terminal.
pub(crate) fn one_line(text: &str) -> String {
    plain_line(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_status_line_says_frames_rate_queue_and_verdict() {
        let progress = SourceProgress {
            source_id: "till".parse().unwrap(),
            sent: 120,
            dropped: 3,
            refused: 0,
            queued: 7,
            last_verdict: Some("clear".into()),
        };
        assert_eq!(
            status_of(&progress, 115, Duration::from_millis(500)),
            "till: 120 frames, 10.0 fps, queue 7, 3 dropped, verdict: clear"
        );
    }

    #[test]
    fn texts_from_outside_cannot_steer_the_terminal() {
        assert_eq!(one_line("a\u{1b}[2Jb\nc http://x"), "a[2Jb c http://x");
    }
}
