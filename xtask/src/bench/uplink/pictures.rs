//! A camera as ffmpeg would write it: drawn pictures into standard output, as `ffmpeg -f mpjpeg` does.

use std::io::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use clap::Args;
use vigint_core::clock::{Clock as _, SystemClock};
use vigint_testkit::scene;

/// So many different ones are drawn.
const PICTURES: u64 = 10;

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Where the pictures lie
    folder: PathBuf,
    /// Frames a second
    fps: u8,
}

/// Pictures of 720p, with the noise that keeps a camera's JPEGs from being small.
pub(super) fn drawn() -> Vec<Vec<u8>> {
    (1..=PICTURES)
        .map(|seed| scene::noise_frame(seed, 1280, 720))
        .collect()
}

/// Writes pictures until nobody reads them any more.
pub(crate) fn run(options: &Options) -> anyhow::Result<()> {
    let mut names: Vec<_> = std::fs::read_dir(&options.folder)?
        .collect::<Result<Vec<_>, _>>()?
        .into_iter()
        .map(|entry| entry.path())
        .collect();
    names.sort();
    let pictures = names
        .iter()
        .map(std::fs::read)
        .collect::<Result<Vec<_>, _>>()
        .context("a picture cannot be read")?;
    let period = Duration::from_secs(1) / u32::from(options.fps);
    let clock = SystemClock::new();
    let mut due = clock.elapsed();
    let mut out = std::io::stdout().lock();
    out.write_all(b"--ffmpeg\r\n")?;
    for picture in pictures.iter().cycle() {
        while let Some(rest) = due
            .checked_sub(clock.elapsed())
            .filter(|rest| !rest.is_zero())
        {
            std::thread::park_timeout(rest);
        }
        due += period;
        let length = picture.len();
        let head = format!("Content-type: image/jpeg\r\nContent-length: {length}\r\n\r\n");
        let written = out
            .write_all(head.as_bytes())
            .and_then(|()| out.write_all(picture))
            .and_then(|()| out.write_all(b"\r\n--ffmpeg\r\n"))
            .and_then(|()| out.flush());
        if written.is_err() {
            return Ok(());
        }
    }
    Ok(())
}
