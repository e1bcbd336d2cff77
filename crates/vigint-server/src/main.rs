//! `vigint-server`.

mod cli;

use std::io::Write as _;
use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    // The only provider compiled in; an error means that it is already there.
    let _ = rustls::crypto::ring::default_provider().install_default();
    match cli::Cli::parse().run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // The last word of a program that fails; where it cannot be said there is nobody left to tell.
            let _ = writeln!(std::io::stderr(), "vigint-server: {error:#}");
            ExitCode::FAILURE
        }
    }
}
