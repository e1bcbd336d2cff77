//! `vigint-client`: the program customers run. It parses, calls the library, prints, and ends with a code.

mod cameras;
mod cli;
mod commands;
mod console;
mod exit;
mod memory;
mod outage_words;
mod sight;
mod still;

use std::process::ExitCode;

fn main() -> ExitCode {
    memory::give_pictures_back();
    commands::dispatch().into()
}
