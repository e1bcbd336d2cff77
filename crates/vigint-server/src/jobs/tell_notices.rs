//! Looks at unusual use of keys, one sighting after the other: however many come, the database is asked for one.

use super::JobParts;
use super::schedule::Schedule;

pub(super) async fn run(parts: JobParts, schedule: Schedule) {
    while let Some(Some(sighting)) = schedule.unless_over(parts.notices.next()).await {
        parts.notices.look_at(sighting).await;
    }
    // What was seen before the stop is still told; there is a bound to how much waits.
    while let Some(sighting) = parts.notices.next_waiting().await {
        parts.notices.look_at(sighting).await;
    }
}
