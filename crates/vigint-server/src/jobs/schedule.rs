//! When a job runs next.

use std::time::Duration;

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// Tells a job when to work and when to stop.
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

    /// Waits for `work`; none when the job should stop before.
    pub(super) async fn unless_over<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        self.stop.run_until_cancelled(work).await
    }

    /// Whether the job should stop.
    pub(super) fn is_over(&self) -> bool {
        self.stop.is_cancelled()
    }
}
