//! Reads what a mail tells, in one look at the database.

use std::collections::HashSet;
use std::time::Duration;

use vigint_core::clock::UtcTime;
use vigint_core::ids::AlertId;
use vigint_core::incident::{AlertKind, ClipState};
use vigint_db::alerts::{AlertRow, HeldAlerts, Thread};
use vigint_db::clients::ClientRow;
use vigint_db::clips::ClipRow;
use vigint_db::incidents::IncidentRow;
use vigint_db::{AnyConnection, DbError, Tenant};

use super::compose::{ClipNews, Digest, HeldLine, IncidentNews, WhyNoClip};
use crate::clips::{ClipLinks, KeepError};
use crate::database::Database;

/// How many of the alerts that were held back a digest looks at; of the others it says how many they are.
const MOST_HELD: i64 = 200;

/// All that a mail about an incident tells.
pub(super) struct ToldOfIncident {
    pub(super) client: ClientRow,
    pub(super) incident: IncidentRow,
    pub(super) clip: Option<ClipRow>,
    /// The incident's first mail.
    pub(super) thread: Option<Thread>,
    pub(super) sent_this_hour: i64,
}

/// What a mail about an incident tells; none when the client or the incident is gone.
pub(super) fn told_of_incident(
    conn: &mut AnyConnection,
    tenant: &Tenant,
    alert: &AlertRow,
    now: UtcTime,
) -> Result<Option<ToldOfIncident>, DbError> {
    let Some(id) = alert.incident_id else {
        return Ok(None);
    };
    let Some(client) = vigint_db::clients::get(conn, tenant)? else {
        return Ok(None);
    };
    let Some(incident) = vigint_db::incidents::get(conn, tenant, id)? else {
        return Ok(None);
    };
    let an_hour_ago = now - Duration::from_secs(3600);
    Ok(Some(ToldOfIncident {
        client,
        incident,
        clip: vigint_db::clips::of_incident(conn, tenant, id)?,
        thread: vigint_db::alerts::thread_of_incident(conn, tenant, id)?,
        sent_this_hour: vigint_db::alerts::sent_before(conn, tenant, alert, an_hour_ago)?,
    }))
}

impl ToldOfIncident {
    /// The thread that a mail of this kind goes on with. None when it begins one: its reader never got the first mail
    /// when that was held back or given up.
    pub(super) fn thread_of(&self, kind: AlertKind) -> Option<&Thread> {
        let is_later = kind == AlertKind::RiskRaised;
        let thread = self.thread.as_ref().filter(|_| is_later);
        thread.filter(|thread| thread.subject.is_some())
    }

    /// Whether the incident's first mail waits and tells, when it is made, how grave it is by now. The two would be the
    /// same.
    pub(super) fn is_told_by_another(&self, kind: AlertKind) -> bool {
        let first = self.thread.as_ref();
        let waits = first.is_some_and(|first| first.is_pending && first.subject.is_none());
        kind == AlertKind::RiskRaised && waits
    }

    pub(super) fn news(&self, kind: AlertKind) -> IncidentNews {
        match self.thread_of(kind) {
            Some(_) => IncidentNews::RiskRaised,
            None => IncidentNews::First,
        }
    }

    /// What there is to say of its clip.
    pub(super) fn clip_news(&self, links: &ClipLinks, now: UtcTime) -> ClipNews {
        let known = |number: Option<i64>| number.and_then(|number| u64::try_from(number).ok());
        let Some(clip) = &self.clip else {
            return ClipNews::Missing(WhyNoClip::NothingBuffered);
        };
        match clip.state {
            ClipState::Ready => {
                let link = links.to_watch(clip, now);
                ClipNews::Ready {
                    url: link.url,
                    expires_at: link.until,
                    bytes: known(clip.bytes),
                    duration_ms: known(clip.duration_ms),
                    host: link.host,
                }
            }
            ClipState::Pending => ClipNews::Late,
            ClipState::Failed => ClipNews::Missing(why_failed(clip.last_error.as_deref())),
            // It ended before its time: newer ones took its room.
            ClipState::Expired if clip.expires_at > now => ClipNews::Missing(WhyNoClip::TooMany),
            ClipState::Expired => ClipNews::Missing(WhyNoClip::Expired),
        }
    }
}

fn why_failed(last_error: Option<&str>) -> WhyNoClip {
    match last_error {
        Some(error) if error.starts_with(KeepError::STORAGE_FULL) => WhyNoClip::StorageFull,
        _ => WhyNoClip::Failed,
    }
}

/// What a digest tells; none when the client is gone, or nothing is held back.
pub(super) fn digest_of(
    conn: &mut AnyConnection,
    tenant: &Tenant,
    digest: AlertId,
    links: &ClipLinks,
    max_per_hour: u32,
    now: UtcTime,
) -> Result<Option<(ClientRow, Digest)>, DbError> {
    let Some(client) = vigint_db::clients::get(conn, tenant)? else {
        return Ok(None);
    };
    let HeldAlerts { alerts, count } =
        vigint_db::alerts::held_for(conn, tenant, digest, MOST_HELD)?;
    let (Some(first), Some(last)) = (alerts.first(), alerts.last()) else {
        return Ok(None);
    };
    let (since, until) = (first.created_at, last.created_at);
    let read = u64::try_from(alerts.len()).unwrap_or(0);
    let more = u64::try_from(count).unwrap_or(0).saturating_sub(read);
    let mut incidents = HashSet::new();
    let mut held = Vec::new();
    for id in alerts.into_iter().filter_map(|alert| alert.incident_id) {
        if incidents.insert(id)
            && let Some(incident) = vigint_db::incidents::get(conn, tenant, id)?
        {
            let clip = vigint_db::clips::of_incident(conn, tenant, id)?;
            held.push(line(incident, clip, links, now));
        }
    }
    // The gravest first: a list may be cut.
    held.sort_by_key(|line| std::cmp::Reverse(line.risk_level));
    let digest = Digest {
        since,
        until,
        held,
        more,
        max_per_hour,
    };
    Ok(Some((client, digest)))
}

fn line(incident: IncidentRow, clip: Option<ClipRow>, links: &ClipLinks, now: UtcTime) -> HeldLine {
    HeldLine {
        at: incident.first_seen_at,
        camera: incident
            .source_name
            .unwrap_or_else(|| incident.source_id.to_string()),
        incident_type: incident.incident_type,
        risk_level: incident.risk_level,
        confirmation: incident.confirmation,
        occurrences: incident.occurrences,
        incident_id: incident.id,
        clip_url: clip
            .filter(|clip| clip.state == ClipState::Ready)
            .map(|clip| links.to_watch(&clip, now).url),
    }
}

/// Whose mail it is; none when the client is gone.
pub(super) async fn client_of(
    database: &Database,
    tenant: &Tenant,
) -> Result<Option<ClientRow>, DbError> {
    let tenant = tenant.clone();
    database
        .read(move |conn| vigint_db::clients::get(conn, &tenant))
        .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_known_in_few_words_and_in_many() {
        let full = KeepError::StorageFull { free: 1, needed: 2 };
        for said in [full.reason(), &full.to_string()] {
            assert_eq!(why_failed(Some(said)), WhyNoClip::StorageFull, "{said}");
        }
        assert_eq!(why_failed(Some("disk failed")), WhyNoClip::Failed);
        assert_eq!(why_failed(None), WhyNoClip::Failed);
    }
}
