//! `cargo xtask bench uplink`: what a shop's uplink carries, and what the client's program holds when there is no
//! server.
//!
//! The client's real program reads cameras through an `ffmpeg` that is this program again ([`pictures`]); the server
//! is one that takes whatever comes ([`sink`]).

mod forwarder;
mod memory;
mod pictures;
mod sink;
mod ways;
mod world;

use std::time::Duration;

use clap::Args;

pub(super) use self::pictures::{Options as PicturesOptions, run as show_pictures};
use crate::say;

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Cameras
    #[arg(long, default_value_t = 16, value_parser = clap::value_parser!(u8).range(1..=64))]
    cameras: u8,
    /// Frames a second of each
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u8).range(1..=60))]
    fps: u8,
    /// How long memory is watched
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=240))]
    minutes: u64,
    /// Meanwhile the server is away, and comes back at the end
    #[arg(long)]
    away: bool,
    /// Only what a frame costs, sent one by one and in batches
    #[arg(long, conflicts_with = "away")]
    ways_only: bool,
}

pub(super) fn run(options: &Options) -> anyhow::Result<()> {
    let frames = pictures::drawn();
    let bytes: usize = frames.iter().map(Vec::len).sum();
    say::line(&format!(
        "a frame is a drawn JPEG of 1280x720, {} bytes",
        bytes / frames.len().max(1)
    ));
    if !options.away {
        ways::measure(&frames)?;
    }
    if options.ways_only {
        return Ok(());
    }
    world::watch(
        options.cameras,
        options.fps,
        Duration::from_secs(options.minutes * 60),
        options.away,
        &frames,
    )
}
