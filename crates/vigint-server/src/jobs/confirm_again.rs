//! Tries confirmations again that failed.

use std::time::Duration;

use super::JobParts;
use super::schedule::Schedule;

/// They are due within seconds to minutes.
const PERIOD: Duration = Duration::from_millis(500);

pub(super) async fn run(parts: JobParts, schedule: Schedule) {
    while schedule.every(PERIOD).await {
        schedule.unless_over(parts.incidents.confirm_again()).await;
    }
}
