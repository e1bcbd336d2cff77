//! From the camera into the queue: opened again after each loss, and after each end of a repeated film.

use std::sync::Arc;

use tokio::time::timeout;
use vigint_core::clock::UtcTime;

use super::restarts::Restarts;
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
    /// Something broke.
    Broken(CaptureError),
}

/// What was taken of the source so far, over all openings.
#[derive(Debug, Default)]
struct Taken {
    /// When the newest picture was.
    last: Option<UtcTime>,
    /// How many there were.
    number: i64,
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
        let backoff = Backoff::of_camera().jittered(Arc::clone(&self.around.random));
        let mut restarts = Restarts::new(backoff);
        let mut taken = Taken::default();
        loop {
            restarts.begins(self.around.clock.elapsed());
            let reason = match self.capture_one_opening(&mut restarts, &mut taken).await {
                Ending::Enough => return Ok(()),
                Ending::End if !goes_on => return Ok(()),
                Ending::End if !is_live => continue,
                Ending::Broken(error) if taken.last.is_none() && !self.may_open_later() => {
                    self.tell_cannot_open(&error);
                    return Err(error.into());
                }
                Ending::Broken(error) => error.to_string(),
                Ending::End => "the camera ended its stream".to_owned(),
            };
            let failure = restarts.failed(self.around.clock.elapsed(), &reason);
            let was_open = taken.last.is_some();
            // Until another is open, or none can be, nobody knows whether this one is tried again.
            let is_given_up = !was_open && !self.others_are_open().await;
            if let Some(untold) = failure.tell {
                self.tell_failure(&reason, untold, was_open, goes_on && !is_given_up);
            }
            if is_given_up {
                return Err(CaptureError::Failed(reason).into());
            }
            if !goes_on
                || timeout(failure.delay, self.enough.cancelled())
                    .await
                    .is_ok()
            {
                return Ok(());
            }
        }
    }

    /// Whether a camera that has not shown anything yet is tried again: as one of several, when another is open.
    fn may_open_later(&self) -> bool {
        self.seat.is_some() && self.source.location.is_live() && !self.source.options.once
    }

    async fn others_are_open(&self) -> bool {
        match &self.seat {
            Some(seat) => seat.failed(&self.around.stop).await,
            None => false,
        }
    }

    async fn capture_one_opening(&self, restarts: &mut Restarts, taken: &mut Taken) -> Ending {
        let opened = tokio::select! {
            opened = self.camera.open(taken.last) => opened,
            () = self.enough.cancelled() => return Ending::Enough,
        };
        let mut frames = match opened {
            Ok(frames) => frames,
            Err(error) => return Ending::Broken(error),
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
                Err(error) => break Ending::Broken(error),
            };
            if is_first {
                let now = self.around.clock.elapsed();
                self.tell_opened(&picture, restarts.opened(now), now);
                is_first = false;
            }
            self.counters.note_picture(self.around.clock.elapsed());
            if let Some(newest) = &self.newest {
                newest.show(&picture);
            }
            let frame = self.frame(picture, taken);
            tokio::select! {
                () = self.queue.push(frame) => {}
                () = self.enough.cancelled() => break Ending::Enough,
                () = frames.attend() => {}
            }
            self.note_queue();
        };
        frames.close().await;
        ending
    }

    fn frame(&self, picture: Picture, taken: &mut Taken) -> Frame {
        taken.number += 1;
        taken.last = Some(picture.captured_at);
        Frame {
            jpeg: picture.jpeg,
            source_id: self.source.id.clone(),
            source_name: self.source.name.clone(),
            number: Some(taken.number),
            captured_at: Some(picture.captured_at),
        }
    }
}
