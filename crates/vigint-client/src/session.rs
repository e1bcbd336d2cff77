//! One source from its camera to its last analysis: the one owner of capture, queue and upload.
//!
//! Three loops side by side in one future: pictures go into the queue, frames go to the server in order,
//! analyses are asked for when their time has come. Dropping the future ends all of it, the camera's child
//! process included.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use vigint_core::clock::{Clock, UtcTime};
use vigint_video::jpeg;

use crate::backoff::Backoff;
use crate::capture::{Camera, CaptureError, FrameSource as _, Picture};
use crate::event::{Event, EventSink};
use crate::frame::Frame;
use crate::progress::Counters;
use crate::queue::{FrameQueue, WhenFull};
use crate::schedule::Schedule;
use crate::source::Source;
use crate::uplink::{ApiError, Uplink};

/// Frames of a camera that wait for the network: the newest seconds of it.
const LIVE_SECONDS: f64 = 10.0;
/// Frames of a film that are read ahead.
const FILM_FRAMES: usize = 16;
/// Bytes that wait for the network, of one source.
const MAX_QUEUED_BYTES: usize = 64 * 1024 * 1024;
/// How long a request may go on after a stop.
const STOP_GRACE: Duration = Duration::from_secs(5);
/// Tries with `--once` before the server counts as not reachable.
const TRIES_ONCE: u32 = 3;

/// Why a run ended before its time.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The server refused the key: every other source would fare alike.
    #[error(transparent)]
    KeyRefused(ApiError),
    /// The server did not answer, and the run was to try only once.
    #[error(transparent)]
    Unreachable(ApiError),
    /// The source could not be opened at all.
    #[error(transparent)]
    CannotOpen(#[from] CaptureError),
    /// Of several sources not one could be opened.
    #[error("no source could be opened")]
    NothingOpened,
}

/// What every session of one analyzer shares.
#[derive(Clone)]
pub(crate) struct Surroundings {
    pub(crate) uplink: Uplink,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) events: EventSink,
    /// Stops every session.
    pub(crate) stop: CancellationToken,
}

/// One source being read.
pub(crate) struct Session<C> {
    source: Source,
    camera: C,
    counters: Arc<Counters>,
    around: Surroundings,
    queue: FrameQueue,
    /// Ends the capture of this session only: enough was seen, or everything stops.
    enough: CancellationToken,
}

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
    pub(crate) fn new(
        source: Source,
        camera: C,
        counters: Arc<Counters>,
        around: Surroundings,
    ) -> Self {
        let queue = if source.location.is_live() {
            let frames = Duration::from_secs_f64(source.options.fps * LIVE_SECONDS).as_secs();
            let frames = usize::try_from(frames).unwrap_or(usize::MAX);
            FrameQueue::new(WhenFull::DropOldest, frames, MAX_QUEUED_BYTES)
        } else {
            FrameQueue::new(WhenFull::HoldBack, FILM_FRAMES, MAX_QUEUED_BYTES)
        };
        Self {
            enough: around.stop.child_token(),
            source,
            camera,
            counters,
            around,
            queue,
        }
    }

    /// Reads the source to its end, or until it is stopped.
    pub(crate) async fn run(self) -> Result<(), RunError> {
        let work = async {
            let (due, dues) = mpsc::channel(1);
            tokio::try_join!(self.capture(), self.send(due), self.analyse_when_due(dues))?;
            self.analyse_the_end().await
        };
        let result = tokio::select! {
            result = work => result,
            () = self.grace_is_over() => Ok(()),
        };
        if let Err(RunError::KeyRefused(error) | RunError::Unreachable(error)) = &result {
            self.tell_error(error.code(), &error.to_string());
        }
        if !matches!(result, Err(RunError::CannotOpen(_))) {
            self.note_queue();
            self.tell(|at| Event::SourceEnded {
                at,
                source_id: self.source.id.clone(),
                frames_sent: self.counters.sent.load(Relaxed),
                frames_dropped: self.counters.dropped.load(Relaxed),
                frames_refused: self.counters.refused.load(Relaxed),
            });
        }
        result
    }

    /// Puts pictures into the queue, again after each loss of a camera and each end of a repeated film.
    async fn capture(&self) -> Result<(), RunError> {
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

    /// Sends what is in the queue, in order, and says when an analysis is due.
    async fn send(&self, due: mpsc::Sender<()>) -> Result<(), RunError> {
        let options = self.source.options;
        let mut schedule = Schedule::every(options.interval);
        let mut refusal = String::new();
        while let Some(frame) = self.queue.pop().await {
            self.note_queue();
            let sent = self
                .insist(ApiError::may_pass, || self.around.uplink.buffer(&frame))
                .await;
            match sent {
                Ok(_) => {
                    self.counters.sent.fetch_add(1, Relaxed);
                    refusal.clear();
                }
                Err(_) if self.around.stop.is_cancelled() => return Ok(()),
                Err(error) if options.once && error.may_pass() => {
                    return Err(RunError::Unreachable(error));
                }
                Err(error) => {
                    let error = self.unless_fatal(error)?;
                    self.counters.refused.fetch_add(1, Relaxed);
                    let message = error.to_string();
                    if message != refusal {
                        self.tell_error(error.code(), &message);
                        refusal = message;
                    }
                    continue;
                }
            }
            let Some(captured_at) = frame.captured_at else {
                continue;
            };
            if !schedule.is_due(captured_at) {
                continue;
            }
            match (options.once, self.source.location.is_live()) {
                (true, true) => {
                    self.enough.cancel();
                    return Ok(());
                }
                (true, false) => {}
                (false, false) if options.fast => {
                    self.analyse().await?;
                }
                // One may wait while another runs; more would ask about the same frames.
                (false, _) => {
                    let _ = due.try_send(());
                }
            }
        }
        Ok(())
    }

    async fn analyse_when_due(&self, mut dues: mpsc::Receiver<()>) -> Result<(), RunError> {
        while let Some(()) = dues.recv().await {
            if let Some(delay) = self.analyse().await? {
                let _ = timeout(delay, self.around.stop.cancelled()).await;
            }
        }
        Ok(())
    }

    /// The last look, at the frames that no analysis has covered.
    async fn analyse_the_end(&self) -> Result<(), RunError> {
        let wanted = !self.source.location.is_live() || self.source.options.once;
        let is_news = self.counters.sent.load(Relaxed) > self.counters.analysed.load(Relaxed);
        if wanted && is_news && !self.around.stop.is_cancelled() {
            self.analyse().await?;
        }
        Ok(())
    }

    /// One analysis, told as it is: a failure is an error, never an incident. Returns how long the server
    /// asked to be left alone.
    async fn analyse(&self) -> Result<Option<Duration>, RunError> {
        let covered = self.counters.sent.load(Relaxed);
        let is_live = self.source.location.is_live();
        // A camera's next analysis comes soon enough. A film waits for the server as its frames do, but
        // the provider's own failures (502, 503) are told at once.
        let tries_again = |error: &ApiError| match error {
            ApiError::Unreachable { .. } | ApiError::NotVigint { .. } => !is_live,
            ApiError::Busy { status, .. } => !is_live && *status == 429,
            _ => false,
        };
        let answer = self
            .insist(tries_again, || self.around.uplink.analyze(&self.source.id))
            .await;
        match answer {
            Ok(answer) => {
                self.counters.analysed.store(covered, Relaxed);
                self.counters.set_verdict(answer.verdict.as_str());
                let answer = Box::new(answer);
                self.tell(|at| Event::Analysis { at, answer });
                Ok(None)
            }
            Err(error) => {
                let error = self.unless_fatal(error)?;
                if !self.around.stop.is_cancelled() {
                    self.counters.set_verdict(error.code());
                    self.tell_error(error.code(), &format!("no analysis: {error}"));
                }
                Ok(error.retry_after())
            }
        }
    }

    /// Tries until it works, fails for good, or everything stops. The first failure is told, and every one
    /// that differs from the one before.
    async fn insist<T, F: Future<Output = Result<T, ApiError>>>(
        &self,
        tries_again: impl Fn(&ApiError) -> bool,
        attempt: impl Fn() -> F,
    ) -> Result<T, ApiError> {
        let mut backoff = Backoff::of_server();
        let mut told = String::new();
        let mut tries = 0;
        loop {
            let error = match attempt().await {
                Err(error) if tries_again(&error) => error,
                done => return done,
            };
            tries += 1;
            if self.source.options.once && tries >= TRIES_ONCE {
                return Err(error);
            }
            let message = error.to_string();
            if message != told {
                self.tell_error(error.code(), &format!("{message}; trying again"));
                told = message;
            }
            let delay = error.retry_after().unwrap_or_else(|| backoff.next());
            if timeout(delay, self.around.stop.cancelled()).await.is_ok() {
                return Err(error);
            }
        }
    }

    /// The errors that end a run.
    fn unless_fatal(&self, error: ApiError) -> Result<ApiError, RunError> {
        match error {
            ApiError::KeyRefused(_) => Err(RunError::KeyRefused(error)),
            ApiError::Unreachable { .. } | ApiError::NotVigint { .. }
                if self.source.options.once =>
            {
                Err(RunError::Unreachable(error))
            }
            error => Ok(error),
        }
    }

    async fn grace_is_over(&self) {
        self.around.stop.cancelled().await;
        let _ = timeout(STOP_GRACE, std::future::pending::<()>()).await;
    }

    fn tell_opened(&self, picture: &Picture) {
        let (width, height) = match jpeg::inspect(&picture.jpeg, u64::MAX) {
            Ok(info) => (info.width, info.height),
            Err(_) => (0, 0),
        };
        self.tell(|at| Event::SourceOpened {
            at,
            source_id: self.source.id.clone(),
            location: self.source.location.to_string(),
            width,
            height,
        });
    }

    fn tell_error(&self, code: &str, message: &str) {
        self.tell(|at| Event::Error {
            at,
            source_id: Some(self.source.id.clone()),
            code: code.to_owned(),
            message: message.to_owned(),
        });
    }

    fn tell(&self, event: impl FnOnce(UtcTime) -> Event) {
        (self.around.events)(event(self.around.clock.now()));
    }

    fn note_queue(&self) {
        self.counters.queued.store(self.queue.len(), Relaxed);
        self.counters.dropped.store(self.queue.dropped(), Relaxed);
    }
}

/// Opens `camera`, takes one picture and closes it again.
pub(crate) async fn look_once(camera: &impl Camera) -> Result<Picture, CaptureError> {
    let mut frames = camera.open(None).await?;
    let picture = frames.next_frame().await;
    frames.close().await;
    picture?.ok_or_else(|| CaptureError::Failed("there is no picture in it".to_owned()))
}

#[cfg(test)]
mod tests;
