//! Keeps looking whether everybody here is still let in: a command in another process, another server or the clock may
//! have changed that.

use std::time::Duration;

use super::JobParts;
use super::schedule::Schedule;

/// A look is one question on PostgreSQL, and on SQLite, while nothing is written, less than that.
const EVERY: Duration = Duration::from_millis(100);

pub(super) async fn run(parts: JobParts, schedule: Schedule) {
    let mut fails = false;
    while schedule.every(EVERY).await {
        match parts.presence.look().await {
            Ok(()) => fails = false,
            // Once, not ten times a second.
            Err(error) if !fails => {
                fails = true;
                tracing::error!(%error, "could not look for keys that were put out; it goes on trying");
            }
            Err(_) => {}
        }
    }
}
