//! `cargo xtask bench analysis`: the real server beside a stand-in of Gemini that counts tokens as the real one does.
//!
//! What one look costs, as frames and as a movie; how many calls the motion gate saves on real footage; and whether
//! one client's analyses that hang keep another's frames waiting.

mod crowd;
mod footage;
mod tokens;
mod world;

use std::path::PathBuf;

use clap::Args;

use crate::{cargo, packages, say};

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Films of cameras, to count calls on; they are looped
    #[arg(long, value_name = "FILE")]
    film: Vec<PathBuf>,
    /// Minutes of footage that each film is looped to
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=120))]
    minutes: u32,
    /// Frames that are timed in each round
    #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u32).range(100..=100_000))]
    frames: u32,
    /// How often frames are timed, with and without analyses that hang
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u8).range(1..=50))]
    rounds: u8,
}

pub(crate) fn run(options: &Options) -> anyhow::Result<()> {
    say::step("Building the server");
    packages::ensure_compiler()?;
    let programs = cargo::build_release(&["-p", "vigint-server", "-p", "vigint-admin"])?;
    tokens::run(&programs)?;
    for film in &options.film {
        footage::run(&programs, film, options.minutes)?;
    }
    crowd::run(&programs, options.frames, options.rounds)
}
