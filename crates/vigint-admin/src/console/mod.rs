//! What is printed and asked: answers on standard output, everything said beside them on standard error.
//!
//! Nothing here panics when nobody reads: `println!` and `eprintln!` would, after the work was done.

pub(crate) mod spans;

use std::io::{self, BufRead as _, IsTerminal as _, Write as _};
use std::process::ExitCode;

use comfy_table::{Table, presets};
use serde::Serialize;
use vigint_core::secrecy;
use vigint_core::text::plain_line;

/// Prints an answer for a program.
///
/// # Errors
/// When standard output cannot be written.
pub(crate) fn answer_json(answer: &impl Serialize) -> io::Result<()> {
    answer_line(&serde_json::to_string_pretty(answer)?)
}

/// Prints an answer for a person, one or more lines of it.
///
/// # Errors
/// When standard output cannot be written.
pub(crate) fn answer_line(line: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{line}")?;
    out.flush()
}

/// Prints a text that is whole as it is.
///
/// # Errors
/// When standard output cannot be written.
pub(crate) fn answer_bytes(text: &[u8]) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text)?;
    out.flush()
}

/// Prints a table for a person.
///
/// # Errors
/// When standard output cannot be written.
pub(crate) fn answer_table(
    header: &[&str],
    rows: impl IntoIterator<Item = Vec<String>>,
) -> io::Result<()> {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(header);
    for row in rows {
        table.add_row(row.into_iter().map(|text| plain_line(&text)));
    }
    answer_line(&table.to_string())
}

/// Says something beside the answer. Where standard error is broken there is nobody left to tell.
pub(crate) fn say(line: &str) {
    let _ = writeln!(io::stderr(), "{line}");
}

/// Says what the command line asked for (help, the version), or what is wrong with it: without what was typed and
/// could be a key. Gives the exit code.
pub(crate) fn say_of_command_line(said: &clap::Error) -> ExitCode {
    if !said.use_stderr() {
        let _ = said.print();
        return ExitCode::SUCCESS;
    }
    let typed: Vec<String> = std::env::args().skip(1).collect();
    let text = said.render().to_string();
    let shown = secrecy::without(&text, typed.iter().map(String::as_str));
    say(shown.trim_end());
    ExitCode::from(2)
}

/// Says how to go on where a list ended early.
pub(crate) fn say_next_page(next_cursor: Option<&str>) {
    if let Some(cursor) = next_cursor {
        say(&format!("There is more: go on with --cursor {cursor}"));
    }
}

/// Whether a person can be asked.
pub(crate) fn can_ask() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Asks a question; only `y` or `yes` is a yes.
pub(crate) fn ask(question: &str) -> io::Result<bool> {
    let mut terminal = io::stderr();
    write!(terminal, "{question} [y/N] ")?;
    terminal.flush()?;
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line)?;
    Ok(matches!(
        line.trim().to_ascii_lowercase().as_str(),
        "y" | "yes"
    ))
}
