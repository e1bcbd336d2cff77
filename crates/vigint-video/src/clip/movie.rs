//! The MP4 around the coded pictures: fast start (`moov` before `mdat`), each picture at its own time.
//!
//! The only place that names muxide, so that it can be exchanged.

#![allow(
    clippy::cast_precision_loss,
    reason = "ticks of a clip stay far below 2^53, so f64 holds them exactly"
)]

use std::io::Write;

use muxide::api::{Muxer, MuxerBuilder, VideoCodec};

use super::ClipError;
use super::pace::TICKS;

/// A movie being made. Holds the coded pictures until [`Movie::finish`]: fast start needs their sizes first.
pub(super) struct Movie<'a> {
    muxer: Muxer<&'a mut dyn Write>,
}

impl<'a> Movie<'a> {
    /// A movie of this size in pixels that will be written to `out`.
    pub(super) fn new(out: &'a mut dyn Write, width: u32, height: u32) -> Result<Self, ClipError> {
        // The frame rate is only a hint to muxide; what is written are the times of the pictures.
        let muxer = MuxerBuilder::new(out)
            .video(VideoCodec::H264, width, height, 25.0)
            .with_fast_start(true)
            .build()
            .map_err(|error| ClipError::Write(error.to_string()))?;
        Ok(Self { muxer })
    }

    /// Adds a coded picture (Annex B), shown from `ticks` on. Ticks must grow.
    pub(super) fn push(&mut self, ticks: u64, coded: &[u8], key: bool) -> Result<(), ClipError> {
        self.muxer
            .write_video(ticks as f64 / TICKS as f64, coded, key)
            .map_err(|error| ClipError::Write(error.to_string()))
    }

    /// Writes the file. The last picture is shown as long as the one before it.
    pub(super) fn finish(self) -> Result<(), ClipError> {
        self.muxer
            .finish()
            .map_err(|error| ClipError::Write(error.to_string()))
    }
}
