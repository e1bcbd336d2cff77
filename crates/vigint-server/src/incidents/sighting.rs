//! What was seen, before it is an incident.

use vigint_core::clock::UtcTime;
use vigint_core::ids::SourceId;
use vigint_core::verdict::{Confirmation, Judgement, RiskLevel, Verdict};
use vigint_db::incidents::Words;

use crate::buffer::Snapshot;

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

    pub(super) fn words(&self) -> Words {
        Words {
            incident_type: self.incident_type.clone(),
            description: self.description.clone(),
            analysis: self.analysis.clone(),
            detailed_analysis: self.detailed_analysis.clone(),
        }
    }
}

/// The time of a snapshot's newest frame by the server's clock: cameras' clocks are often wrong.
pub(super) fn corrected_time(snapshot: &Snapshot) -> Option<UtcTime> {
    let newest = snapshot.frames.last()?;
    Some(newest.at.plus_millis(snapshot.clock_offset_ms))
}
