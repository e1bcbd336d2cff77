//! `vigint-admin`: the operator's command line.
//!
//! `cli` knows what may be typed, `commands` what it does, `console` how it is shown and asked for. A
//! command answers with the very object that the admin API answers with.

mod cli;
mod commands;
mod console;
mod failure;

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    match commands::run(cli::Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) if failure.is_closed_pipe() => ExitCode::SUCCESS,
        Err(failure) => {
            console::say(&format!("vigint-admin: {failure}"));
            failure.exit_code()
        }
    }
}
