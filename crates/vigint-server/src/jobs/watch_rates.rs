//! Looks at each minute of use once it is over.

use std::time::Duration;

use super::JobParts;
use super::schedule::Schedule;

/// Whether a minute is over is asked this often; the database only when one is.
const LOOK_EVERY: Duration = Duration::from_secs(1);

pub(super) async fn run(parts: JobParts, schedule: Schedule) {
    while schedule.every(LOOK_EVERY).await {
        if let Err(error) = parts.rates.look().await {
            tracing::error!(%error, "the use of keys could not be compared with the usual");
        }
    }
}
