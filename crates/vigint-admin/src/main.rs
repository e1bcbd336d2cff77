//! `vigint-admin`: the operator's command line.
//!
//! `cli` knows what may be typed, `commands` what it does, `reach` by which way (the server's database, or its
//! admin API), `console` how it is shown and asked for.

mod cli;
mod commands;
mod console;
mod failure;
mod reach;

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    let cli = match cli::Cli::try_parse() {
        Ok(cli) => cli,
        Err(said) => return console::say_of_command_line(&said),
    };
    match commands::run(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) if failure.is_closed_pipe() => ExitCode::SUCCESS,
        Err(failure) => {
            console::say(&format!("vigint-admin: {failure}"));
            failure.exit_code()
        }
    }
}
