//! `cargo xtask bench`: measurements of the real programs, as ratios, so that they say the same on any
//! machine.

mod analysis;
pub(crate) mod customer;
mod ingest;
mod start;
mod uplink;

use clap::Subcommand;

#[derive(Debug, Subcommand)]
pub(crate) enum Bench {
    /// Frames a second beside a bare handler, and memory beside the JPEG bytes held
    Ingest(ingest::Options),
    /// What an analysis costs in tokens and calls, and whom one that hangs keeps waiting
    Analysis(analysis::Options),
    /// What a frame costs on its way to the server, and what the client holds while there is none
    Uplink(uplink::Options),
    /// Write pictures as a camera of `bench uplink` does
    #[command(hide = true)]
    Pictures(uplink::PicturesOptions),
    /// How large the programs are, and how long they take to start
    Start(start::Options),
}

pub(crate) fn run(bench: &Bench) -> anyhow::Result<()> {
    match bench {
        Bench::Ingest(options) => ingest::run(options),
        Bench::Analysis(options) => analysis::run(options),
        Bench::Uplink(options) => uplink::run(options),
        Bench::Pictures(options) => uplink::show_pictures(options),
        Bench::Start(options) => start::run(options),
    }
}
