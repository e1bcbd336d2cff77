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

/// The servers of the integration tests, for the unit tests of what asks a server.
#[cfg(test)]
#[path = "../tests/it/authority.rs"]
#[allow(
    dead_code,
    reason = "shared with the integration tests, which use more of it"
)]
mod authority;
#[cfg(test)]
#[path = "../tests/it/scripted_server.rs"]
#[allow(
    dead_code,
    reason = "shared with the integration tests, which use more of it"
)]
mod scripted_server;

use std::process::ExitCode;

fn main() -> ExitCode {
    memory::give_pictures_back();
    commands::dispatch().into()
}
