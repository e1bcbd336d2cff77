//! What runs in the background. Each job wakes when it is called or its time has come, does all there is
//! to do, and never takes another job's failure with it.

mod confirm_again;
mod deliver_alerts;
mod erase;
mod expire;
mod expire_mails;
mod flush_usage;
mod host_clips;
mod mail_slots;
mod make_clips;
mod schedule;
mod show_out;
mod sweep_files;
mod sweep_rings;
mod tell_notices;
mod turns;
mod watch_cameras;
mod watch_disk;
mod watch_rates;
mod write_costs;

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use vigint_core::clock::Clock;
use vigint_core::random::Random;

use crate::alerts::{Alerts, MailFiles};
use crate::buffer::Rings;
use crate::clips::Clips;
use crate::database::Database;
use crate::hosting::Hosting;
use crate::incidents::Incidents;
use crate::metrics::Metrics;
use crate::notices::{Notices, RateWatch};
use crate::presence::Presence;
use crate::usage::Meter;
use schedule::Schedule;
use turns::Turns;

/// A job that panicked begins again after this.
const AFTER_A_PANIC: Duration = Duration::from_secs(1);

/// How many films are handed over to the hosting service at once.
const UPLOADS: usize = 2;

/// What the jobs work with.
#[derive(Clone)]
pub struct JobParts {
    /// Rows.
    pub database: Database,
    /// Frames in memory.
    pub rings: Rings,
    /// Who is here.
    pub presence: Presence,
    /// Incidents, some of them in doubt.
    pub incidents: Incidents,
    /// Clips on the disk.
    pub clips: Arc<Clips>,
    /// Who hosts films, unless this server does.
    pub hosting: Option<Arc<Hosting>>,
    /// Mails.
    pub alerts: Arc<Alerts>,
    /// Mails that were written as files.
    pub mail_files: MailFiles,
    /// Unusual use of keys.
    pub notices: Arc<Notices>,
    /// How fast keys are used.
    pub rates: Arc<RateWatch>,
    /// What is counted for who watches this server.
    pub metrics: Arc<Metrics>,
    /// Counts not yet written.
    pub meter: Arc<Meter>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Where ids come from, and who waits how long.
    pub random: Arc<dyn Random>,
    /// A camera that had been sending for so long…
    pub silent_min: Duration,
    /// …is missed when nothing is heard of it for so long.
    pub silent_after: Duration,
    /// How many films may be made at once.
    pub encoders: usize,
    /// How long after its last detection an incident is over.
    pub cooldown: Duration,
    /// How old an incident may get.
    pub max_incident: Duration,
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
        let turns = Arc::new(Turns::default());
        for _ in 0..jobs.parts.encoders.max(1) {
            let turns = Arc::clone(&turns);
            jobs.spawn("clips", move |parts, schedule| {
                make_clips::run(parts, schedule, Arc::clone(&turns))
            });
        }
        if let Some(hosting) = jobs.parts.hosting.clone() {
            let turns = Arc::new(Turns::default());
            for _ in 0..UPLOADS {
                let (hosting, turns) = (Arc::clone(&hosting), Arc::clone(&turns));
                jobs.spawn("hosting", move |parts, schedule| {
                    host_clips::run(parts, Arc::clone(&hosting), schedule, Arc::clone(&turns))
                });
            }
        }
        jobs.spawn("alerts", deliver_alerts::run);
        jobs.spawn("confirmations", confirm_again::run);
        jobs.spawn("erasures", erase::run);
        jobs.spawn("expiry", expire::run);
        jobs.spawn("mail expiry", expire_mails::run);
        jobs.spawn("usage", flush_usage::run);
        jobs.spawn("sources", watch_cameras::note);
        jobs.spawn("cameras", watch_cameras::look);
        jobs.spawn("files", sweep_files::run);
        jobs.spawn("rings", sweep_rings::run);
        jobs.spawn("presence", show_out::run);
        jobs.spawn("notices", tell_notices::run);
        jobs.spawn("disk", watch_disk::run);
        jobs.spawn("rates", watch_rates::run);
        jobs.spawn("costs", write_costs::run);
        jobs
    }

    /// Runs a job until it ends. One that panics begins again: mails must not stay away because of one of them.
    fn spawn<F>(&self, name: &'static str, job: impl Fn(JobParts, Schedule) -> F + Send + 'static)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let (parts, stop) = (self.parts.clone(), self.stop.clone());
        self.running.spawn(async move {
            loop {
                let run = job(parts.clone(), Schedule::new(stop.clone()));
                // What a job works with is either its own or behind locks that outlive a panic.
                if AssertUnwindSafe(run).catch_unwind().await.is_ok() {
                    return;
                }
                tracing::error!(name, "a background job panicked; it begins again");
                if !Schedule::new(stop.clone()).every(AFTER_A_PANIC).await {
                    return;
                }
            }
        });
    }

    /// Lets every job finish what it is doing, for `patience` at most, then writes down what is still only
    /// counted. What was cut off is taken up by the next start.
    pub async fn stop(self, patience: Duration) {
        self.stop.cancel();
        self.running.close();
        if tokio::time::timeout(patience, self.running.wait())
            .await
            .is_err()
        {
            tracing::warn!("a background job is cut off; the next start takes its work up again");
        }
        if let Err(error) = self.parts.meter.flush(&self.parts.database).await {
            tracing::error!(%error, "the last usage counts could not be written");
        }
        self.parts.incidents.write_down_costs().await;
    }
}
