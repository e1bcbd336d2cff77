//! The one transaction: an incident goes on, or begins, with its clip, its mail and what it costs.

use std::time::Duration;

use vigint_core::clock::UtcTime;
use vigint_core::ids::{AlertId, ClipId, IncidentId};
use vigint_core::incident::{AlertKind, IncidentStatus, Triage};
use vigint_core::verdict::RiskLevel;
use vigint_db::alerts::NewAlert;
use vigint_db::auth::Caller;
use vigint_db::clips::NewClip;
use vigint_db::incidents::{Extended, IncidentRow, Redetection};
use vigint_db::usage::NewUsage;
use vigint_db::{AnyConnection, DbError, Tenant};

use super::record::Recorded;
use super::sighting::Sighting;
use crate::alerts::Alerts;
use crate::clips::StorageKey;

/// An incident detected further in the future than this was so before the server's clock was set back: a new
/// one begins. Less is the clock of another server.
const CLOCK_SLACK: Duration = Duration::from_secs(5);

/// All that one transaction writes.
#[derive(Clone)]
pub(super) struct Draft {
    pub(super) sighting: Sighting,
    pub(super) usage: NewUsage,
    pub(super) now: UtcTime,
    pub(super) incident_id: IncidentId,
    pub(super) clip: Option<ClipDraft>,
    pub(super) alert_id: AlertId,
    /// The open incident is continued when its last detection was after this…
    pub(super) detected_after: UtcTime,
    /// …and it was opened after this.
    pub(super) opened_after: UtcTime,
}

/// The clip of a new incident.
#[derive(Clone)]
pub(super) struct ClipDraft {
    pub(super) id: ClipId,
    pub(super) key: StorageKey,
    pub(super) expires_at: UtcTime,
    /// Why its frames could not be kept: it failed before it began.
    pub(super) failure: Option<&'static str>,
}

impl Draft {
    /// Whether it belongs to the incident that is open.
    fn continues(&self, open: &IncidentRow) -> bool {
        let sighting = &self.sighting;
        !sighting.is_vetoed
            && (self.detected_after..=self.now + CLOCK_SLACK).contains(&open.detected_at)
            && open.created_at > self.opened_after
            // What was judged is not hidden in what somebody raised by hand: that has not been judged, and may have
            // neither clip nor the mail that says so.
            && (sighting.is_manual || !open.is_manual)
            // Its owner said that it was nothing. A grave one is something else.
            && !(open.triage == Triage::Dismissed && is_raised(open.risk_level, sighting.risk_level))
    }

    /// When it was seen, by the server's clock.
    fn seen_at(&self) -> UtcTime {
        self.sighting.seen_at.unwrap_or(self.now)
    }

    /// How grave it makes the incident that it belongs to: an alarm by hand says nothing of one that was judged.
    fn risk_within(&self, open: &IncidentRow) -> RiskLevel {
        if self.sighting.is_manual && !open.is_manual {
            open.risk_level
        } else {
            self.sighting.risk_level
        }
    }

    /// Adds it to the open incident of its source; none when it does not belong to that.
    pub(super) fn extend(
        &self,
        conn: &mut AnyConnection,
        caller: &Caller,
    ) -> Result<Option<Recorded>, DbError> {
        let tenant = &caller.tenant;
        let source = &self.sighting.source_id;
        let open = vigint_db::incidents::open_of_source(conn, tenant, source)?;
        let Some(open) = open.filter(|open| self.continues(open)) else {
            return Ok(None);
        };
        let again = Redetection {
            detected_at: self.now,
            seen_at: self.seen_at(),
            frame_count: self.sighting.frame_count,
            risk_level: self.risk_within(&open),
            confirmation: self.sighting.confirmation,
            words: (!self.sighting.is_manual).then(|| self.sighting.words()),
            // What a person saw is not lost because something was seen before.
            report: (self.sighting.is_manual).then(|| self.sighting.analysis.clone()),
        };
        // None: it was closed this moment. A new one it is, then.
        let Some(extended) = vigint_db::incidents::extend(conn, tenant, open.id, &again)? else {
            return Ok(None);
        };
        let mail = (!self.sighting.is_manual).then_some(self.alert_id);
        let alert_id = match mail {
            Some(id) => tell_of_risk(conn, tenant, &extended, id, &caller.client_email, self.now)?,
            None => None,
        };
        vigint_db::usage::insert(conn, tenant, &self.usage)?;
        let clip = vigint_db::clips::of_incident(conn, tenant, extended.row.id)?;
        Ok(Some(Recorded {
            incident: extended.row,
            is_new: false,
            clip,
            alert_id,
        }))
    }

    /// Begins a new incident. An open one of the source is over.
    pub(super) fn open(
        &self,
        conn: &mut AnyConnection,
        caller: &Caller,
    ) -> Result<Recorded, DbError> {
        let (tenant, sighting) = (&caller.tenant, &self.sighting);
        if !sighting.is_vetoed
            && let Some(old) =
                vigint_db::incidents::open_of_source(conn, tenant, &sighting.source_id)?
        {
            vigint_db::incidents::close(conn, tenant, old.id)?;
        }
        let incident = self.incident_row(caller);
        vigint_db::incidents::insert(conn, tenant, &incident)?;
        if let Some(clip) = &self.clip {
            let new = NewClip {
                id: clip.id,
                incident_id: incident.id,
                storage_key: clip.key.to_string(),
                expires_at: clip.expires_at,
                created_at: self.now,
            };
            vigint_db::clips::insert(conn, tenant, &new)?;
            if let Some(why) = clip.failure {
                vigint_db::clips::mark_failed(conn, tenant, clip.id, 0, why)?;
            }
        }
        let clip = vigint_db::clips::of_incident(conn, tenant, incident.id)?;
        if !sighting.is_vetoed {
            vigint_db::alerts::insert(conn, tenant, &self.new_alert(caller))?;
        }
        vigint_db::usage::insert(conn, tenant, &self.usage)?;
        Ok(Recorded {
            incident,
            is_new: true,
            clip,
            alert_id: (!sighting.is_vetoed).then_some(self.alert_id),
        })
    }

    fn incident_row(&self, caller: &Caller) -> IncidentRow {
        let sighting = self.sighting.clone();
        let (status, triage) = if sighting.is_vetoed {
            (IncidentStatus::Closed, Triage::Vetoed)
        } else {
            (IncidentStatus::Open, Triage::New)
        };
        IncidentRow {
            id: self.incident_id,
            client_id: caller.tenant.client_id(),
            api_key_id: caller.key_id,
            source_id: sighting.source_id,
            source_name: sighting.source_name,
            status,
            triage,
            incident_type: sighting.incident_type,
            risk_level: sighting.risk_level,
            description: sighting.description,
            analysis: sighting.analysis,
            detailed_analysis: sighting.detailed_analysis,
            confirmation: sighting.confirmation,
            is_manual: sighting.is_manual,
            occurrences: 1,
            frame_count: sighting.frame_count,
            first_seen_at: self.seen_at(),
            last_seen_at: self.seen_at(),
            detected_at: self.now,
            note: None,
            created_at: self.now,
            updated_at: self.now,
        }
    }

    fn new_alert(&self, caller: &Caller) -> NewAlert {
        let waits_for_clip = self
            .clip
            .as_ref()
            .is_some_and(|clip| clip.failure.is_none());
        NewAlert {
            id: self.alert_id,
            incident_id: Some(self.incident_id),
            kind: if self.sighting.is_manual {
                AlertKind::Manual
            } else {
                AlertKind::Incident
            },
            channel: "email".to_owned(),
            recipient: caller.client_email.clone(),
            not_before: Alerts::due_at(self.now, waits_for_clip),
            message_id: format!("inc-{}", self.incident_id),
            created_at: self.now,
            notice: None,
        }
    }
}

/// Whether it has become grave.
fn is_raised(before: RiskLevel, now: RiskLevel) -> bool {
    before < RiskLevel::High && now == RiskLevel::High
}

/// Has the owner of an incident told that it has become grave: the one reason for a second mail about it. Not when
/// one is still to be made, or made again, which says so itself, nor when its owner has dismissed it. The mail, if there is one.
pub(super) fn tell_of_risk(
    conn: &mut AnyConnection,
    tenant: &Tenant,
    extended: &Extended,
    id: AlertId,
    recipient: &str,
    now: UtcTime,
) -> Result<Option<AlertId>, DbError> {
    let incident = &extended.row;
    if !is_raised(extended.risk_before, incident.risk_level)
        || incident.triage == Triage::Dismissed
        || vigint_db::alerts::will_be_told(conn, tenant, incident.id, now)?
    {
        return Ok(None);
    }
    let alert = NewAlert {
        id,
        incident_id: Some(incident.id),
        kind: AlertKind::RiskRaised,
        channel: "email".to_owned(),
        recipient: recipient.to_owned(),
        not_before: now,
        message_id: format!("inc-{}.{id}", incident.id),
        created_at: now,
        notice: None,
    };
    vigint_db::alerts::insert(conn, tenant, &alert)?;
    Ok(Some(id))
}
