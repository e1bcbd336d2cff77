//! Keeping an incident: frames to the disk, then one transaction, and only then an answer.

use std::sync::Arc;
use std::time::Duration;

use vigint_core::clock::UtcTime;
use vigint_core::ids::{AlertId, ClipId, IncidentId, SourceId};
use vigint_core::incident::{AlertKind, IncidentStatus, Triage};
use vigint_core::verdict::{Confirmation, Judgement, RiskLevel, Verdict};
use vigint_db::alerts::NewAlert;
use vigint_db::auth::Caller;
use vigint_db::clips::{ClipRow, NewClip};
use vigint_db::incidents::{IncidentRow, Redetection};
use vigint_db::usage::NewUsage;
use vigint_db::{AnyConnection, DbError, Tenant};

use super::service::IncidentsParts;
use crate::alerts::Alerts;
use crate::buffer::{Frame, Snapshot};
use crate::clips::StorageKey;

/// An incident detected further in the future than this was so before the server's clock was set back: a new
/// one begins. Less is the clock of another server.
const CLOCK_SLACK: Duration = Duration::from_secs(5);

/// What was kept.
#[derive(Clone, Debug)]
pub struct Recorded {
    /// The incident as it is now.
    pub incident: IncidentRow,
    /// Whether it is a new one.
    pub is_new: bool,
    /// Its clip, if frames could be kept.
    pub clip: Option<ClipRow>,
    /// The mail about it, if one is due.
    pub alert_id: Option<AlertId>,
}

/// What was seen. Texts are already safe to show.
#[derive(Clone, Debug)]
pub(super) struct Sighting {
    pub(super) source_id: SourceId,
    pub(super) source_name: Option<String>,
    /// By the server's clock; none when nothing is buffered.
    pub(super) seen_at: Option<UtcTime>,
    pub(super) frame_count: i64,
    pub(super) incident_type: String,
    pub(super) risk_level: RiskLevel,
    pub(super) confirmation: Confirmation,
    pub(super) description: String,
    pub(super) analysis: String,
    pub(super) detailed_analysis: Option<String>,
    pub(super) is_manual: bool,
    pub(super) is_vetoed: bool,
}

impl Sighting {
    /// What an analysis saw.
    pub(super) fn of_analysis(judgement: &Judgement, snapshot: &Snapshot) -> Self {
        Self {
            source_id: snapshot.source_id.clone(),
            source_name: snapshot.source_name.clone(),
            seen_at: corrected_time(snapshot),
            frame_count: snapshot.newest_frame_count,
            incident_type: judgement.incident_type.clone(),
            risk_level: judgement.risk_level,
            confirmation: judgement.verdict.confirmation(),
            description: judgement.description.clone(),
            analysis: judgement.analysis.clone(),
            detailed_analysis: judgement.detailed_analysis.clone(),
            is_manual: false,
            is_vetoed: judgement.verdict == Verdict::Vetoed,
        }
    }
}

/// The time of a snapshot's newest frame by the server's clock: cameras' clocks are often wrong.
pub(super) fn corrected_time(snapshot: &Snapshot) -> Option<UtcTime> {
    let newest = snapshot.frames.last()?;
    Some(newest.at.plus_millis(snapshot.clock_offset_ms))
}

/// All that one transaction writes.
#[derive(Clone)]
struct Draft {
    sighting: Sighting,
    usage: NewUsage,
    now: UtcTime,
    incident_id: IncidentId,
    clip: Option<(ClipId, StorageKey, UtcTime)>,
    alert_id: AlertId,
    /// The open incident is continued when its last detection was after this…
    detected_after: UtcTime,
    /// …and it was opened after this.
    opened_after: UtcTime,
}

impl Draft {
    fn continues(&self, open: &IncidentRow) -> bool {
        !self.sighting.is_vetoed
            && (self.detected_after..=self.now + CLOCK_SLACK).contains(&open.detected_at)
            && open.created_at > self.opened_after
    }

    /// When it was seen, by the server's clock.
    fn seen_at(&self) -> UtcTime {
        self.sighting.seen_at.unwrap_or(self.now)
    }
}

impl IncidentsParts {
    /// Keeps what was seen: extends the open incident of this source, or opens a new one with its clip
    /// and its mail. Frames that cannot be written cost the clip, never the incident or its mail.
    ///
    /// Goes on to its end when who asked has gone away: it must not be left half done.
    ///
    /// # Errors
    /// When the database failed: nothing was kept then, and health says so.
    pub(super) async fn record(
        self: &Arc<Self>,
        caller: &Caller,
        sighting: Sighting,
        frames: Vec<Arc<Frame>>,
        usage: NewUsage,
    ) -> Result<Recorded, DbError> {
        let (parts, caller) = (Arc::clone(self), caller.clone());
        let recording =
            tokio::spawn(async move { parts.keep(&caller, sighting, frames, usage).await });
        match recording.await {
            Ok(recorded) => recorded,
            // A panic is a bug, and goes on in who asked. Nobody cancels this task.
            Err(failure) => std::panic::resume_unwind(failure.into_panic()),
        }
    }

    async fn keep(
        &self,
        caller: &Caller,
        sighting: Sighting,
        frames: Vec<Arc<Frame>>,
        usage: NewUsage,
    ) -> Result<Recorded, DbError> {
        let now = usage.timestamp;
        let mut draft = Draft {
            sighting,
            usage,
            now,
            incident_id: IncidentId::generate(&*self.random),
            clip: None,
            alert_id: AlertId::generate(&*self.random),
            detected_after: now - self.cooldown,
            opened_after: now - self.max_incident,
        };
        if let Some(extended) = self.try_to_extend(&caller.tenant, &draft).await? {
            return Ok(extended);
        }
        draft.clip = self.keep_frames(&caller.tenant, frames, now).await;
        let mut recorded = self.commit(caller, draft.clone()).await;
        if let Err(DbError::IncidentOpen { .. }) = recorded {
            // On PostgreSQL another detection of this source may open its incident at the same moment: this
            // one belongs to that incident.
            recorded = self.commit(caller, draft.clone()).await;
        }
        self.sweep_unused_frames(&caller.tenant, &draft, &recorded)
            .await;
        let recorded = recorded?;
        self.clips.waiting.notify_one();
        self.alerts.due.notify_one();
        Ok(recorded)
    }

    /// Most detections extend an incident: those need no frames on the disk.
    async fn try_to_extend(
        &self,
        tenant: &Tenant,
        draft: &Draft,
    ) -> Result<Option<Recorded>, DbError> {
        let (tenant, draft) = (tenant.clone(), draft.clone());
        self.database
            .write(move |conn| extend(conn, &tenant, &draft))
            .await
    }

    async fn keep_frames(
        &self,
        tenant: &Tenant,
        frames: Vec<Arc<Frame>>,
        now: UtcTime,
    ) -> Option<(ClipId, StorageKey, UtcTime)> {
        if frames.is_empty() {
            return None;
        }
        let (id, key) = self.clips.new_key(tenant);
        match self.clips.keep_frames(key, frames).await {
            Ok(()) => Some((id, key, self.clips.expiry(now))),
            Err(error) => {
                tracing::error!(%error, client = %tenant.client_id(), "frames could not be kept: this incident has no clip");
                None
            }
        }
    }

    async fn commit(&self, caller: &Caller, draft: Draft) -> Result<Recorded, DbError> {
        let caller = caller.clone();
        self.database
            .write(move |conn| match extend(conn, &caller.tenant, &draft)? {
                Some(extended) => Ok(extended),
                None => open(conn, &caller, &draft),
            })
            .await
    }

    /// Frames whose clip was not committed belong to nothing.
    async fn sweep_unused_frames(
        &self,
        tenant: &Tenant,
        draft: &Draft,
        recorded: &Result<Recorded, DbError>,
    ) {
        let Some((_, key, _)) = draft.clip else {
            return;
        };
        let is_unused = match recorded {
            Ok(recorded) => !recorded.is_new,
            // A connection that breaks during a commit leaves open whether that took place.
            Err(_) => self.is_without_clip(tenant, draft.incident_id).await,
        };
        if is_unused && let Err(error) = self.clips.remove(key).await {
            tracing::warn!(%error, "frames without an incident could not be removed");
        }
    }

    /// Whether it is known that this incident has no clip.
    async fn is_without_clip(&self, tenant: &Tenant, incident: IncidentId) -> bool {
        let tenant = tenant.clone();
        let clip = self
            .database
            .read(move |conn| vigint_db::clips::of_incident(conn, &tenant, incident))
            .await;
        matches!(clip, Ok(None))
    }
}

fn extend(
    conn: &mut AnyConnection,
    tenant: &Tenant,
    draft: &Draft,
) -> Result<Option<Recorded>, DbError> {
    let source = &draft.sighting.source_id;
    let open = vigint_db::incidents::open_of_source(conn, tenant, source)?;
    let Some(open) = open.filter(|open| draft.continues(open)) else {
        return Ok(None);
    };
    let again = Redetection {
        detected_at: draft.now,
        seen_at: draft.seen_at(),
        frame_count: draft.sighting.frame_count,
        risk_level: draft.sighting.risk_level,
        confirmation: draft.sighting.confirmation,
    };
    // None: it was closed this moment. A new one it is, then.
    let Some(incident) = vigint_db::incidents::extend(conn, tenant, open.id, &again)? else {
        return Ok(None);
    };
    vigint_db::usage::insert(conn, tenant, &draft.usage)?;
    let clip = vigint_db::clips::of_incident(conn, tenant, incident.id)?;
    Ok(Some(Recorded {
        incident,
        is_new: false,
        clip,
        alert_id: None,
    }))
}

fn open(conn: &mut AnyConnection, caller: &Caller, draft: &Draft) -> Result<Recorded, DbError> {
    let tenant = &caller.tenant;
    let sighting = &draft.sighting;
    if !sighting.is_vetoed
        && let Some(old) = vigint_db::incidents::open_of_source(conn, tenant, &sighting.source_id)?
    {
        vigint_db::incidents::close(conn, tenant, old.id)?;
    }
    let incident = incident_row(caller, draft);
    vigint_db::incidents::insert(conn, tenant, &incident)?;
    let clip = match draft.clip {
        None => None,
        Some((id, key, expires_at)) => {
            let clip = NewClip {
                id,
                incident_id: incident.id,
                storage_key: key.to_string(),
                expires_at,
                created_at: draft.now,
            };
            vigint_db::clips::insert(conn, tenant, &clip)?;
            vigint_db::clips::of_incident(conn, tenant, incident.id)?
        }
    };
    if !sighting.is_vetoed {
        vigint_db::alerts::insert(conn, tenant, &new_alert(caller, draft))?;
    }
    vigint_db::usage::insert(conn, tenant, &draft.usage)?;
    Ok(Recorded {
        incident,
        is_new: true,
        clip,
        alert_id: (!sighting.is_vetoed).then_some(draft.alert_id),
    })
}

fn incident_row(caller: &Caller, draft: &Draft) -> IncidentRow {
    let sighting = draft.sighting.clone();
    IncidentRow {
        id: draft.incident_id,
        client_id: caller.tenant.client_id(),
        api_key_id: caller.key_id,
        source_id: sighting.source_id,
        source_name: sighting.source_name,
        status: if sighting.is_vetoed {
            IncidentStatus::Closed
        } else {
            IncidentStatus::Open
        },
        triage: if sighting.is_vetoed {
            Triage::Vetoed
        } else {
            Triage::New
        },
        incident_type: sighting.incident_type,
        risk_level: sighting.risk_level,
        description: sighting.description,
        analysis: sighting.analysis,
        detailed_analysis: sighting.detailed_analysis,
        confirmation: sighting.confirmation,
        is_manual: sighting.is_manual,
        occurrences: 1,
        frame_count: sighting.frame_count,
        first_seen_at: draft.seen_at(),
        last_seen_at: draft.seen_at(),
        detected_at: draft.now,
        note: None,
        created_at: draft.now,
        updated_at: draft.now,
    }
}

fn new_alert(caller: &Caller, draft: &Draft) -> NewAlert {
    NewAlert {
        id: draft.alert_id,
        incident_id: Some(draft.incident_id),
        kind: if draft.sighting.is_manual {
            AlertKind::Manual
        } else {
            AlertKind::Incident
        },
        channel: "email".to_owned(),
        recipient: caller.client_email.clone(),
        not_before: Alerts::due_at(draft.now, draft.clip.is_some()),
        message_id: format!("inc-{}", draft.incident_id),
        created_at: draft.now,
        notice: None,
    }
}
