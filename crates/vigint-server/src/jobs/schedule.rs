//! When a job runs next.

use std::fmt::Display;
use std::time::Duration;

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// Tells a job when to work and when to stop.
#[derive(Clone)]
pub(super) struct Schedule {
    stop: CancellationToken,
}

impl Schedule {
    pub(super) const fn new(stop: CancellationToken) -> Self {
        Self { stop }
    }

    /// Waits for `period`; false when the job should stop.
    pub(super) async fn every(&self, period: Duration) -> bool {
        self.stop
            .run_until_cancelled(tokio::time::timeout(period, std::future::pending::<()>()))
            .await
            .is_some()
    }

    /// Waits until `call` rings, at most for `period`; false when the job should stop.
    pub(super) async fn called(&self, call: &Notify, period: Duration) -> bool {
        self.stop
            .run_until_cancelled(tokio::time::timeout(period, call.notified()))
            .await
            .is_some()
    }

    /// Does a thing until it succeeds, pausing so long after each failure; in the end its last error. When the job should
    /// stop there are no pauses.
    pub(super) async fn tried_again_after<E, F>(
        &self,
        pauses: &[Duration],
        mut work: impl FnMut() -> F,
    ) -> Result<(), E>
    where
        E: Display,
        F: Future<Output = Result<(), E>>,
    {
        for pause in pauses {
            match work().await {
                Ok(()) => return Ok(()),
                Err(error) => {
                    tracing::warn!(%error, ?pause, "a step failed and is taken again after a pause");
                }
            }
            self.every(*pause).await;
        }
        work().await
    }

    /// Waits for `work`; none when the job should stop before.
    pub(super) async fn unless_over<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        self.stop.run_until_cancelled(work).await
    }

    /// Whether the job should stop.
    pub(super) fn is_over(&self) -> bool {
        self.stop.is_cancelled()
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use tokio::time::Instant;

    use super::*;

    const PAUSES: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(3)];

    /// How often it was tried, and the seconds that took, when the first so many fail.
    async fn tried(schedule: &Schedule, failures: u32) -> (Result<(), String>, u32, u64) {
        let (tries, began) = (Cell::new(0), Instant::now());
        let work = || async {
            tries.set(tries.get() + 1);
            if tries.get() > failures {
                Ok(())
            } else {
                Err(format!("no {}", tries.get()))
            }
        };
        let ended = schedule.tried_again_after(&PAUSES, work).await;
        (ended, tries.get(), began.elapsed().as_secs())
    }

    #[tokio::test(start_paused = true)]
    async fn what_fails_is_tried_again_after_each_pause() {
        let schedule = Schedule::new(CancellationToken::new());
        assert_eq!(tried(&schedule, 0).await, (Ok(()), 1, 0));
        assert_eq!(tried(&schedule, 2).await, (Ok(()), 3, 4));
        assert_eq!(tried(&schedule, 9).await, (Err("no 3".to_owned()), 3, 4));
    }

    #[tokio::test(start_paused = true)]
    async fn a_job_that_should_stop_tries_as_often_and_does_not_pause() {
        let stop = CancellationToken::new();
        stop.cancel();
        assert_eq!(tried(&Schedule::new(stop), 2).await, (Ok(()), 3, 0));
    }
}
