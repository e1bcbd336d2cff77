//! Analyses and alarms: `POST /api/video/analyze` and `/api/video/alert`.

use serde::{Deserialize, Serialize};

use crate::clock::UtcTime;
use crate::ids::{AlertId, IncidentId};
use crate::money::MicroEuros;
use crate::verdict::{Confirmation, RiskLevel, Skipped, StageReport, Verdict};

/// Which camera to judge. No body, `{}` and `null` mean `default`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct AnalyzeRequest {
    /// Which camera.
    #[serde(default)]
    pub source_id: Option<String>,
}

/// What was judged, and what it came to. Earlier clients read `has_security_incident`, `analysis`,
/// `risk_level`, `frame_count` and `incident_type`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[expect(
    missing_docs,
    reason = "the fields are described in http-api.md, one by one"
)]
pub struct AnalysisResponse {
    pub verdict: Verdict,
    pub has_security_incident: bool,
    pub incident_type: String,
    pub risk_level: RiskLevel,
    pub description: String,
    pub analysis: String,
    pub detailed_analysis: Option<String>,
    pub confirmation: Confirmation,
    pub source_id: String,
    /// The newest frame's number.
    pub frame_count: i64,
    pub frames_analyzed: usize,
    pub window_seconds: f64,
    pub timestamp: UtcTime,
    pub client_email: String,
    pub skipped: Option<Skipped>,
    pub incident: Option<IncidentRef>,
    pub usage: CostInfo,
    pub stages: Vec<StageReport>,
}

/// The incident that an analysis opened or extended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct IncidentRef {
    /// Its id.
    pub id: IncidentId,
    /// Whether this analysis opened it.
    pub is_new: bool,
    /// Where it can be read.
    pub url: String,
    /// The clip's signed link, once there is a clip to come.
    pub video_url: Option<String>,
}

/// What an analysis cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CostInfo {
    /// Tokens in.
    pub prompt_tokens: u64,
    /// Tokens out.
    pub completion_tokens: u64,
    /// Euros.
    pub cost: f64,
}

impl CostInfo {
    /// An amount as the answer shows it: a number of euros.
    #[must_use]
    pub fn euros(amount: MicroEuros) -> f64 {
        amount.to_string().parse().unwrap_or_default()
    }
}

/// A person's own alarm.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct AlertRequest {
    /// What the person saw; at most 4,000 characters.
    #[serde(default)]
    pub analysis: String,
    /// What kind of incident.
    #[serde(default)]
    pub incident_type: Option<String>,
    /// How grave; MEDIUM when missing.
    #[serde(default)]
    pub risk_level: Option<String>,
    /// Which camera.
    #[serde(default)]
    pub source_id: Option<String>,
}

/// What became of an alarm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AlertStatus {
    /// A mail is on its way.
    Queued,
    /// An open incident of this source was extended; no second mail.
    Merged,
}

/// The answer to an alarm.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AlertResponse {
    /// Always true.
    pub success: bool,
    /// What became of it.
    pub status: AlertStatus,
    /// The mail, when one is on its way.
    pub alert_id: Option<AlertId>,
    /// The incident it opened or extended.
    pub incident_id: IncidentId,
    /// Whom the mail goes to.
    pub to: String,
    /// When it was answered.
    pub timestamp: UtcTime,
}
