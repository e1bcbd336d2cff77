//! From the camera into the queue: opened again after each loss, and after each end of a repeated film.

use tokio::time::timeout;
use vigint_core::clock::UtcTime;

use super::{RunError, Session};
use crate::backoff::Backoff;
use crate::capture::{Camera, CaptureError, FrameSource as _, Picture};
use crate::frame::Frame;

/// How one opening of a camera ended.
enum Ending {
    /// Nobody wants more.
    Enough,
    /// The pictures came to their end.
    End,
    /// Something broke; the flag says whether there were pictures before.
    Broken(CaptureError, bool),
}

impl<C: Camera> Session<C> {
    /// Puts pictures into the queue, again after each loss of a camera and each end of a repeated film.
    pub(super) async fn capture(&self) -> Result<(), RunError> {
        let result = self.capture_all().await;
        if self.around.stop.is_cancelled() {
            self.queue.discard();
        } else {
            self.queue.close();
        }
        result
    }

    async fn capture_all(&self) -> Result<(), RunError> {
        let options = self.source.options;
        let is_live = self.source.location.is_live();
        let goes_on = (is_live && !options.once) || (!is_live && options.repeat);
        let mut backoff = Backoff::of_camera();
        let mut told = String::new();
        let mut last = None;
        let mut number = 0;
        loop {
            let ending = self.capture_one_opening(&mut last, &mut number).await;
            let reason = match ending {
                Ending::Enough => return Ok(()),
                Ending::End if !goes_on => return Ok(()),
                Ending::End if !is_live => continue,
                Ending::Broken(error, _) if last.is_none() => return Err(error.into()),
                Ending::End => {
                    backoff.reset();
                    told.clear();
                    "the camera ended its stream".to_owned()
                }
                Ending::Broken(error, had_pictures) => {
                    if had_pictures {
                        backoff.reset();
                        told.clear();
                    }
                    error.to_string()
                }
            };
            if reason != told {
                let next = if goes_on { "; trying again" } else { "" };
                self.tell_error(
                    "source_failed",
                    &format!("{}: {reason}{next}", self.source.location),
                );
                told = reason;
            }
            if !goes_on
                || timeout(backoff.next(), self.enough.cancelled())
                    .await
                    .is_ok()
            {
                return Ok(());
            }
        }
    }

    async fn capture_one_opening(&self, last: &mut Option<UtcTime>, number: &mut i64) -> Ending {
        let opened = tokio::select! {
            opened = self.camera.open(*last) => opened,
            () = self.enough.cancelled() => return Ending::Enough,
        };
        let mut frames = match opened {
            Ok(frames) => frames,
            Err(error) => return Ending::Broken(error, false),
        };
        let mut is_first = true;
        let ending = loop {
            let next = tokio::select! {
                next = frames.next_frame() => next,
                () = self.enough.cancelled() => break Ending::Enough,
            };
            let picture = match next {
                Ok(Some(picture)) => picture,
                Ok(None) => break Ending::End,
                Err(error) => break Ending::Broken(error, !is_first),
            };
            if is_first {
                self.tell_opened(&picture);
                is_first = false;
            }
            *last = Some(picture.captured_at);
            *number += 1;
            let frame = self.frame(picture, *number);
            tokio::select! {
                () = self.queue.push(frame) => {}
                () = self.enough.cancelled() => break Ending::Enough,
            }
            self.note_queue();
        };
        frames.close().await;
        ending
    }

    fn frame(&self, picture: Picture, number: i64) -> Frame {
        Frame {
            jpeg: picture.jpeg,
            source_id: self.source.id.clone(),
            source_name: self.source.name.clone(),
            number: Some(number),
            captured_at: Some(picture.captured_at),
        }
    }
}

/// Opens `camera`, takes one picture and closes it again.
pub(crate) async fn look_once(camera: &impl Camera) -> Result<Picture, CaptureError> {
    let mut frames = camera.open(None).await?;
    let picture = frames.next_frame().await;
    frames.close().await;
    picture?.ok_or_else(|| CaptureError::Failed("there is no picture in it".to_owned()))
}
