//! Writes the meter's counts down.

use std::time::Duration;

use super::JobParts;
use super::schedule::Schedule;

const EVERY: Duration = Duration::from_secs(2);

pub(super) async fn run(parts: JobParts, schedule: Schedule) {
    while schedule.every(EVERY).await {
        if let Err(error) = parts.meter.flush(&parts.database).await {
            tracing::error!(%error, "usage counts could not be written; they are kept");
        }
    }
}
