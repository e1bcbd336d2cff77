//! Hands films that are made over to the hosting service, one client after the other, and calls the mails that wait for
//! them. Several of these jobs may run, on several servers; films are made meanwhile, however slow the service is.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use vigint_core::clock::UtcTime;
use vigint_core::ids::IncidentId;
use vigint_db::clips::{self, ClaimedHosting, HostedFilm, HostingLease};
use vigint_db::{AnyConnection, DbError, Operator, Tenant};

use super::JobParts;
use super::schedule::Schedule;
use super::turns::Turns;
use crate::hosting::{Film, Hosting, UploadError};

/// A server that died is replaced after this.
const LEASE: Duration = Duration::from_secs(20);
/// One that lives says so this often, and sees then whether its film has ended or its client was erased.
const RENEW_EVERY: Duration = Duration::from_secs(5);
/// How long to wait after the first failed try and after the second; there is none after the third. With a service that
/// is down all three fit into the time that a mail waits for its clip.
const PAUSES: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(4)];
/// Tries become due by time: looked for this often.
const LOOK_EVERY: Duration = Duration::from_secs(1);

const OPERATOR: Operator = Operator::named("hosting job");

pub(super) async fn run(
    parts: JobParts,
    hosting: Arc<Hosting>,
    schedule: Schedule,
    turns: Arc<Turns>,
) {
    loop {
        while !schedule.is_over() {
            match host_one(&parts, &hosting, &schedule, &turns).await {
                Ok(true) => {}
                Ok(false) => break,
                Err(error) => {
                    tracing::error!(%error, "a row of a film to be hosted could not be read or written");
                    break;
                }
            }
        }
        if !schedule.called(&hosting.waiting, LOOK_EVERY).await {
            return;
        }
    }
}

/// Hands one waiting film over; false when none waits.
async fn host_one(
    parts: &JobParts,
    hosting: &Hosting,
    schedule: &Schedule,
    turns: &Arc<Turns>,
) -> Result<bool, DbError> {
    let (now, turns) = (parts.clock.now(), Arc::clone(turns));
    let claimed = parts
        .database
        .write(move |conn| {
            let waiting = clips::clients_to_host(conn, &OPERATOR, now)?;
            let Some(client) = turns.next(&waiting) else {
                return Ok::<_, DbError>(None);
            };
            clips::claim_hosting(conn, &OPERATOR, client, now, now + LEASE)
        })
        .await?;
    let Some(claimed) = claimed else {
        return Ok(false);
    };
    let film = match film(parts, &claimed).await? {
        Ok(film) => film,
        Err(why) => {
            give_up(parts, &claimed, claimed.lease.clone(), why).await?;
            return Ok(true);
        }
    };
    let uploading = upload_under_lease(parts, hosting, &claimed, &film);
    // A stop waits for no upload: the next start takes it up again.
    let Some(uploaded) = schedule.unless_over(uploading).await else {
        return Ok(true);
    };
    match uploaded {
        Some((uploaded, lease)) => conclude(parts, &claimed, lease, uploaded).await?,
        None => {
            tracing::info!(clip = %claimed.clip.id, "an upload is broken off: its clip has ended, or another server has it")
        }
    }
    Ok(true)
}

/// What is handed over; or why there is nothing.
async fn film(parts: &JobParts, claimed: &ClaimedHosting) -> Result<Result<Film, String>, DbError> {
    let clip = &claimed.clip;
    if tries_left(
        clip.hosting
            .as_ref()
            .map_or(0, |hosting| hosting.attempts - 1),
    ) == 0
    {
        return Ok(Err(
            "handing it over was begun too often and never ended".to_owned()
        ));
    }
    if clip.expires_at <= parts.clock.now() {
        return Ok(Err("its time is over".to_owned()));
    }
    let (tenant, incident) = (claimed.tenant.clone(), clip.incident_id);
    let incident = parts
        .database
        .read(move |conn| vigint_db::incidents::get(conn, &tenant, incident))
        .await?;
    let path = parts.clips.film_path(&clip.storage_key);
    let bytes = clip.bytes.and_then(|bytes| u64::try_from(bytes).ok());
    let (Some(incident), Ok(path), Some(bytes), Some(sha256)) =
        (incident, path, bytes, clip.sha256.clone())
    else {
        return Ok(Err("its film is not known any more".to_owned()));
    };
    Ok(Ok(Film {
        clip: clip.id,
        path,
        bytes,
        sha256,
        expires_at: clip.expires_at,
        source: incident.source_id,
        incident_type: incident.incident_type,
        risk_level: incident.risk_level,
        frame_count: incident.frame_count,
        analysis: incident.analysis,
    }))
}

/// Hands it over, and renews the lease until that is done. None when the lease is gone: dropping the upload breaks it
/// off.
async fn upload_under_lease(
    parts: &JobParts,
    hosting: &Hosting,
    claimed: &ClaimedHosting,
    film: &Film,
) -> Option<(Result<HostedFilm, UploadError>, HostingLease)> {
    let mut lease = claimed.lease.clone();
    let mut uploading = pin!(hosting.upload(film, parts.clock.now()));
    loop {
        if let Ok(uploaded) = tokio::time::timeout(RENEW_EVERY, &mut uploading).await {
            return Some((uploaded, lease));
        }
        let (held, until) = (lease.clone(), parts.clock.now() + LEASE);
        let renewed = parts
            .database
            .write(move |conn| clips::renew_hosting(conn, &held, until))
            .await;
        match renewed {
            Ok(renewed) => lease = renewed?,
            Err(error) => {
                tracing::warn!(%error, "the lease of a film to be hosted could not be renewed");
            }
        }
    }
}

/// Writes down what came of a try.
async fn conclude(
    parts: &JobParts,
    claimed: &ClaimedHosting,
    lease: HostingLease,
    uploaded: Result<HostedFilm, UploadError>,
) -> Result<(), DbError> {
    let clip = claimed.clip.id;
    let attempts = claimed
        .clip
        .hosting
        .as_ref()
        .map_or(0, |hosting| hosting.attempts);
    match uploaded {
        Ok(film) => {
            parts.metrics.count_upload("hosted");
            let (id, until) = (film.id.clone(), film.until);
            let is_noted = settle(parts, claimed, move |conn| {
                clips::mark_hosted(conn, &lease, &film)
            })
            .await?;
            if is_noted {
                tracing::info!(%clip, video = id, "a film is hosted");
            } else {
                // The service has no way to take it back that we know of: somebody must be able to ask for it.
                tracing::error!(%clip, video = id, %until, "a film was hosted after its clip had ended: ask the hosting service to delete it");
            }
            Ok(())
        }
        Err(error) if let Some(pause) = pause(&error, attempts) => {
            parts.metrics.count_upload("failed");
            tracing::warn!(%clip, %error, attempts, "a film could not be handed over; it is tried again");
            let (at, why) = (parts.clock.now() + pause, error.to_string());
            let noted = parts
                .database
                .write(move |conn| clips::host_again(conn, &lease, at, &why));
            noted.await.map(drop)
        }
        Err(error) => {
            parts.metrics.count_upload("failed");
            give_up(parts, claimed, lease, error.to_string()).await
        }
    }
}

/// How long to wait before the next try after so many; none when there is to be none.
fn pause(error: &UploadError, attempts: i32) -> Option<Duration> {
    let before = usize::try_from(attempts).ok()?.checked_sub(1)?;
    PAUSES.get(before).copied().filter(|_| error.may_pass())
}

/// How many tries are left after so many.
fn tries_left(attempts: i32) -> usize {
    (PAUSES.len() + 1).saturating_sub(usize::try_from(attempts).unwrap_or(0))
}

async fn give_up(
    parts: &JobParts,
    claimed: &ClaimedHosting,
    lease: HostingLease,
    why: String,
) -> Result<(), DbError> {
    tracing::error!(clip = %claimed.clip.id, why, "a film is not handed over: it is hosted here");
    settle(parts, claimed, move |conn| {
        clips::give_hosting_up(conn, &lease, &why)
    })
    .await
    .map(drop)
}

/// Takes the last step of a film's way, and calls the mail that waits for it. Whether the step could be taken.
async fn settle(
    parts: &JobParts,
    claimed: &ClaimedHosting,
    step: impl Fn(&mut AnyConnection) -> Result<bool, DbError> + Send + 'static,
) -> Result<bool, DbError> {
    let (tenant, incident): (Tenant, IncidentId) =
        (claimed.tenant.clone(), claimed.clip.incident_id);
    let now: UtcTime = parts.clock.now();
    let is_taken = parts
        .database
        .write(move |conn| {
            let is_taken = step(conn)?;
            if is_taken {
                vigint_db::alerts::wake_for_incident(conn, &tenant, incident, now)?;
            }
            Ok::<_, DbError>(is_taken)
        })
        .await?;
    parts.alerts.due.notify_one();
    Ok(is_taken)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_pass_is_tried_three_times_and_what_may_not_once() {
        let tries = |error: &UploadError| {
            (1..)
                .take_while(|attempts| pause(error, *attempts).is_some())
                .count()
                + 1
        };
        let down = UploadError::Unreachable("connection refused".to_owned());
        assert_eq!(tries(&down), 3);
        let refused = UploadError::Refused {
            status: 413,
            words: String::new(),
        };
        assert_eq!(tries(&refused), 1);
        assert_eq!([0, 1, 2, 3, 4].map(tries_left), [3, 2, 1, 0, 0]);
    }
}
