//! `analyze`: one snapshot, two looks, and what follows from them.

use std::sync::Arc;
use std::time::Duration;

use tracing::Instrument as _;
use vigint_core::clock::UtcTime;
use vigint_core::ids::SourceId;
use vigint_core::verdict::{Confirmation, Judgement, Skipped, Verdict};
use vigint_db::auth::Caller;
use vigint_db::{DbError, Tenant};

use super::charges::Charge;
use super::doubts::Doubt;
use super::record::Recorded;
use super::service::{Incidents, IncidentsParts};
use super::sighting::Sighting;
use crate::analysis::model::SmallPictures;
use crate::analysis::{AnalyzerError, Calls, Judged, Look};
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
    #[error("{error}")]
    Analyzer {
        /// Why.
        error: AnalyzerError,
        /// Whether its request is written down with what it cost all the same.
        is_metered: bool,
    },
    /// Too many analyses run already.
    #[error("too many analyses run already")]
    Busy,
    /// The incident could not be kept.
    #[error("the database failed: {0}")]
    Database(Arc<DbError>),
    /// It cannot be written down in time. That goes on, and it is charged once it is written.
    #[error("the analysis cannot be written down in time")]
    Late,
    /// A bug: the analysis ended without an answer.
    #[error("the analysis ended without an answer")]
    Lost,
}

/// What a caller gets.
#[derive(Clone, Debug)]
pub struct Answered {
    /// The analysis, or why there is none. One that failed is never "no incident".
    pub outcome: Result<Arc<Detection>, DetectError>,
    /// Whether this caller's request is written down with the analysis. It is not, when that ran already when the
    /// caller came: then it is written down for who began it.
    pub is_metered: bool,
}

impl From<DbError> for DetectError {
    fn from(error: DbError) -> Self {
        Self::Database(Arc::new(error))
    }
}

impl Incidents {
    /// Judges what is buffered of a source now. A second call for the same source while one runs waits
    /// and gets the same answer: one look, one charge.
    pub async fn analyze(&self, caller: &Caller, source: &SourceId) -> Answered {
        let client = caller.tenant.client_id();
        let (parts, caller, source_id) = (Arc::clone(&self.parts), caller.clone(), source.clone());
        let landed = self
            .flights
            .join(client, source.clone(), || async move {
                let span = tracing::info_span!("analysis", %client, source = %source_id);
                let detected = parts.detect(&caller, &source_id).instrument(span).await;
                detected.map(Arc::new)
            })
            .await;
        let Some(landed) = landed else {
            return Answered {
                outcome: Err(DetectError::Lost),
                is_metered: false,
            };
        };
        let is_metered = match &landed.answer {
            Ok(_) | Err(DetectError::Late) => true,
            Err(error) => matches!(error, DetectError::Analyzer { is_metered, .. } if *is_metered),
        };
        Answered {
            outcome: landed.answer,
            is_metered: is_metered && !landed.is_shared,
        }
    }
}

/// What was looked at, and for whom.
struct Looked {
    caller: Caller,
    snapshot: Snapshot,
    /// How much video the screen looked at.
    window: Duration,
    /// What the confirmation looked at, with what models were asked.
    whole: Look,
}

impl IncidentsParts {
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
        let (tail, whole) = self.looks(caller, &snapshot);
        // Judged is what there was when it was asked for, however long the turn is in coming.
        let turn = if self.judge.has_to_look(&tail) {
            let turn = self.turns.turn(Some(caller.tenant.client_id())).await;
            if turn.is_none() {
                self.metrics.count_analysis("busy");
                self.keep_ledger(&caller.tenant, &snapshot, Outcome::Failed);
                return Err(DetectError::Busy);
            }
            turn
        } else {
            None
        };
        let window = covered(&tail);
        let taken = self.clock.elapsed().saturating_sub(began) + RECORD_TIME;
        let limit = ANALYSIS_LIMIT.saturating_sub(taken);
        let judged = self.judge.judge(&tail, &whole, limit).await;
        drop(turn);
        let looked = Looked {
            caller: caller.clone(),
            snapshot,
            window,
            whole,
        };
        let finishing = tokio::spawn(Arc::clone(self).finish(looked, judged).in_current_span());
        let taken = self.clock.elapsed().saturating_sub(began);
        let left = ANALYSIS_LIMIT.saturating_sub(taken).max(RECORD_TIME);
        match tokio::time::timeout(left, finishing).await {
            Ok(Ok(detected)) => detected,
            // A panic is a bug, and goes on in who asked. Nobody cancels this task.
            Ok(Err(failure)) => std::panic::resume_unwind(failure.into_panic()),
            Err(_) => Err(DetectError::Late),
        }
    }

    /// Writes down what an analysis came to and what it cost. Goes on though nobody waits for it any more.
    async fn finish(
        self: Arc<Self>,
        looked: Looked,
        judged: Result<Judged, AnalyzerError>,
    ) -> Result<Detection, DetectError> {
        let Looked {
            caller,
            snapshot,
            window,
            whole,
        } = looked;
        let was_asked = !whole.calls.list().is_empty();
        let Judged {
            mut judgement,
            is_in_doubt,
        } = match judged {
            Ok(judged) => judged,
            Err(error) => {
                self.metrics.count_analysis("failed");
                self.keep_ledger(&caller.tenant, &snapshot, Outcome::Failed);
                let is_metered = self.charge_failure(&caller, &whole.calls, &error).await;
                if was_asked {
                    self.tell_of_budgets(&caller);
                }
                return Err(DetectError::Analyzer { error, is_metered });
            }
        };
        judgement.usage.cost = self.price(&judgement.stages);

        let now = self.clock.now();
        let usage = self.usage(&Charge {
            key_id: caller.key_id,
            status_code: 200,
            requests: 1,
            price: judgement.usage.cost,
            calls: &whole.calls,
            at: now,
        });
        let kept = match judgement.verdict {
            Verdict::Clear => self
                .charge(&caller.tenant, usage.clone())
                .await
                .map(|()| None),
            Verdict::Confirmed | Verdict::Unconfirmed | Verdict::Vetoed => {
                let sighting = Sighting::of_analysis(&judgement, &snapshot);
                self.record(&caller, sighting, snapshot.frames.clone(), usage.clone())
                    .await
                    .map(Some)
            }
        };
        if kept.is_err() && was_asked {
            self.budgets.keep(&caller.tenant, &usage);
        }
        let recorded = kept?;
        self.metrics.count_analysis(label(&judgement));
        // Only now: what could not be kept is looked at again.
        let outcome = outcome(&judgement);
        self.keep_ledger(&caller.tenant, &snapshot, outcome);
        if judgement.skipped == Some(Skipped::Budget) || was_asked {
            self.tell_of_budgets(&caller);
        }
        if let (Some(recorded), true) = (&recorded, is_in_doubt) {
            self.doubt(&caller, recorded, whole);
        }
        Ok(Detection {
            judgement,
            source_id: snapshot.source_id.clone(),
            frame_count: snapshot.newest_frame_count,
            window,
            at: now,
            recorded,
        })
    }

    /// Not in the way of the answer.
    fn tell_of_budgets(&self, caller: &Caller) {
        let (budgets, tenant) = (Arc::clone(&self.budgets), caller.tenant.clone());
        tokio::spawn(async move { budgets.tell(&tenant).await });
    }

    /// Has the confirmation tried again, unless the incident is confirmed by an earlier detection.
    fn doubt(&self, caller: &Caller, recorded: &Recorded, whole: Look) {
        if recorded.incident.confirmation == Confirmation::Unavailable {
            self.doubts.add(Doubt {
                caller: caller.clone(),
                incident: recorded.incident.id,
                whole: whole.shown_at_most(self.frames_in_doubt),
            });
        }
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

    /// The tail for the screen and the whole for the confirmation.
    fn looks(&self, caller: &Caller, snapshot: &Snapshot) -> (Look, Look) {
        let whole = Look {
            camera: snapshot
                .source_name
                .clone()
                .unwrap_or_else(|| snapshot.source_id.to_string()),
            locale: caller.locale,
            time_zone: caller.time_zone.clone(),
            clock_offset_ms: snapshot.clock_offset_ms,
            frames: snapshot.frames.clone(),
            small: SmallPictures::default(),
            calls: Calls::default(),
            allowance: self.budgets.purse(&caller.tenant),
        };
        let tail = Look {
            frames: snapshot.screen_frames().to_vec(),
            ..whole.clone()
        };
        (tail, whole)
    }
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

/// What it is called among the counters.
const fn label(judgement: &Judgement) -> &'static str {
    match (judgement.skipped, judgement.verdict) {
        (Some(skipped), Verdict::Clear) => skipped.as_str(),
        (_, verdict) => verdict.as_str(),
    }
}
