//! `vigint-server`.

mod cli;

use std::process::ExitCode;

use clap::Parser as _;

#[allow(clippy::print_stderr, reason = "the last word of a program that fails")]
fn main() -> ExitCode {
    // The only provider compiled in; an error means that it is already there.
    let _ = rustls::crypto::ring::default_provider().install_default();
    match cli::Cli::parse().run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("vigint-server: {error:#}");
            ExitCode::FAILURE
        }
    }
}
