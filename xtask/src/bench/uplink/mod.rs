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

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use vigint_testkit::programs;

pub(super) use self::pictures::{Options as PicturesOptions, run as show_pictures};
use crate::{cargo, packages, say};

const CLIENT: &str = "vigint-client";

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
    /// Take the client that stands beside this program as it was built, instead of building it for release
    #[arg(long, conflicts_with = "ways_only")]
    debug: bool,
}

pub(super) fn run(options: &Options) -> anyhow::Result<()> {
    // Before anything is measured: a build takes the processors.
    let client = if options.ways_only {
        None
    } else {
        Some(client(options.debug)?)
    };
    let frames = pictures::drawn();
    let bytes: usize = frames.iter().map(Vec::len).sum();
    say::line(&format!(
        "a frame is a drawn JPEG of 1280x720, {} bytes",
        bytes / frames.len().max(1)
    ));
    if !options.away {
        ways::measure(&frames)?;
    }
    let Some(client) = client else {
        return Ok(());
    };
    world::watch(
        &client,
        options.cameras,
        options.fps,
        Duration::from_secs(options.minutes * 60),
        options.away,
        &frames,
    )
}

/// The client's program that is measured.
fn client(debug: bool) -> anyhow::Result<PathBuf> {
    if debug {
        return Ok(programs::path(CLIENT));
    }
    packages::ensure_compiler()?;
    say::step("Building the client (the first time takes some minutes)");
    Ok(cargo::build_release(&["-p", CLIENT])?.join(CLIENT))
}
