//! `cargo xtask bench`: measurements of the real programs, as ratios, so that they say the same on any
//! machine.

mod ingest;

use clap::Subcommand;

#[derive(Debug, Subcommand)]
pub(crate) enum Bench {
    /// Frames a second beside a bare handler, and memory beside the JPEG bytes held
    Ingest(ingest::Options),
}

pub(crate) fn run(bench: &Bench) -> anyhow::Result<()> {
    match bench {
        Bench::Ingest(options) => ingest::run(options),
    }
}
