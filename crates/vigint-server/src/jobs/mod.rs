//! What runs in the background. Each job wakes when it is called or its time has come, does all there is
//! to do, and never takes another job's failure with it.

mod deliver_alerts;
mod erase;
mod expire;
mod flush_usage;
mod make_clips;
mod schedule;
mod sweep_rings;

use std::sync::Arc;

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use vigint_core::clock::Clock;

use crate::alerts::Alerts;
use crate::buffer::Rings;
use crate::clips::Clips;
use crate::database::Database;
use crate::usage::Meter;
use schedule::Schedule;

/// What the jobs work with.
#[derive(Clone)]
pub struct JobParts {
    /// Rows.
    pub database: Database,
    /// Frames in memory.
    pub rings: Rings,
    /// Clips on the disk.
    pub clips: Arc<Clips>,
    /// Mails.
    pub alerts: Arc<Alerts>,
    /// Counts not yet written.
    pub meter: Arc<Meter>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// How many films may be made at once.
    pub encoders: usize,
}

/// The running jobs.
pub struct Jobs {
    parts: JobParts,
    stop: CancellationToken,
    running: TaskTracker,
}

impl Jobs {
    /// Starts all jobs on the current runtime.
    #[must_use]
    pub fn start(parts: JobParts) -> Self {
        let jobs = Self {
            parts,
            stop: CancellationToken::new(),
            running: TaskTracker::new(),
        };
        for _ in 0..jobs.parts.encoders.max(1) {
            jobs.spawn(make_clips::run);
        }
        jobs.spawn(deliver_alerts::run);
        jobs.spawn(erase::run);
        jobs.spawn(expire::run);
        jobs.spawn(flush_usage::run);
        jobs.spawn(sweep_rings::run);
        jobs
    }

    fn spawn<F>(&self, job: impl FnOnce(JobParts, Schedule) -> F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let schedule = Schedule::new(self.stop.clone());
        self.running.spawn(job(self.parts.clone(), schedule));
    }

    /// Lets every job finish what it is doing, then writes down what is still only counted.
    pub async fn stop(self) {
        self.stop.cancel();
        self.running.close();
        self.running.wait().await;
        if let Err(error) = self.parts.meter.flush(&self.parts.database).await {
            tracing::error!(%error, "the last usage counts could not be written");
        }
    }
}
