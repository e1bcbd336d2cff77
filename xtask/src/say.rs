//! All that xtask prints.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "this is the one room that prints"
)]

/// The header of a step.
pub(crate) fn step(text: &str) {
    println!("\n==> {text}");
}

/// A line about the step that runs.
pub(crate) fn line(text: &str) {
    println!("    {text}");
}

/// A line as it is, for others to read.
pub(crate) fn plain(text: &str) {
    println!("{text}");
}

/// Why the task failed, with its causes.
pub(crate) fn failure(error: &anyhow::Error) {
    eprintln!("\nFAILED: {error:#}");
}
