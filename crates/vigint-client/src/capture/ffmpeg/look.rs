//! One look at a source: a single picture, as it would be sent, and what its video is like.

use super::command::of_look;
use super::frames::FfmpegFrames;
use super::version::Abilities;
use super::{FfmpegCamera, Pace};
use crate::capture::stream::NativeStream;
use crate::capture::{CaptureError, FrameSource as _, Picture};

/// What a look found.
#[derive(Clone, Debug)]
pub(crate) struct Look {
    pub(crate) picture: Picture,
    pub(crate) native: Option<NativeStream>,
}

impl FfmpegCamera {
    /// Opens the source, takes its first picture and closes it again. Takes no longer than a source may that is read.
    pub(crate) async fn look(&self) -> Result<Look, CaptureError> {
        let abilities = Abilities::of_installed().await?;
        let order = of_look(&self.location, &self.options, abilities);
        let (location, options) = (&self.location, &self.options);
        let mut frames = FfmpegFrames::start(
            order,
            Pace::Live { last: None },
            location,
            options,
            &self.clock,
        )
        .await?;
        let picture = frames.next_frame().await;
        // There is but one: the end that follows it brings ffmpeg's last words, too.
        if matches!(picture, Ok(Some(_))) {
            let _ = frames.next_frame().await;
        }
        let native = NativeStream::find(&frames.said());
        frames.close().await;
        let picture = picture?;
        let picture =
            picture.ok_or_else(|| CaptureError::Failed("there is no picture in it".to_owned()))?;
        Ok(Look { picture, native })
    }
}
