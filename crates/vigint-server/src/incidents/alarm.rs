//! A person's own alarm: kept and mailed like an incident, but marked as not judged by us.

use vigint_core::clock::UtcTime;
use vigint_core::ids::{AlertId, IncidentId, SourceId};
use vigint_core::money::MicroEuros;
use vigint_core::text::{clean_line, clean_text};
use vigint_core::verdict::{Confirmation, RiskLevel};
use vigint_db::DbError;
use vigint_db::auth::Caller;
use vigint_db::usage::NewUsage;

use super::service::Incidents;
use super::sighting::{Sighting, corrected_time};

/// What a person or the camera program reports.
#[derive(Clone, Debug)]
pub struct Alarm {
    /// What was seen.
    pub analysis: String,
    /// What kind, one line; may be empty.
    pub incident_type: String,
    /// How grave.
    pub risk_level: RiskLevel,
    /// Which camera.
    pub source_id: SourceId,
}

/// What became of an alarm.
#[derive(Clone, Debug)]
pub struct RaisedAlarm {
    /// The incident it opened or extended.
    pub incident_id: IncidentId,
    /// The mail on its way; none when an open incident was extended.
    pub alert_id: Option<AlertId>,
    /// When it was kept.
    pub at: UtcTime,
}

impl Incidents {
    /// Keeps an alarm, with what is buffered of its source as its clip, if anything.
    ///
    /// # Errors
    /// When the database failed: nothing was kept then.
    pub async fn raise(&self, caller: &Caller, alarm: Alarm) -> Result<RaisedAlarm, DbError> {
        let parts = &self.parts;
        let snapshot = parts.rings.snapshot(&caller.tenant, &alarm.source_id).ok();
        let now = parts.clock.now();
        let analysis = clean_text(&alarm.analysis);
        let sighting = Sighting {
            source_id: alarm.source_id,
            source_name: snapshot.as_ref().and_then(|s| s.source_name.clone()),
            seen_at: snapshot.as_ref().and_then(corrected_time),
            frame_count: snapshot.as_ref().map_or(0, |s| s.newest_frame_count),
            incident_type: clean_line(&alarm.incident_type),
            risk_level: alarm.risk_level,
            confirmation: Confirmation::NotNeeded,
            description: analysis.lines().next().unwrap_or_default().to_owned(),
            analysis,
            detailed_analysis: None,
            is_manual: true,
            is_vetoed: false,
        };
        let usage = NewUsage {
            key_id: caller.key_id,
            endpoint: "/api/video/alert".to_owned(),
            method: "POST".to_owned(),
            status_code: 200,
            requests: 1,
            bytes_in: 0,
            prompt_tokens: None,
            completion_tokens: None,
            cost: parts.prices.alert,
            provider_cost: None,
            known_provider_cost: MicroEuros::ZERO,
            timestamp: now,
        };
        let frames = snapshot.map(|snapshot| snapshot.frames).unwrap_or_default();
        let recorded = parts.record(caller, sighting, frames, usage).await?;
        Ok(RaisedAlarm {
            incident_id: recorded.incident.id,
            alert_id: recorded.alert_id,
            at: now,
        })
    }
}
