//! Without a key: whether the source works, and nothing more.

use super::{RunError, Session};
use crate::capture::{Camera, CaptureError, FrameSource as _, Picture};

impl<C: Camera> Session<C> {
    /// Opens the source, takes one picture and closes it again. Nothing is sent.
    pub(crate) async fn only_try(self) -> Result<(), RunError> {
        let picture = tokio::select! {
            picture = look_once(&self.camera) => picture,
            () = self.around.stop.cancelled() => return Ok(()),
        };
        let picture = match picture {
            Ok(picture) => picture,
            Err(error) => {
                self.tell_cannot_open(&error);
                return Err(error.into());
            }
        };
        self.tell_opened(&picture, None, self.around.clock.elapsed());
        self.tell_ended();
        Ok(())
    }
}

/// Opens `camera`, takes one picture and closes it again.
async fn look_once(camera: &impl Camera) -> Result<Picture, CaptureError> {
    let mut frames = camera.open(None).await?;
    let picture = frames.next_frame().await;
    frames.close().await;
    picture?.ok_or_else(|| CaptureError::Failed("there is no picture in it".to_owned()))
}
