//! Everything the program prints, and nothing else may print.
//!
//! Standard output: events, as lines for people or as JSON. Standard error: warnings and errors, and on a
//! terminal a live line for each source. Texts from the server lose what could steer a terminal.
//!
//! Here: where words go. `words` says an event in words, `news` what of it is worth a line, `live` the lines that
//! move, `printer` the thread that prints, `journal` what systemd is told beside them.

mod journal;
mod live;
mod news;
mod printer;
mod words;

use std::io::{self, IsTerminal as _, Write as _};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde::Serialize;
use vigint_client::{Event, SourceProgress};
use vigint_core::text::{plain_line, plain_words};

use news::News;
use printer::{Job, Printer, WhenFull};
pub(crate) use words::span;
use words::{Words, words_of};

/// Where words go.
pub(crate) struct Console {
    json: bool,
    has_live_lines: bool,
    /// Whether a person waits at a terminal, and no program for JSON.
    is_watched: bool,
    /// Standard output is somebody's screen. Everything else may be a log, which others read and which is kept: a file,
    /// the journal, a container's output.
    answers_are_watched: bool,
    printer: Printer,
    /// What people were told of each source.
    news: Mutex<News>,
}

impl Console {
    /// `goes_on`: of a program that goes on whether or not somebody reads, with status lines where somebody sits.
    pub(crate) fn new(json: bool, goes_on: bool) -> Self {
        Self::printing_to(io::stdout(), json, goes_on)
    }

    /// The same with something else in the place of standard output.
    pub(crate) fn printing_to(
        out: impl io::Write + Send + 'static,
        json: bool,
        goes_on: bool,
    ) -> Self {
        let when_full = if goes_on {
            WhenFull::Drop
        } else {
            WhenFull::Wait
        };
        let is_watched = !json && io::stderr().is_terminal();
        Self {
            json,
            has_live_lines: goes_on && is_watched,
            is_watched,
            answers_are_watched: io::stdout().is_terminal(),
            printer: Printer::start(when_full, out),
            news: Mutex::default(),
        }
    }

    pub(crate) fn has_live_lines(&self) -> bool {
        self.has_live_lines
    }

    /// Prints what still waits, and nothing after that. Gives why standard output could not be written, if so.
    pub(crate) fn finish(&self) -> Option<String> {
        self.printer.finish()
    }

    /// A line for people; with `--json` nothing.
    pub(crate) fn say(&self, line: &str) {
        if !self.json {
            self.printer.print(Job::Out(line.to_owned()));
        }
    }

    /// A warning or an error: always on standard error.
    pub(crate) fn complain(&self, line: &str) {
        let line = format!("{}{line}", journal::mark());
        self.printer.print(Job::Err(line));
    }

    /// One JSON value on one line of standard output.
    pub(crate) fn answer_json(&self, value: &impl Serialize) {
        if let Ok(line) = serde_json::to_string(value) {
            self.printer.print(Job::Out(line));
        }
    }

    /// An event: JSON, or words when it is news to people; what went wrong also on standard error.
    pub(crate) fn event(&self, event: &Event) {
        if self.json {
            self.answer_json(event);
        }
        let mut news = self.news.lock().unwrap_or_else(PoisonError::into_inner);
        if !news.is_news(event) {
            return;
        }
        match words_of(event, self.answers_are_watched) {
            Words::Nothing => {}
            Words::Said(line) => self.say(&line),
            Words::Complaint(line) => self.complain(&line),
        }
    }

    /// Brings the live lines up to date, `since` after the last time.
    pub(crate) fn show(&self, progress: Vec<SourceProgress>, since: Duration) {
        if self.has_live_lines {
            self.printer.print(Job::Show(progress, since));
        }
    }

    /// Says something else on the live line of this name.
    pub(crate) fn show_line(&self, name: &str, text: &str) {
        if self.has_live_lines {
            let (name, text) = (name.to_owned(), text.to_owned());
            self.printer.print(Job::ShowLine(name, text));
        }
    }

    /// Whether standard output is somebody's screen.
    pub(crate) fn answers_are_watched(&self) -> bool {
        self.answers_are_watched
    }

    /// How far a command is that takes a while, on a line that moves where somebody sits.
    pub(crate) fn progress(&self, text: &str) {
        if self.is_watched {
            self.printer
                .print(Job::ShowLine(String::new(), text.to_owned()));
        }
    }

    /// Takes the live lines away.
    pub(crate) fn clear(&self) {
        self.printer.print(Job::Clear);
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

/// What we say ourselves, with what was said to us in it: whole, since the cure stands at its end.
pub(crate) fn whole(text: &str) -> String {
    plain_words(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_from_outside_cannot_steer_the_terminal() {
        assert_eq!(one_line("a\u{1b}[2Jb\nc http://x"), "a[2Jb c http://x");
    }
}
