//! What is printed and asked: answers on standard output, everything said beside them on standard error.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "this is the room that prints"
)]

use std::io::{self, BufRead as _, IsTerminal as _, Write as _};

use comfy_table::{Table, presets};
use serde::Serialize;

/// Prints an answer for a program.
pub(crate) fn answer_json(answer: &impl Serialize) {
    match serde_json::to_string_pretty(answer) {
        Ok(json) => println!("{json}"),
        Err(error) => eprintln!("vigint-admin: the answer could not be written: {error}"),
    }
}

/// Prints an answer for a person.
pub(crate) fn answer(line: &str) {
    println!("{line}");
}

/// Prints a table for a person.
pub(crate) fn answer_table(header: &[&str], rows: impl IntoIterator<Item = Vec<String>>) {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(header);
    for row in rows {
        table.add_row(row);
    }
    println!("{table}");
}

/// Says something beside the answer.
pub(crate) fn say(line: &str) {
    eprintln!("{line}");
}

/// Whether a person can be asked.
pub(crate) fn can_ask() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Asks a question; only `y` or `yes` is a yes.
pub(crate) fn ask(question: &str) -> io::Result<bool> {
    eprint!("{question} [y/N] ");
    io::stderr().flush()?;
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line)?;
    Ok(matches!(
        line.trim().to_ascii_lowercase().as_str(),
        "y" | "yes"
    ))
}
