//! ffmpeg as a camera: a child that writes JPEGs into a pipe, for everything ffmpeg can read.
//!
//! Here: how a source is opened. `command` is what ffmpeg is told, `version` what of it an ffmpeg understands,
//! `frames` the pictures of one child, `look` a single one, `inspection` what a person may want to know of an ffmpeg.

mod command;
mod frames;
mod inspection;
mod look;
mod version;

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use vigint_core::clock::{Clock, UtcTime};

pub(super) use command::{FilmPath, ffmpeg, spawn_error};
use frames::FfmpegFrames;
pub use inspection::{FfmpegInspection, inspect_ffmpeg};
use version::Abilities;

use super::pace::Pace;
use super::reel::Reel;
use super::watch::Surprise;
use super::{Camera, CaptureError};
use crate::source::{Location, ReadOptions};

/// How much of a paced film is walked through to learn its rate.
const RATE_SAMPLE: Duration = Duration::from_secs(30);

/// A source as ffmpeg reads it.
#[derive(Clone, Debug)]
pub(crate) struct FfmpegCamera {
    location: Location,
    options: ReadOptions,
    clock: Arc<dyn Clock>,
    surprise: Surprise,
}

impl FfmpegCamera {
    pub(crate) fn new(location: Location, options: ReadOptions, clock: Arc<dyn Clock>) -> Self {
        Self {
            location,
            options,
            clock,
            surprise: Surprise::default(),
        }
    }

    /// Measures a film and decides its rate and times.
    async fn plan_film(
        &self,
        film: &Path,
        after: Option<UtcTime>,
    ) -> Result<(f64, Pace), CaptureError> {
        let found = tokio::fs::metadata(film).await;
        if found.map_err(CaptureError::File)?.is_dir() {
            return Err(CaptureError::File(io::ErrorKind::IsADirectory.into()));
        }
        let sample = (!self.options.fast).then_some(RATE_SAMPLE);
        let reel = Reel::measure(film, sample).await?;
        // A film is never sent at more pictures than it has: that would send every one of them twice.
        let fps = reel
            .fps
            .map_or(self.options.fps, |own| own.min(self.options.fps));
        let period = Duration::from_secs_f64(1.0 / fps.max(0.01));
        let now = self.clock.now();
        let pace = if self.options.fast {
            Pace::ending_at(now, period, reel.frames_at(fps))
        } else {
            let start = after.map_or(now, |after| now.max(after + period));
            Pace::paced(start, period, &*self.clock)
        };
        Ok((fps, pace))
    }
}

impl Camera for FfmpegCamera {
    type Frames = FfmpegFrames;

    async fn open(&self, after: Option<UtcTime>) -> Result<FfmpegFrames, CaptureError> {
        let (order, pace) = match &self.location {
            Location::File(film) => {
                let (fps, pace) = self.plan_film(film, after).await?;
                let order = command::of_film(film, fps, &self.options);
                (order, pace)
            }
            live => {
                // Asked each time: ffmpeg may be updated while we run for months.
                let abilities = Abilities::of_installed().await?;
                let order = command::of_live(live, &self.options, abilities);
                (order, Pace::Live { last: after })
            }
        };
        let (location, options) = (&self.location, &self.options);
        let started = FfmpegFrames::start(order, pace, location, options, &self.clock).await?;
        Ok(started.knowing(&self.surprise))
    }
}
