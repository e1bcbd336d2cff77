//! Makes the films of kept clips, one client after the other; several of these jobs may run, on several servers.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use vigint_core::incident::ClipState;
use vigint_db::clips::{ClaimedClip, MadeClip};
use vigint_db::{DbError, Operator};

use super::JobParts;
use super::schedule::Schedule;
use super::turns::Turns;
use crate::clips::{MakeFilmError, Retry, StorageKey};

/// A server that died is replaced after this.
const LEASE: Duration = Duration::from_secs(60);
/// One that lives says so this often: a film may take minutes on a busy machine.
const RENEW_EVERY: Duration = Duration::from_secs(20);
/// How long to wait after the first failure of the disk; each further pause is twice as long, until it is the longest. The
/// tries end with the clip's retention: its frames are there, and they are evidence.
const RETRY_AFTER: Duration = Duration::from_secs(30);
const LONGEST_PAUSE: Duration = Duration::from_secs(15 * 60);
/// How often in a row the server may die over a clip before it is given up.
const MAX_CUT_OFF: i32 = 20;
/// How long to wait after a failure of the encoder: all its tries fit into the time that the mail waits for its clip.
const ENCODE_AGAIN_AFTER: Duration = Duration::from_secs(5);
/// How often the encoder may fail before the clip is given up.
const MAX_ENCODINGS: i32 = 3;
/// Clips of other servers that died are looked for this often.
const LOOK_EVERY: Duration = Duration::from_secs(5);

pub(super) async fn run(parts: JobParts, schedule: Schedule, turns: Arc<Turns>) {
    loop {
        while !schedule.is_over() {
            match make_one(&parts, &turns).await {
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
async fn make_one(parts: &JobParts, turns: &Arc<Turns>) -> Result<bool, DbError> {
    // No try is lost on a disk that is full: the frames are kept, and their films are made once there is room.
    if parts.clips.look_at_disk().await.is_full {
        return Ok(false);
    }
    let now = parts.clock.now();
    let turns = Arc::clone(turns);
    let claimed = parts
        .database
        .write(move |conn| {
            let job = Operator::named("clip job");
            let waiting = vigint_db::clips::clients_waiting(conn, &job, now)?;
            let Some(client) = turns.next(&waiting) else {
                return Ok::<_, DbError>(None);
            };
            vigint_db::clips::claim_pending(conn, &job, client, now, now + LEASE)
        })
        .await?;
    let Some(claimed) = claimed else {
        return Ok(false);
    };
    let clip = claimed.clip.id;
    match claimed.clip.storage_key.parse::<StorageKey>() {
        // Each time the server died over it: somebody else's film must not wait for that again.
        Ok(_) if claimed.clip.cut_off > MAX_CUT_OFF => {
            let reason = format!("making it was begun {MAX_CUT_OFF} times and never ended");
            tracing::error!(%clip, %reason, "a clip is given up");
            give_up(parts, claimed, reason).await?;
        }
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
    match make_under_lease(parts, &claimed, key).await {
        Ok(made) => {
            let is_kept = conclude(parts, &claimed, made).await?;
            match &parts.hosting {
                Some(hosting) => hosting.waiting.notify_one(),
                None => parts.alerts.due.notify_one(),
            }
            tidy_up(parts, key, is_kept).await;
            Ok(())
        }
        Err(MakeFilmError::Overtaken) => {
            tracing::info!(%clip, "a clip has ended, or another server makes its film");
            Ok(())
        }
        Err(error) if let Some(pause) = pause(error.retry(), claimed.clip.attempts) => {
            tracing::warn!(%clip, %error, "a clip could not be made; it is tried again");
            let (retry_at, reason) = (parts.clock.now() + pause, error.to_string());
            let attempts = claimed.clip.attempts;
            parts
                .database
                .write(move |conn| {
                    let tenant = &claimed.tenant;
                    vigint_db::clips::try_again(conn, tenant, clip, attempts, retry_at, &reason)
                        .map(drop)
                })
                .await
        }
        Err(error) => {
            tracing::error!(%clip, %error, "a clip could not be made");
            give_up(parts, claimed, error.to_string()).await
        }
    }
}

/// How long to wait before the next try; none when there is to be none. A clip's tries of every kind are counted
/// together: once its film was begun so often, a failing encoder has had its chances.
fn pause(retry: Retry, attempts: i32) -> Option<Duration> {
    match retry {
        Retry::Often => {
            let doublings = u32::try_from(attempts.saturating_sub(1)).unwrap_or(0);
            let pause = RETRY_AFTER.saturating_mul(2_u32.saturating_pow(doublings));
            Some(pause.min(LONGEST_PAUSE))
        }
        Retry::Seldom if attempts < MAX_ENCODINGS => Some(ENCODE_AGAIN_AFTER),
        _ => None,
    }
}

/// Makes the film, and renews the lease until it is made: another server takes over only from one that died.
async fn make_under_lease(
    parts: &JobParts,
    claimed: &ClaimedClip,
    key: StorageKey,
) -> Result<MadeClip, MakeFilmError> {
    let mut making = pin!(parts.clips.make_film(key));
    loop {
        if let Ok(made) = tokio::time::timeout(RENEW_EVERY, &mut making).await {
            return made;
        }
        let (tenant, clip) = (claimed.tenant.clone(), claimed.clip.id);
        let (attempts, until) = (claimed.clip.attempts, parts.clock.now() + LEASE);
        let renewed = parts
            .database
            .write(move |conn| vigint_db::clips::lease_until(conn, &tenant, clip, attempts, until))
            .await;
        match renewed {
            Ok(true) => {}
            Ok(false) => return Err(MakeFilmError::Overtaken),
            Err(error) => {
                tracing::warn!(%clip, %error, "the lease of a clip could not be renewed");
            }
        }
    }
}

/// Writes a film down, and calls the mail that waits for it unless it waits for the hosting service, too. Whether there is a clip to keep the film for.
async fn conclude(
    parts: &JobParts,
    claimed: &ClaimedClip,
    made: MadeClip,
) -> Result<bool, DbError> {
    let tenant = claimed.tenant.clone();
    let (clip, incident) = (claimed.clip.id, claimed.clip.incident_id);
    let (now, is_to_be_hosted) = (parts.clock.now(), parts.hosting.is_some());
    parts
        .database
        .write(move |conn| {
            if vigint_db::clips::mark_ready(conn, &tenant, clip, &made)? {
                if is_to_be_hosted {
                    vigint_db::clips::ask_for_hosting(conn, &tenant, clip)?;
                } else {
                    vigint_db::alerts::wake_for_incident(conn, &tenant, incident, now)?;
                }
                tracing::info!(%clip, "a clip is ready");
                return Ok::<_, DbError>(true);
            }
            // Somebody else made the same film of the same frames, or the clip has ended meanwhile.
            let row = vigint_db::clips::of_incident(conn, &tenant, incident)?;
            Ok(row.is_some_and(|row| row.state == ClipState::Ready))
        })
        .await
}

/// Frames that have become a film go; files of a clip that has ended, or whose client vanished meanwhile, go
/// altogether.
async fn tidy_up(parts: &JobParts, key: StorageKey, is_kept: bool) {
    let removed = if is_kept {
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
            let (tenant, clip) = (&claimed.tenant, &claimed.clip);
            if vigint_db::clips::mark_failed(conn, tenant, clip.id, clip.attempts, &reason)? {
                vigint_db::alerts::wake_for_incident(conn, tenant, clip.incident_id, now)?;
            }
            Ok::<_, DbError>(())
        })
        .await?;
    parts.alerts.due.notify_one();
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failing_encoder_has_two_more_tries_and_a_failing_disk_all_it_needs() {
        let tries = |retry| {
            let again = (1..=500).take_while(|attempts| pause(retry, *attempts).is_some());
            again.count() + 1
        };
        assert_eq!(tries(Retry::Never), 1);
        assert_eq!(tries(Retry::Seldom), 3);
        assert_eq!(tries(Retry::Often), 501);
        let pauses = [1, 2, 3, 6, 60, i32::MAX].map(|tries| pause(Retry::Often, tries).unwrap());
        let seconds = pauses.map(|pause| pause.as_secs());
        assert_eq!(seconds, [30, 60, 120, 900, 900, 900]);
    }
}
