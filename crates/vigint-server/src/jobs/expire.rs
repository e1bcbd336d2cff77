//! Ends what has had its time: clips after their retention, incidents after their cooldown.

use std::time::Duration;

use vigint_db::clips::ClaimedClip;
use vigint_db::spending::Month;
use vigint_db::{DbError, Operator};

use super::JobParts;
use super::schedule::Schedule;
use crate::clips::StorageKey;

const LOOK_EVERY: Duration = Duration::from_secs(10);
const BATCH: i64 = 100;
const MONTHS_KEPT: Duration = Duration::from_secs(100 * 24 * 3600);

pub(super) async fn run(parts: JobParts, schedule: Schedule) {
    while schedule.every(LOOK_EVERY).await {
        if let Err(error) = expire_clips(&parts, &schedule).await {
            tracing::error!(%error, "expired clips could not be read or written");
        }
        if let Err(error) = close_incidents(&parts).await {
            tracing::error!(%error, "incidents could not be closed");
        }
        if let Err(error) = forget_months(&parts).await {
            tracing::error!(%error, "what was spent in earlier months could not be forgotten");
        }
    }
}

async fn close_incidents(parts: &JobParts) -> Result<(), DbError> {
    let now = parts.clock.now();
    let (quiet, old) = (now - parts.cooldown, now - parts.max_incident);
    parts
        .database
        .write(move |conn| {
            vigint_db::incidents::close_expired(conn, &Operator::named("expiry job"), quiet, old)
                .map(drop)
        })
        .await
}

/// Budgets are of this month; some before it are kept, for the case that the clock was wrong for a while.
async fn forget_months(parts: &JobParts) -> Result<(), DbError> {
    let month = Month::from(parts.clock.now() - MONTHS_KEPT);
    parts
        .database
        .write(move |conn| {
            vigint_db::spending::forget_before(conn, &Operator::named("expiry job"), month)
                .map(drop)
        })
        .await
}

async fn expire_clips(parts: &JobParts, schedule: &Schedule) -> Result<(), DbError> {
    let now = parts.clock.now();
    let due = parts
        .database
        .read(move |conn| {
            vigint_db::clips::due_to_expire(conn, &Operator::named("expiry job"), now, BATCH)
        })
        .await?;
    for claimed in due {
        if schedule.is_over() {
            break;
        }
        expire(parts, claimed).await?;
    }
    Ok(())
}

/// The file goes first: a row that says "expired" must never stand beside a film.
async fn expire(parts: &JobParts, claimed: ClaimedClip) -> Result<(), DbError> {
    let clip = claimed.clip.id;
    if let Ok(key) = claimed.clip.storage_key.parse::<StorageKey>()
        && let Err(error) = parts.clips.remove(key).await
    {
        tracing::error!(%clip, %error, "an expired clip could not be removed; it is tried again");
        return Ok(());
    }
    parts
        .database
        .write(move |conn| vigint_db::clips::mark_expired(conn, &claimed.tenant, clip).map(|_| ()))
        .await
}
