//! Hands films that are made over to the hosting service, one client after the other, and calls the mails that wait for
//! them. Several of these jobs may run, on several servers; films are made meanwhile, however slow the service is.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use vigint_core::clock::UtcTime;
use vigint_core::incident::ClipState;
use vigint_db::clips::{self, ClaimedHosting, HostedFilm, HostingLease};
use vigint_db::{AnyConnection, DbError, Operator};

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
/// How long to wait before what came of a try is written down once more.
const CONCLUDE_AGAIN_AFTER: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(3)];
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
    // No try is lost on a disk that is not mounted.
    if parts.clips.is_folder_away() {
        return Ok(false);
    }
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
            let step = Step::GiveUp { why };
            conclude(parts, &claimed, &step, &claimed.lease).await?;
            return Ok(true);
        }
    };
    let uploading = upload_under_lease(parts, hosting, &claimed, &film);
    match schedule.unless_over(uploading).await {
        Some(Some((uploaded, lease))) => {
            let step = step(parts, &claimed, uploaded);
            let concluded = schedule
                .tried_again_after(&CONCLUDE_AGAIN_AFTER, || {
                    conclude(parts, &claimed, &step, &lease)
                })
                .await;
            if let (Err(_), Step::Hosted(film)) = (&concluded, &step) {
                let (clip, video) = (claimed.clip.id, &film.id);
                tracing::error!(%clip, video, "a film is hosted, and that could not be written down: it is handed over again");
            }
            concluded?;
        }
        Some(None) => {
            tracing::info!(clip = %claimed.clip.id, "an upload is broken off: its clip has ended, or another server has it");
        }
        // A stop waits for no upload, and the next start takes it up again at once, unless its lease was renewed.
        None => {
            let released = move |conn: &mut _| clips::release_hosting(conn, &claimed.lease);
            parts.database.write(released).await?;
        }
    }
    Ok(true)
}

/// What is handed over; or why there is nothing.
async fn film(parts: &JobParts, claimed: &ClaimedHosting) -> Result<Result<Film, String>, DbError> {
    let clip = &claimed.clip;
    if tries_left(attempts(claimed) - 1) == 0 {
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
                if lease.until() <= parts.clock.now() {
                    return None;
                }
            }
        }
    }
}

/// What is written down of a try.
#[derive(Clone)]
enum Step {
    Hosted(HostedFilm),
    Again { at: UtcTime, why: String },
    GiveUp { why: String },
}

impl Step {
    fn take(&self, conn: &mut AnyConnection, lease: &HostingLease) -> Result<bool, DbError> {
        match self {
            Self::Hosted(film) => clips::mark_hosted(conn, lease, film),
            Self::Again { at, why } => clips::host_again(conn, lease, *at, why),
            Self::GiveUp { why } => clips::give_hosting_up(conn, lease, why),
        }
    }
}

fn step(
    parts: &JobParts,
    claimed: &ClaimedHosting,
    uploaded: Result<HostedFilm, UploadError>,
) -> Step {
    let (clip, attempts) = (claimed.clip.id, attempts(claimed));
    match uploaded {
        Ok(film) => {
            parts.metrics.count_upload("hosted");
            Step::Hosted(film)
        }
        Err(error) => {
            parts.metrics.count_upload("failed");
            match pause(&error, attempts) {
                Some(pause) => {
                    tracing::warn!(%clip, %error, attempts, "a film could not be handed over; it is tried again");
                    Step::Again {
                        at: parts.clock.now() + pause,
                        why: error.to_string(),
                    }
                }
                None => Step::GiveUp {
                    why: error.to_string(),
                },
            }
        }
    }
}

/// Writes down what came of a try. A last step calls the mail that waits for the film.
async fn conclude(
    parts: &JobParts,
    claimed: &ClaimedHosting,
    step: &Step,
    lease: &HostingLease,
) -> Result<(), DbError> {
    let clip = claimed.clip.id;
    match (step, take(parts, claimed, step.clone(), lease).await) {
        (Step::Hosted(_), Ok(true)) => tracing::info!(%clip, "a film is hosted"),
        (Step::GiveUp { why }, Ok(true)) => {
            tracing::error!(%clip, why, "a film is not handed over: it is hosted here");
        }
        (Step::Hosted(film), Ok(false)) => tell_of_late_film(parts, claimed, film).await?,
        (Step::Again { .. } | Step::GiveUp { .. }, Ok(_)) => {}
        // One client's film must not be mailed to another, whatever the service has mixed up.
        (_, Err(DbError::Duplicate(_))) => {
            let why = "the hosting service gave it the id or the link of another film".to_owned();
            tracing::error!(%clip, why, "a film is not handed over: it is hosted here");
            take(parts, claimed, Step::GiveUp { why }, lease).await?;
        }
        (_, Err(error)) => return Err(error),
    }
    parts.alerts.due.notify_one();
    Ok(())
}

/// A film was hosted, and its row is another server's, or not there any more.
async fn tell_of_late_film(
    parts: &JobParts,
    claimed: &ClaimedHosting,
    film: &HostedFilm,
) -> Result<(), DbError> {
    let (clip, tenant) = (claimed.clip.id, claimed.tenant.clone());
    let row = parts
        .database
        .read(move |conn| clips::get(conn, &tenant, clip))
        .await?;
    if row.is_some_and(|row| row.state == ClipState::Ready) {
        tracing::warn!(%clip, "a film was hosted when another server had taken over");
    } else {
        // There is no way to take it back that we know of: somebody must be able to ask for it.
        let (video, until) = (&film.id, film.until);
        tracing::error!(%clip, video, %until, "a film was hosted when its clip had ended: ask the hosting service to delete it");
    }
    Ok(())
}

/// Whether the step could be taken.
async fn take(
    parts: &JobParts,
    claimed: &ClaimedHosting,
    step: Step,
    lease: &HostingLease,
) -> Result<bool, DbError> {
    let (tenant, incident, lease) = (
        claimed.tenant.clone(),
        claimed.clip.incident_id,
        lease.clone(),
    );
    let now = parts.clock.now();
    parts
        .database
        .write(move |conn| {
            let is_taken = step.take(conn, &lease)?;
            if is_taken && !matches!(step, Step::Again { .. }) {
                vigint_db::alerts::wake_for_incident(conn, &tenant, incident, now)?;
            }
            Ok(is_taken)
        })
        .await
}

fn attempts(claimed: &ClaimedHosting) -> i32 {
    let hosting = claimed.clip.hosting.as_ref();
    hosting.map_or(0, |hosting| hosting.attempts)
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
