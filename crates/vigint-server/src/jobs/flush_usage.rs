//! Writes the meter's counts down.

use std::time::Duration;

use super::JobParts;
use super::schedule::Schedule;

/// Counts not written yet are lost when the process is killed: a second's at most, with the time that writing takes.
const EVERY: Duration = Duration::from_millis(500);

pub(super) async fn run(parts: JobParts, schedule: Schedule) {
    while schedule.every(EVERY).await {
        if let Err(error) = parts.meter.flush(&parts.database).await {
            tracing::error!(%error, "usage counts could not be written; they are kept");
        }
    }
}
