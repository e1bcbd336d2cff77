//! Keeps looking whether everybody here is still let in: a command in another process, another server or the clock may
//! have changed that.

use std::time::Duration;

use super::JobParts;
use super::schedule::Schedule;

/// A look is one question on PostgreSQL, and on SQLite, while nothing is written, less than that.
const EVERY: Duration = Duration::from_millis(100);
/// With very many clients it takes longer: then it rests for so many times what it took.
const REST: u32 = 9;
/// However long it takes: who was put out stays no longer than that and a look.
const LONGEST_REST: Duration = Duration::from_secs(1);

pub(super) async fn run(parts: JobParts, schedule: Schedule) {
    let mut fails = false;
    let mut rest = EVERY;
    while schedule.every(rest).await {
        let began = parts.clock.elapsed();
        let looked = parts.presence.look().await;
        let took = parts.clock.elapsed().saturating_sub(began);
        rest = took.saturating_mul(REST).clamp(EVERY, LONGEST_REST);
        match looked {
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
