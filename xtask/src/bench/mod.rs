//! `cargo xtask bench`: measurements of the real programs, as ratios, so that they say the same on any
//! machine.

mod analysis;
mod customer;
mod ingest;

use clap::Subcommand;

#[derive(Debug, Subcommand)]
pub(crate) enum Bench {
    /// Frames a second beside a bare handler, and memory beside the JPEG bytes held
    Ingest(ingest::Options),
    /// What an analysis costs in tokens and calls, and whom one that hangs keeps waiting
    Analysis(analysis::Options),
}

pub(crate) fn run(bench: &Bench) -> anyhow::Result<()> {
    match bench {
        Bench::Ingest(options) => ingest::run(options),
        Bench::Analysis(options) => analysis::run(options),
    }
}
