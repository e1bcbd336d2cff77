//! Keeps memory to those who use it: sources that fell silent go.

use std::time::Duration;

use super::JobParts;
use super::schedule::Schedule;

const EVERY: Duration = Duration::from_secs(1);

pub(super) async fn run(parts: JobParts, schedule: Schedule) {
    while schedule.every(EVERY).await {
        parts.rings.expire_silent();
    }
}
