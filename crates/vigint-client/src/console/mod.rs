//! Everything the program prints, and nothing else may print.
//!
//! Standard output: events, as lines for people or as JSON. Standard error: warnings and errors, and on a
//! terminal a live line for each source. Texts from the server lose what could steer a terminal.
//!
//! Here: where words go. `words` says an event in words, `news` what of it is worth a line, `live` the lines that
//! move, `journal` what systemd is told beside them.

mod journal;
mod live;
mod news;
mod words;

use std::io::{self, IsTerminal as _, Write as _};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::Serialize;
use vigint_client::{Event, SourceProgress};
use vigint_core::text::plain_line;

use live::LiveLines;
use news::News;
use words::{Words, words_of};

/// Where words go.
pub(crate) struct Console {
    json: bool,
    /// The live lines, on a terminal.
    live: Option<Mutex<LiveLines>>,
    /// What people were told of each source.
    news: Mutex<News>,
    /// Whether standard error is systemd's journal.
    under_journal: bool,
}

impl Console {
    /// `live`: status lines may be shown if somebody sits there.
    pub(crate) fn new(json: bool, live: bool) -> Self {
        let has_viewer = live && !json && io::stderr().is_terminal();
        Self {
            json,
            live: has_viewer.then(Mutex::default),
            news: Mutex::default(),
            under_journal: journal::is_stderr(),
        }
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
        let mark = if self.under_journal {
            journal::WARNING
        } else {
            ""
        };
        self.above_live_lines(|| err(&format!("{mark}{line}")));
    }

    /// One JSON value on one line of standard output.
    pub(crate) fn answer_json(&self, value: &impl Serialize) {
        if let Ok(line) = serde_json::to_string(value) {
            out(&line);
        }
    }

    /// An event: JSON, or words when it is news to people; what went wrong also on standard error.
    pub(crate) fn event(&self, event: &Event) {
        if self.json {
            self.answer_json(event);
        }
        if !lock(&self.news).is_news(event) {
            return;
        }
        match words_of(event) {
            Words::Nothing => {}
            Words::Said(line) => self.say(&line),
            Words::Complaint(line) => self.complain(&line),
        }
    }

    /// Brings the live lines up to date, `since` after the last time.
    pub(crate) fn show(&self, progress: &[SourceProgress], since: Duration) {
        if let Some(live) = &self.live {
            lock(live).show(progress, since);
        }
    }

    /// Says something else on the live line of this name.
    pub(crate) fn show_line(&self, name: &str, text: &str) {
        if let Some(live) = &self.live {
            lock(live).say(name, text);
        }
    }

    /// Takes the live lines away.
    pub(crate) fn clear(&self) {
        if let Some(live) = &self.live {
            lock(live).clear();
        }
    }

    fn above_live_lines(&self, print: impl FnOnce()) {
        match &self.live {
            Some(live) => lock(live).above(print),
            None => print(),
        }
    }
}

fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
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

/// A text that is whole as it is.
pub(crate) fn answer_bytes(text: &[u8]) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(text)?;
    stdout.flush()
}

/// A text from outside on one line, without anything that steers a terminal.
pub(crate) fn one_line(text: &str) -> String {
    plain_line(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_from_outside_cannot_steer_the_terminal() {
        assert_eq!(one_line("a\u{1b}[2Jb\nc http://x"), "a[2Jb c http://x");
    }
}
