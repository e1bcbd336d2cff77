//! The motion gate: which frames the motion detector looks at, and what their window says.
//!
//! At most five frames a second of each source are offered to the [`worker`](super::worker)s, never
//! waiting for them: ingest must not. A frame that was offered and not judged, for whatever reason, leaves
//! its window unknown, and what is unknown counts as open: the gate may cost a look, never hide an
//! incident.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use vigint_core::clock::UtcTime;
use vigint_core::ids::{ClientId, SourceId};
use vigint_video::grey::GreyDecoder;
use vigint_video::motion::{MotionSettings, MotionState};

use super::frame::Frame;
use super::ring::Inserted;
use super::worker::{Job, SourceEye, Tally, Worker};

/// The gate looks at so many frames a second of a source, or at all that a ring keeps, if those are fewer.
const LOOKS_A_SECOND: u32 = 5;

/// So many frames come out of order on a bad line, but not more in a row.
const BEHIND_IN_A_ROW: u32 = 5;

/// How the gate runs.
#[derive(Clone, Debug)]
pub struct GateSettings {
    /// Threads that decode and judge, at least 1.
    pub workers: usize,
    /// How many frames may wait for one thread, all clients' together; each costs a few bytes there, its picture
    /// stays the ring's. Clients take turns, and when there is no room whoever has most waiting gives first.
    pub queue_frames: usize,
    /// How motion is told from noise.
    pub motion: MotionSettings,
}

impl Default for GateSettings {
    /// Two threads with 256 places each: the looks of five sources' whole windows, or of half a second to a second.
    fn default() -> Self {
        Self {
            workers: 2,
            queue_frames: 256,
            motion: MotionSettings::default(),
        }
    }
}

/// What the gate did since it was started, in frames.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GateCounts {
    /// Looked at.
    pub judged: u64,
    /// Not looked at: the threads were behind, or the frame was gone when its turn came.
    pub skipped: u64,
    /// Could not be decoded, or made the decoder or the detector panic.
    pub failed: u64,
}

/// The threads that look. They end, and are waited for, when this is dropped.
#[derive(Debug)]
pub struct Gate {
    workers: Vec<Worker>,
    motion: MotionSettings,
    tally: Arc<Tally>,
}

impl Gate {
    /// Starts the threads.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start(settings: GateSettings, decoder: Arc<dyn GreyDecoder>) -> io::Result<Self> {
        let tally = Arc::new(Tally::default());
        let workers = (0..settings.workers.max(1))
            .map(|_| {
                Worker::start(
                    settings.queue_frames,
                    Arc::clone(&decoder),
                    Arc::clone(&tally),
                )
            })
            .collect::<io::Result<_>>()?;
        Ok(Self {
            workers,
            motion: settings.motion,
            tally,
        })
    }

    /// What it did so far.
    #[must_use]
    pub fn counts(&self) -> GateCounts {
        self.tally.counts()
    }

    /// Gives a frame to the thread of its source.
    fn offer(&self, watch: &Watch, frame: &Arc<Frame>) {
        let index = usize::try_from(watch.hash).unwrap_or(usize::MAX) % self.workers.len().max(1);
        let job = Job::new(&watch.eye, frame);
        if let Some(worker) = self.workers.get(index) {
            worker.offer(watch.client, job);
        }
    }
}

/// The gate's side of one source: which frames it looks at. Lives under the lock of its client.
#[derive(Debug)]
pub(super) struct Watch {
    client: ClientId,
    eye: Arc<SourceEye>,
    /// Says which thread: always the same one for a source, so that its frames stay in order.
    hash: u32,
    interval_ms: i64,
    next_at: Option<UtcTime>,
    offered: u64,
    /// Frames in a row that were placed among older ones.
    behind: u32,
}

impl Watch {
    /// The watch over a source whose ring keeps `ring_fps` frames a second.
    pub(super) fn new(gate: &Gate, client: ClientId, source: &SourceId, ring_fps: u32) -> Self {
        let mut hasher = DefaultHasher::new();
        (client, source).hash(&mut hasher);
        Self {
            client,
            eye: Arc::new(SourceEye::new(client, source.clone(), gate.motion.clone())),
            hash: u32::try_from(hasher.finish() >> 32).unwrap_or(0),
            interval_ms: 1_000 / i64::from(ring_fps.clamp(1, LOOKS_A_SECOND)),
            next_at: None,
            offered: 0,
            behind: 0,
        }
    }

    /// Offers a frame, when it is one to look at.
    ///
    /// A frame placed among older ones does not move the gate; when all are, the camera's clock was set back a little,
    /// and nobody knows what they show: they leave their moments unknown. One that took the newest frame's place
    /// cannot be looked at any more, for the detector's time goes only forward: it leaves its moment
    /// unknown.
    pub(super) fn see(&mut self, gate: &Gate, frame: &Arc<Frame>, inserted: Inserted) {
        match inserted {
            Inserted::Newest | Inserted::Restarted => {
                self.behind = 0;
                self.offer_on_the_beat(gate, frame);
            }
            Inserted::Replaced { newest: true } => frame.pick(),
            Inserted::Placed => {
                self.behind = self.behind.saturating_add(1);
                if self.behind > BEHIND_IN_A_ROW {
                    frame.pick();
                }
            }
            _ => {}
        }
    }

    fn offer_on_the_beat(&mut self, gate: &Gate, frame: &Arc<Frame>) {
        if !self.is_due(frame.at) {
            return;
        }
        frame.pick();
        gate.offer(self, frame);
        self.offered += 1;
    }

    /// The source's clock was set back: the detector, whose time goes only forward, begins again.
    pub(super) fn start_anew(&mut self) {
        self.eye = self.eye.fresh();
        self.next_at = None;
        self.offered = 0;
    }

    /// For how long the very same picture has come at least; zero unless the stream is frozen.
    pub(super) fn unchanged_for(&self) -> Duration {
        self.eye.unchanged_for()
    }

    /// What must be waited for until everything offered so far has been judged.
    pub(super) fn backlog(&self) -> (watch::Receiver<u64>, u64) {
        (self.eye.progress(), self.offered)
    }

    /// Whether this frame is on the beat. The beat keeps its own time, so that a camera's jitter makes
    /// neither more looks nor fewer; after a gap it starts anew.
    fn is_due(&mut self, at: UtcTime) -> bool {
        let early_ms = self.interval_ms / 10;
        let next_at = self.next_at.unwrap_or(at);
        if at < next_at.plus_millis(-early_ms) {
            return false;
        }
        let from = if at.millis_since(next_at) < self.interval_ms {
            next_at
        } else {
            at
        };
        self.next_at = Some(from.plus_millis(self.interval_ms));
        true
    }
}

/// Whether an analyzer must look at these frames (oldest first): always, but when it is known that nothing
/// moved in them.
///
/// Open while the detector is starting, when any frame shows motion or what motion left behind, and when
/// any frame that the gate picked could not be judged: skipped, not yet done, undecodable. A covered camera or a
/// frozen stream is for [`SourceStatus`](super::SourceStatus) to tell; there is nothing in it to judge.
#[must_use]
pub fn gate_is_open(frames: &[Arc<Frame>]) -> bool {
    let state = |frame: &Arc<Frame>| frame.motion.get().map(|sample| sample.state);
    let is_unknown = |frame: &Arc<Frame>| frame.is_picked() && frame.motion.get().is_none();
    let is_moving = |frame: &Arc<Frame>| {
        frame.motion.get().is_some_and(|sample| {
            sample.on || matches!(sample.state, MotionState::Moving | MotionState::Present)
        })
    };
    let newest = frames.iter().rev().find_map(state);
    newest.is_none_or(|state| state == MotionState::Starting)
        || frames
            .iter()
            .any(|frame| is_unknown(frame) || is_moving(frame))
}
