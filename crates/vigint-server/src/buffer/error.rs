//! Why a frame was not taken in, or why there is none to look at.

use vigint_core::ids::SourceId;

/// A frame that was not taken in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BufferError {
    /// The client has as many sources in memory as it may.
    #[error(
        "too many sources: {max} may be buffered at once; remove one, or wait until one has been silent for 10 minutes"
    )]
    TooManySources {
        /// How many it may have.
        max: usize,
    },
}

/// A batch of which nothing was taken in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("frame {index}: {error}")]
pub struct BatchError {
    /// The first frame that could not be taken in, counted from 0.
    pub index: usize,
    /// Why.
    #[source]
    pub error: BufferError,
}

/// Nothing to look at.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "nothing is buffered of source '{0}', or its camera has fallen silent: send frames, then ask again"
)]
pub struct NoFrames(pub SourceId);
