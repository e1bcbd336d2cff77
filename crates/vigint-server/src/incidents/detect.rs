//! `analyze`: one snapshot, two looks, and what follows from them.

use std::sync::Arc;
use std::time::Duration;

use vigint_core::clock::UtcTime;
use vigint_core::ids::{KeyId, SourceId};
use vigint_core::money::MicroEuros;
use vigint_core::verdict::{Judgement, StageVerdict, Verdict};
use vigint_db::auth::Caller;
use vigint_db::usage::NewUsage;
use vigint_db::{DbError, Tenant};

use super::record::{Recorded, Sighting};
use super::service::{Incidents, IncidentsOptions};
use crate::analysis::{AnalyzerError, Look};
use crate::buffer::{Outcome, Snapshot};

/// How long an analysis waits for the gate to look at the frames that came before it.
const GATE_PATIENCE: Duration = Duration::from_secs(2);
/// How long an analysis may take, to the answer: callers wait 30 s, and the earlier client then invents an
/// incident of its own.
const ANALYSIS_LIMIT: Duration = Duration::from_secs(25);
/// What of it is kept for writing down what was seen.
const RECORD_TIME: Duration = Duration::from_secs(2);

/// A finished analysis.
#[derive(Clone, Debug)]
pub struct Detection {
    /// What it came to.
    pub judgement: Judgement,
    /// Which source.
    pub source_id: SourceId,
    /// The number of the newest frame.
    pub frame_count: i64,
    /// How much video the screen looked at.
    pub window: Duration,
    /// When it was answered.
    pub at: UtcTime,
    /// The incident it opened, extended, or (vetoed) kept for review.
    pub recorded: Option<Recorded>,
}

/// Why there is no detection. Cloned to everyone who waited for it.
#[derive(Clone, Debug, thiserror::Error)]
pub enum DetectError {
    /// Nothing is buffered of that source.
    #[error("nothing is buffered of this source")]
    NoFrames,
    /// The screen failed: there is no verdict.
    #[error(transparent)]
    Analyzer(AnalyzerError),
    /// The incident could not be kept.
    #[error("the database failed: {0}")]
    Database(Arc<DbError>),
    /// A bug: the analysis ended without an answer.
    #[error("the analysis ended without an answer")]
    Lost,
}

/// What a caller gets.
#[derive(Clone, Debug)]
pub struct Answered {
    /// The analysis.
    pub detection: Arc<Detection>,
    /// Whether it ran already when the caller came: its usage is written down for who began it.
    pub is_shared: bool,
}

impl From<DbError> for DetectError {
    fn from(error: DbError) -> Self {
        Self::Database(Arc::new(error))
    }
}

impl Incidents {
    /// Judges what is buffered of a source now. A second call for the same source while one runs waits
    /// and gets the same answer: one look, one charge.
    ///
    /// # Errors
    /// See [`DetectError`]. An analysis that failed is never "no incident".
    pub async fn analyze(
        &self,
        caller: &Caller,
        source: &SourceId,
    ) -> Result<Answered, DetectError> {
        let client = caller.tenant.client_id();
        let (parts, caller, source_id) = (Arc::clone(&self.parts), caller.clone(), source.clone());
        let landed = self
            .flights
            .join(client, source.clone(), || async move {
                parts.detect(&caller, &source_id).await.map(Arc::new)
            })
            .await
            .ok_or(DetectError::Lost)?;
        Ok(Answered {
            detection: landed.answer?,
            is_shared: landed.is_shared,
        })
    }
}

impl IncidentsOptions {
    async fn detect(
        self: &Arc<Self>,
        caller: &Caller,
        source: &SourceId,
    ) -> Result<Detection, DetectError> {
        let began = self.clock.elapsed();
        // A gate that is behind leaves frames unjudged; unjudged frames keep the gate open.
        let settled = self.rings.settled(&caller.tenant, source);
        if tokio::time::timeout(GATE_PATIENCE, settled).await.is_err() {
            tracing::warn!(%source, "the motion gate is behind; judging without it");
        }
        let snapshot = self
            .rings
            .snapshot(&caller.tenant, source)
            .map_err(|_| DetectError::NoFrames)?;
        let (tail, whole) = looks(caller, &snapshot);
        let window = covered(&tail);
        let taken = self.clock.elapsed().saturating_sub(began) + RECORD_TIME;
        let limit = ANALYSIS_LIMIT.saturating_sub(taken);
        let judged = self.judge.judge(&tail, &whole, limit).await;
        let mut judgement = match judged {
            Ok(judgement) => judgement,
            Err(error) => {
                self.keep_ledger(&caller.tenant, &snapshot, Outcome::Failed);
                return Err(DetectError::Analyzer(error));
            }
        };
        judgement.usage.cost = self.cost(&judgement);

        let now = self.clock.now();
        let usage = analysis_usage(caller.key_id, &judgement, now);
        let sighting = Sighting::of_analysis(&judgement, &snapshot);
        let recorded = match judgement.verdict {
            Verdict::Clear => {
                self.charge(&caller.tenant, usage).await?;
                None
            }
            Verdict::Confirmed | Verdict::Unconfirmed | Verdict::Vetoed => Some(
                self.record(caller, sighting, snapshot.frames.clone(), usage)
                    .await?,
            ),
        };
        // Only now: what could not be kept is looked at again.
        let outcome = outcome(&judgement);
        self.keep_ledger(&caller.tenant, &snapshot, outcome);
        Ok(Detection {
            judgement,
            source_id: source.clone(),
            frame_count: snapshot.newest_frame_count,
            window,
            at: now,
            recorded,
        })
    }

    /// Notes which seconds were looked at. What a failed screen was to look at is looked at again.
    fn keep_ledger(&self, tenant: &Tenant, snapshot: &Snapshot, outcome: Outcome) {
        let source = &snapshot.source_id;
        let window = snapshot.screen_window();
        self.rings.account(tenant, source, outcome, window);
        if outcome != Outcome::Failed {
            self.rings.mark_screened(tenant, source, snapshot.newest_at);
        }
    }

    /// What the stages that answered cost.
    fn cost(&self, judgement: &Judgement) -> MicroEuros {
        judgement
            .stages
            .iter()
            .filter(|report| report.verdict != StageVerdict::Failed)
            .map(|report| self.prices.of_stage(report.stage))
            .sum()
    }

    async fn charge(&self, tenant: &Tenant, usage: NewUsage) -> Result<(), DbError> {
        let tenant = tenant.clone();
        self.database
            .write(move |conn| vigint_db::usage::insert(conn, &tenant, &usage))
            .await
    }
}

/// The tail for the screen and the whole for the confirmation.
fn looks(caller: &Caller, snapshot: &Snapshot) -> (Look, Look) {
    let whole = Look {
        camera: snapshot
            .source_name
            .clone()
            .unwrap_or_else(|| snapshot.source_id.to_string()),
        locale: caller.locale,
        time_zone: caller.time_zone.clone(),
        clock_offset_ms: snapshot.clock_offset_ms,
        frames: snapshot.frames.clone(),
    };
    let tail = Look {
        frames: snapshot.screen_frames().to_vec(),
        ..whole.clone()
    };
    (tail, whole)
}

/// How much video a look covers, from its oldest frame to its newest.
fn covered(look: &Look) -> Duration {
    match (look.frames.first(), look.frames.last()) {
        (Some(oldest), Some(newest)) => newest.at.since(oldest.at),
        _ => Duration::ZERO,
    }
}

fn outcome(judgement: &Judgement) -> Outcome {
    if judgement.stages.is_empty() {
        Outcome::Skipped
    } else {
        Outcome::Analysed
    }
}

fn analysis_usage(key_id: KeyId, judgement: &Judgement, now: UtcTime) -> NewUsage {
    let tokens = |n: u64| (n > 0).then(|| i64::try_from(n).unwrap_or(i64::MAX));
    NewUsage {
        key_id,
        endpoint: "/api/video/analyze".to_owned(),
        method: "POST".to_owned(),
        status_code: 200,
        requests: 1,
        bytes_in: 0,
        prompt_tokens: tokens(judgement.usage.prompt_tokens),
        completion_tokens: tokens(judgement.usage.completion_tokens),
        cost: judgement.usage.cost,
        provider_cost: None,
        timestamp: now,
    }
}
