//! Movies made of single JPEGs: a seam ([`ClipEncoder`]) and what stands behind it ([`H264ClipEncoder`]).
//!
//! A clip shows frames at their own times. It must not know where frames are kept or where the movie goes:
//! frames come from an iterator, one at a time, and the movie is written to a `Write`.

mod canvas;
mod encoder;
mod movie;
mod pace;

use bytes::Bytes;
use vigint_core::clock::UtcTime;

pub use encoder::H264ClipEncoder;

/// What the operator may choose.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ClipSettings {
    /// Bits a second, in thousands, clamped to 50..=50,000. By default derived from the picture's size and
    /// the frames a second: about 2,500 at 1280x720 and 25 a second.
    pub bitrate_kbps: Option<u32>,
}

/// One frame of a clip.
#[derive(Debug, Clone)]
pub struct ClipFrame {
    /// When it was taken.
    pub at: UtcTime,
    /// The picture as it came.
    pub jpeg: Bytes,
}

/// What was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClipInfo {
    /// How long the movie plays, in milliseconds.
    pub duration_ms: u64,
    /// Width in pixels, even, 16..=1920.
    pub width: u32,
    /// Height in pixels, even, 16..=1920.
    pub height: u32,
    /// Pictures in the movie. A clip of one frame shows it twice, half a second each.
    pub frames: u32,
    /// Frames left out because they could not be decoded.
    pub skipped: u32,
}

/// Why no clip could be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClipError {
    /// There was no frame, or none that decodes.
    #[error("no clip: none of the {skipped} frames could be decoded")]
    NoFrames {
        /// Frames that were tried.
        skipped: u32,
    },
    /// The frames could not be read.
    #[error("no clip: the frames could not be read: {0}")]
    Read(#[source] std::io::Error),
    /// The H.264 encoder refused.
    #[error("no clip: the H.264 encoder failed: {0}")]
    Encode(String),
    /// The movie could not be written.
    #[error("no clip: the movie could not be written: {0}")]
    Write(String),
    /// Something panicked; the clip is lost, nothing else is.
    #[error("no clip: the encoder failed on these frames")]
    Panicked,
}

/// Makes a movie. Runs on the caller's thread until it is done: minutes of work are possible.
pub trait ClipEncoder: Send + Sync {
    /// Reads the frames, oldest first, one at a time (a few coded ones are held back, one decoded one at a
    /// time), and writes the movie to `out`. Writing begins when the last frame was read.
    ///
    /// The time from one frame to the next is kept between 1/60 s and 1 s; the last lasts as long as the one
    /// before it. A frame that does not decode is left out and counted.
    ///
    /// # Errors
    /// [`ClipError`]; what was written to `out` by then is worthless.
    fn encode(
        &self,
        frames: &mut dyn Iterator<Item = std::io::Result<ClipFrame>>,
        out: &mut dyn std::io::Write,
    ) -> Result<ClipInfo, ClipError>;
}
