//! Ends what has had its time: clips on disk after their retention, incidents after their cooldown.

use std::time::Duration;

use vigint_db::spending::Month;
use vigint_db::{DbError, Operator};

use super::JobParts;
use super::schedule::Schedule;

const LOOK_EVERY: Duration = Duration::from_secs(10);
static OPERATOR: Operator = Operator::named("expiry job");
const MONTHS_KEPT: Duration = Duration::from_secs(100 * 24 * 3600);

pub(super) async fn run(parts: JobParts, schedule: Schedule) {
    // At once, too: what ended while no server ran must not wait.
    loop {
        expire(&parts, &schedule).await;
        if !schedule.every(LOOK_EVERY).await {
            return;
        }
    }
}

async fn expire(parts: &JobParts, schedule: &Schedule) {
    if let Err(error) = expire_clips(parts, schedule).await {
        tracing::error!(%error, "expired clips could not be read or written");
    }
    if let Err(error) = close_incidents(parts).await {
        tracing::error!(%error, "incidents could not be closed");
    }
    if let Err(error) = forget_months(parts).await {
        tracing::error!(%error, "what was spent in earlier months could not be forgotten");
    }
}

async fn close_incidents(parts: &JobParts) -> Result<(), DbError> {
    let now = parts.clock.now();
    let (quiet, old) = (now - parts.cooldown, now - parts.max_incident);
    parts
        .database
        .write(move |conn| {
            vigint_db::incidents::close_expired(conn, &OPERATOR, quiet, old).map(drop)
        })
        .await
}

/// Budgets are of this month; some before it are kept, for the case that the clock was wrong for a while.
async fn forget_months(parts: &JobParts) -> Result<(), DbError> {
    let month = Month::from(parts.clock.now() - MONTHS_KEPT);
    parts
        .database
        .write(move |conn| vigint_db::spending::forget_before(conn, &OPERATOR, month).map(drop))
        .await
}

async fn expire_clips(parts: &JobParts, schedule: &Schedule) -> Result<(), DbError> {
    let now = parts.clock.now();
    let ended = parts
        .clips
        .expire_due(&OPERATOR, now, || schedule.is_over())
        .await?;
    if ended > 0 {
        tracing::info!(ended, "clips whose time is over were removed");
    }
    Ok(())
}
