//! One source from its camera to its last analysis: the one owner of capture, queue and upload.
//!
//! Three loops side by side in one future: pictures go into the queue, frames go to the server in order,
//! analyses are asked for when their time has come. Dropping the future ends all of it, the camera's child
//! process included.
//!
//! Here: what a session is, and how the three run. `reading` fills the queue (`restarts` says when a lost camera is
//! tried again and what is told of it), `sending` empties it (`together` says how much goes in one request),
//! `analysing` asks; `moving` says for the status whether something moves, `watching` shows all of it to a motion gate
//! instead of sending it, `trying` only looks whether the source works; `retry` says what is tried again and what ends
//! the run, `telling` what is told of it.

mod analysing;
mod moving;
mod reading;
mod restarts;
mod retry;
mod sending;
mod telling;
mod together;
mod trying;
mod watching;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use vigint_core::clock::Clock;
use vigint_core::random::{Random, SystemRandom};

use crate::capture::{Camera, CaptureError};
use crate::event::EventSink;
use crate::fleet::Seat;
use crate::outage::Outage;
use crate::progress::Counters;
use crate::queue::{Bounds, FrameQueue, Room};
use crate::source::Source;
use crate::uplink::{ApiError, Uplink};

use moving::Newest;

/// Of a camera's frames that wait for the network, the newest so long are kept.
const LIVE_SPAN: Duration = Duration::from_secs(10);
/// Frames of a film that are read ahead.
const FILM_FRAMES: usize = 16;
/// Bytes that wait for the network, of one source.
const MAX_QUEUED_BYTES: usize = 64 * 1024 * 1024;
/// How long a request may go on after a stop.
const STOP_GRACE: Duration = Duration::from_secs(5);

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
    pub(crate) random: Arc<dyn Random>,
    pub(crate) events: EventSink,
    /// Whether somebody wants to know what moves.
    pub(crate) watches_motion: bool,
    /// The memory that their queues share.
    pub(crate) room: Arc<Room>,
    /// What is known of the server.
    pub(crate) outage: Arc<Outage>,
    /// Stops every session.
    pub(crate) stop: CancellationToken,
}

impl Surroundings {
    pub(crate) fn new(uplink: Uplink, clock: Arc<dyn Clock>, events: EventSink) -> Self {
        Self {
            uplink,
            outage: Arc::new(Outage::new(Arc::clone(&clock), Arc::clone(&events))),
            random: Arc::new(SystemRandom),
            room: Arc::default(),
            watches_motion: false,
            clock,
            events,
            stop: CancellationToken::new(),
        }
    }
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
    /// For the motion gate of the status, when there is one.
    newest: Option<Newest>,
    /// Its place among several, when it is one of them.
    seat: Option<Seat>,
}

impl<C: Camera> Session<C> {
    pub(crate) fn new(
        source: Source,
        camera: C,
        counters: Arc<Counters>,
        around: Surroundings,
    ) -> Self {
        let fps = source.options.fps;
        let is_live = source.location.is_live();
        let most = Bounds {
            frames: if is_live {
                live_frames(fps)
            } else {
                FILM_FRAMES
            },
            bytes: MAX_QUEUED_BYTES,
        };
        let queue = if is_live {
            FrameQueue::of_camera(fps, most, LIVE_SPAN, &around.room)
        } else {
            FrameQueue::of_film(most, &around.room)
        };
        Self {
            enough: around.stop.child_token(),
            newest: around.watches_motion.then(Newest::default),
            source,
            camera,
            counters,
            around,
            queue,
            seat: None,
        }
    }

    /// As one of several, which hear of its first opening.
    pub(crate) fn with_seat(mut self, seat: Option<Seat>) -> Self {
        self.seat = seat;
        self
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
            () = self.look_for_motion() => Ok(()),
            () = self.grace_is_over() => Ok(()),
        };
        self.tell_end(&result);
        result
    }

    async fn grace_is_over(&self) {
        self.around.stop.cancelled().await;
        let _ = timeout(STOP_GRACE, std::future::pending::<()>()).await;
    }
}

/// Whole frames of a camera that are [`LIVE_SPAN`]. Of a fraction only the whole is kept, and whatever
/// stands in the options, the queue has room for one.
fn live_frames(fps: f64) -> usize {
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "clamped to the range, and the standard library has no other way; not a number becomes 0"
    )]
    let frames = (fps * LIVE_SPAN.as_secs_f64()).clamp(1.0, f64::from(u32::MAX)) as usize;
    frames
}

#[cfg(test)]
mod tests;
