//! Incidents: `GET /api/incidents` and its relatives.

use serde::{Deserialize, Serialize};

use crate::clock::UtcTime;
use crate::ids::IncidentId;
use crate::incident::{ClipState, Triage};
use crate::verdict::{Confirmation, RiskLevel};

/// One incident.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(
    missing_docs,
    reason = "the fields are described in http-api.md, one by one"
)]
pub struct IncidentInfo {
    pub id: IncidentId,
    pub source_id: String,
    pub source_name: Option<String>,
    pub status: Triage,
    pub incident_type: String,
    pub risk_level: RiskLevel,
    pub confirmation: Confirmation,
    pub description: String,
    pub analysis: String,
    pub detailed_analysis: Option<String>,
    /// How many detections it holds.
    pub occurrences: i64,
    pub first_seen_at: UtcTime,
    pub last_seen_at: UtcTime,
    pub frame_count: i64,
    pub video_url: Option<String>,
    pub clip: Option<ClipInfo>,
    pub note: Option<String>,
}

/// The clip of an incident.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClipInfo {
    /// Where it is in its life.
    pub state: ClipState,
    /// Its length, once it is made.
    pub duration_ms: Option<i64>,
    /// Its size, once it is made.
    pub bytes: Option<i64>,
    /// When it and its links end.
    pub expires_at: UtcTime,
}

/// A page of incidents, newest first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct IncidentsResponse {
    /// The page.
    pub incidents: Vec<IncidentInfo>,
    /// Give it back as `cursor` for the next page; null on the last.
    pub next_cursor: Option<String>,
}

/// `PATCH /api/incidents/{id}`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct TriageRequest {
    /// `acknowledged`, `dismissed` or `resolved`; as it was when there is a note alone.
    #[serde(default)]
    pub status: Option<String>,
    /// A word about it; at most 4,000 characters.
    #[serde(default)]
    pub note: Option<String>,
}
