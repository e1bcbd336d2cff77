//! Makes the films of kept clips; several of these jobs may run, on several servers.

use std::time::Duration;

use vigint_db::clips::ClaimedClip;
use vigint_db::{DbError, Operator};

use super::JobParts;
use super::schedule::Schedule;
use crate::clips::StorageKey;

/// A film takes seconds; a server that died is replaced after this.
const LEASE: Duration = Duration::from_secs(120);
/// How long to wait after a failure of the disk.
const RETRY_AFTER: Duration = Duration::from_secs(30);
/// How often the disk may fail before the clip is given up.
const MAX_ATTEMPTS: i32 = 20;
/// Clips of other servers that died are looked for this often.
const LOOK_EVERY: Duration = Duration::from_secs(5);

pub(super) async fn run(parts: JobParts, schedule: Schedule) {
    loop {
        while !schedule.is_over() {
            match make_one(&parts).await {
                Ok(true) => {}
                Ok(false) => break,
                Err(error) => {
                    tracing::error!(%error, "a clip's row could not be read or written");
                    break;
                }
            }
        }
        if !schedule.called(&parts.clips.waiting, LOOK_EVERY).await {
            return;
        }
    }
}

/// Makes the film of one waiting clip; false when none waits.
async fn make_one(parts: &JobParts) -> Result<bool, DbError> {
    let now = parts.clock.now();
    let claimed = parts
        .database
        .write(move |conn| {
            vigint_db::clips::claim_pending(conn, &Operator::named("clip job"), now, now + LEASE)
        })
        .await?;
    let Some(claimed) = claimed else {
        return Ok(false);
    };
    let clip = claimed.clip.id;
    match claimed.clip.storage_key.parse::<StorageKey>() {
        Ok(key) => make_film(parts, claimed, key).await?,
        Err(error) => {
            tracing::error!(%clip, %error, "a clip cannot be found");
            give_up(parts, claimed, error.to_string()).await?;
        }
    }
    Ok(true)
}

async fn make_film(parts: &JobParts, claimed: ClaimedClip, key: StorageKey) -> Result<(), DbError> {
    let clip = claimed.clip.id;
    match parts.clips.make_film(key).await {
        Ok(made) => {
            let tenant = claimed.tenant.clone();
            let incident = claimed.clip.incident_id;
            let now = parts.clock.now();
            let is_ours = parts
                .database
                .write(move |conn| {
                    let is_ready = vigint_db::clips::mark_ready(conn, &tenant, clip, &made)?;
                    vigint_db::alerts::wake_for_incident(conn, &tenant, incident, now)?;
                    Ok::<_, DbError>(is_ready)
                })
                .await?;
            parts.alerts.due.notify_one();
            tidy_up(parts, key, is_ours).await;
            tracing::info!(%clip, "a clip is ready");
            Ok(())
        }
        Err(error) if error.is_passing() && claimed.clip.attempts < MAX_ATTEMPTS => {
            tracing::warn!(%clip, %error, "a clip could not be made; it is tried again");
            let retry_at = parts.clock.now() + RETRY_AFTER;
            parts
                .database
                .write(move |conn| {
                    vigint_db::clips::release(conn, &claimed.tenant, clip, retry_at).map(|_| ())
                })
                .await
        }
        Err(error) => {
            tracing::error!(%clip, %error, "a clip could not be made");
            give_up(parts, claimed, error.to_string()).await
        }
    }
}

/// Frames that have become a film go; files of a client that vanished meanwhile go altogether.
async fn tidy_up(parts: &JobParts, key: StorageKey, is_ours: bool) {
    let removed = if is_ours {
        parts.clips.remove_frames(key).await
    } else {
        parts.clips.remove(key).await
    };
    if let Err(error) = removed {
        tracing::warn!(%key, %error, "files of a clip could not be removed");
    }
}

async fn give_up(parts: &JobParts, claimed: ClaimedClip, reason: String) -> Result<(), DbError> {
    let now = parts.clock.now();
    parts
        .database
        .write(move |conn| {
            vigint_db::clips::mark_failed(conn, &claimed.tenant, claimed.clip.id, &reason)?;
            vigint_db::alerts::wake_for_incident(
                conn,
                &claimed.tenant,
                claimed.clip.incident_id,
                now,
            )
            .map(|_| ())
        })
        .await?;
    parts.alerts.due.notify_one();
    Ok(())
}
