//! Writes down what models cost where that failed before.

use std::time::Duration;

use super::JobParts;
use super::schedule::Schedule;

const EVERY: Duration = Duration::from_secs(1);

pub(super) async fn run(parts: JobParts, schedule: Schedule) {
    while schedule.every(EVERY).await {
        // Not cut off: nobody would know whether it is written.
        parts.incidents.write_down_costs().await;
    }
}
