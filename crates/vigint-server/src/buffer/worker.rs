//! The threads on which frames are decoded and judged.
//!
//! A worker knows neither rings nor tenants: it is given a frame and the detector of its source. A picture
//! that makes the decoder or the detector panic costs that frame, and the source's detector starts anew.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::watch;
use vigint_core::ids::{ClientId, SourceId};
use vigint_video::grey::GreyDecoder;
use vigint_video::motion::{MotionDetector, MotionScratch, MotionSettings};

use super::condition::{Condition, News};
use super::fair_queue::{FairQueue, Offered};
use super::frame::Frame;
use super::gate::GateCounts;
use crate::background;

/// The motion detector of one source, how far it has come, and what it says of the camera.
#[derive(Debug)]
pub(super) struct SourceEye {
    client: ClientId,
    source: SourceId,
    detector: Mutex<MotionDetector>,
    condition: Mutex<Condition>,
    motion: MotionSettings,
    done: watch::Sender<u64>,
}

impl SourceEye {
    pub(super) fn new(client: ClientId, source: SourceId, motion: MotionSettings) -> Self {
        Self {
            client,
            source,
            detector: Mutex::new(MotionDetector::new(motion.clone())),
            condition: Mutex::default(),
            motion,
            done: watch::Sender::new(0),
        }
    }

    /// Another one, for the same source after its clock was set back.
    pub(super) fn fresh(&self) -> Arc<Self> {
        let (client, source) = (self.client, self.source.clone());
        Arc::new(Self::new(client, source, self.motion.clone()))
    }

    /// For how long the very same picture has come at least; zero unless the stream is frozen.
    pub(super) fn unchanged_for(&self) -> Duration {
        self.lock_condition().unchanged_for()
    }

    fn lock_condition(&self) -> MutexGuard<'_, Condition> {
        self.condition
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// The contract's states of a camera have no word for another scene: the operator hears of it here.
    fn tell(&self, news: News) {
        let (client, source) = (self.client, &self.source);
        match news {
            News::SceneChanged => tracing::warn!(
                %client, %source,
                "the camera was covered, blinded or turned: the motion gate cannot judge what it shows"
            ),
            News::SceneIsKnown => tracing::info!(
                %client, %source,
                "the motion gate can judge again what the camera shows"
            ),
        }
    }

    fn one_more_done(&self) {
        self.done.send_modify(|done| *done += 1);
    }

    /// Tells of every frame that is done with. Ends when the source and its last job are gone.
    pub(super) fn progress(&self) -> watch::Receiver<u64> {
        self.done.subscribe()
    }

    /// Decodes and judges; says whether it could.
    fn look(&self, decoder: &dyn GreyDecoder, frame: &Frame, scratch: &mut MotionScratch) -> bool {
        // Only this source's worker ever takes this lock.
        let mut detector = self.detector.lock().unwrap_or_else(PoisonError::into_inner);
        let look = || detector.look(frame.at, &frame.jpeg, decoder, scratch);
        match catch_unwind(AssertUnwindSafe(look)) {
            Ok(Ok(sample)) => {
                let news = self.lock_condition().note(frame.at, sample.state);
                if let Some(news) = news {
                    self.tell(news);
                }
                frame.motion.set(sample).is_ok()
            }
            Ok(Err(error)) => {
                tracing::debug!(%error, "a frame could not be decoded for the motion gate");
                false
            }
            Err(_) => {
                *detector = MotionDetector::new(self.motion.clone());
                *scratch = MotionScratch::default();
                false
            }
        }
    }
}

/// One frame to look at.
#[derive(Debug)]
pub(super) struct Job {
    eye: Arc<SourceEye>,
    /// Weak: what leaves its ring leaves memory, whatever waits here.
    frame: Weak<Frame>,
}

impl Job {
    pub(super) fn new(eye: &Arc<SourceEye>, frame: &Arc<Frame>) -> Self {
        Self {
            eye: Arc::clone(eye),
            frame: Arc::downgrade(frame),
        }
    }

    /// Done with, unlooked at.
    fn skip(self, tally: &Tally) {
        tally.skip();
        self.eye.one_more_done();
    }
}

/// What all workers did.
#[derive(Debug, Default)]
pub(super) struct Tally {
    judged: AtomicU64,
    skipped: AtomicU64,
    failed: AtomicU64,
}

impl Tally {
    fn skip(&self) {
        self.skipped.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn counts(&self) -> GateCounts {
        GateCounts {
            judged: self.judged.load(Ordering::Relaxed),
            skipped: self.skipped.load(Ordering::Relaxed),
            failed: self.failed.load(Ordering::Relaxed),
        }
    }
}

/// One thread and its bounded queue. Dropping it leaves what waits, and waits for the thread.
#[derive(Debug)]
pub(super) struct Worker {
    queue: Arc<FairQueue<Job>>,
    tally: Arc<Tally>,
    thread: Option<JoinHandle<()>>,
}

impl Worker {
    pub(super) fn start(
        queue_frames: usize,
        decoder: Arc<dyn GreyDecoder>,
        tally: Arc<Tally>,
    ) -> io::Result<Self> {
        let queue = Arc::new(FairQueue::new(queue_frames));
        let (jobs, counts) = (Arc::clone(&queue), Arc::clone(&tally));
        let thread = background::spawn("motion-gate", move || work(&jobs, &*decoder, &counts))?;
        Ok(Self {
            queue,
            tally,
            thread: Some(thread),
        })
    }

    /// Queues a frame of this client. Never waits: where there is no room, the client with most frames waiting
    /// loses its oldest look.
    pub(super) fn offer(&self, client: ClientId, job: Job) {
        match self.queue.offer(client, job) {
            Offered::Queued => {}
            Offered::InPlaceOf(job) | Offered::Refused(job) => job.skip(&self.tally),
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        for job in self.queue.close() {
            job.skip(&self.tally);
        }
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("a thread of the motion gate ended by a panic");
        }
    }
}

fn work(jobs: &FairQueue<Job>, decoder: &dyn GreyDecoder, tally: &Tally) {
    let mut scratch = MotionScratch::default();
    while let Some(job) = jobs.next() {
        let frame = job.frame.upgrade();
        let count = match frame.map(|frame| job.eye.look(decoder, &frame, &mut scratch)) {
            None => &tally.skipped,
            Some(true) => &tally.judged,
            Some(false) => &tally.failed,
        };
        count.fetch_add(1, Ordering::Relaxed);
        job.eye.one_more_done();
    }
}
