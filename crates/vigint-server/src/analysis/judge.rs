//! Two looks and a veto: the table of verdicts at work.

use std::sync::Arc;
use std::time::Duration;

use vigint_core::clock::Clock;
use vigint_core::text::{clean_line, clean_text};
use vigint_core::verdict::{
    Judgement, RiskLevel, Skipped, Stage, StageReport, StageVerdict, TokenUsage, Verdict,
};

use super::allowance::Allowance;
use super::analyzer::{Analyzer, AnalyzerError, Look, Opinion};
use super::calls::Calls;
use crate::buffer::gate_is_open;
use crate::vitals::Vital;

/// What a judge is made of.
pub struct JudgeOptions {
    /// Who looks.
    pub analyzer: Arc<dyn Analyzer>,
    /// Who looks when nothing is left to pay the analyzer with; none when it costs nothing.
    pub unpaid: Option<Arc<dyn Analyzer>>,
    /// Whether nothing is asked while nothing moves.
    pub motion_gate: bool,
    /// How long one look may take, its retries included.
    pub stage_timeout: Duration,
    /// Measures how long looks take.
    pub clock: Arc<dyn Clock>,
    /// What health asks.
    pub vital: Arc<Vital>,
}

/// Judges snapshots.
pub struct Judge {
    options: JudgeOptions,
}

impl Judge {
    /// A judge.
    #[must_use]
    pub const fn new(options: JudgeOptions) -> Self {
        Self { options }
    }

    /// The analyzer's kind, as health shows it.
    #[must_use]
    pub fn analyzer_kind(&self) -> &'static str {
        self.options.analyzer.kind()
    }

    /// Whether anybody has to look at this: something moves, or may.
    #[must_use]
    pub fn has_to_look(&self, tail: &Look) -> bool {
        !self.options.motion_gate || gate_is_open(&tail.frames)
    }

    /// Judges one snapshot: `tail` is what the screen looks at, `whole` what the confirmation looks at.
    ///
    /// Both looks together take no longer than `limit`. A confirmation that fails does not fail the judgement:
    /// what the screen saw goes out as unconfirmed. The cost is left at zero: prices are not known here.
    ///
    /// # Errors
    /// When the screen failed: there is no verdict then.
    pub async fn judge(
        &self,
        tail: &Look,
        whole: &Look,
        limit: Duration,
        allowance: &dyn Allowance,
    ) -> Result<Judgement, AnalyzerError> {
        if !self.has_to_look(tail) {
            return Ok(nothing_moved());
        }
        let began = self.options.clock.elapsed();
        let left = || limit.saturating_sub(self.options.clock.elapsed().saturating_sub(began));
        let (analyzer, is_paid) = self.who_looks(allowance).await?;
        let (screened, report) = self.look(analyzer, Stage::Screen, tail, left()).await;
        let mut looks = Looks {
            screen: screened?,
            confirm: None,
            stages: vec![report],
            skipped: (!is_paid).then_some(Skipped::Budget),
        };
        if looks.screen.saw_incident {
            // A screen that was paid for is not vetoed by one who only knows motion: nobody confirms it.
            let may_confirm = !is_paid || self.may_ask(allowance).await;
            let (confirmed, report) = if may_confirm {
                self.look(analyzer, Stage::Confirm, whole, left()).await
            } else {
                looks.skipped = Some(Skipped::Budget);
                (Err(nothing_left()), not_asked(analyzer))
            };
            looks.stages.push(report);
            looks.confirm = Some(confirmed.ok());
        }
        Ok(looks.judgement(&whole.calls))
    }

    /// Takes the careful look alone, at what was left unconfirmed.
    ///
    /// # Errors
    /// When nobody could look: it stays unconfirmed.
    pub async fn confirm(
        &self,
        whole: &Look,
        allowance: &dyn Allowance,
    ) -> Result<Opinion, AnalyzerError> {
        if !self.may_ask(allowance).await {
            return Err(nothing_left());
        }
        let limit = self.options.stage_timeout;
        let (opinion, _) = self
            .look(&self.options.analyzer, Stage::Confirm, whole, limit)
            .await;
        opinion
    }

    /// Who looks, and whether that is the analyzer itself.
    async fn who_looks(
        &self,
        allowance: &dyn Allowance,
    ) -> Result<(&Arc<dyn Analyzer>, bool), AnalyzerError> {
        let analyzer = &self.options.analyzer;
        let Some(unpaid) = &self.options.unpaid else {
            return Ok((analyzer, true));
        };
        match allowance.is_left().await {
            Ok(true) => Ok((analyzer, true)),
            Ok(false) => Ok((unpaid, false)),
            Err(error) => Err(AnalyzerError::Unavailable {
                reason: error.to_string(),
                retry_after: None,
            }),
        }
    }

    async fn may_ask(&self, allowance: &dyn Allowance) -> bool {
        if self.options.unpaid.is_none() {
            return true;
        }
        allowance.is_left().await.unwrap_or_else(|error| {
            tracing::error!(%error, "a confirmation is left out");
            false
        })
    }

    async fn look(
        &self,
        analyzer: &Arc<dyn Analyzer>,
        stage: Stage,
        look: &Look,
        limit: Duration,
    ) -> (Result<Opinion, AnalyzerError>, StageReport) {
        let began = self.options.clock.elapsed();
        let limit = self.options.stage_timeout.min(limit);
        let opinion = tokio::time::timeout(limit, analyzer.look(stage, look, limit))
            .await
            .unwrap_or(Err(AnalyzerError::TimedOut));
        let took = self.options.clock.elapsed().saturating_sub(began);
        // Who looks instead says nothing of how the analyzer is.
        if Arc::ptr_eq(analyzer, &self.options.analyzer) {
            self.options.vital.note(opinion.is_ok());
        }
        if let Err(error) = &opinion {
            tracing::warn!(%stage, %error, "an analysis failed");
        }
        let verdict = match &opinion {
            Ok(opinion) if opinion.saw_incident => StageVerdict::Incident,
            Ok(_) => StageVerdict::Clear,
            Err(_) => StageVerdict::Failed,
        };
        let report = StageReport {
            stage,
            analyzer: analyzer.label(stage),
            verdict,
            ms: u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
        };
        (opinion, report)
    }
}

fn nothing_left() -> AnalyzerError {
    AnalyzerError::Unavailable {
        reason: "the budget is spent".to_owned(),
        retry_after: None,
    }
}

fn not_asked(analyzer: &Arc<dyn Analyzer>) -> StageReport {
    StageReport {
        stage: Stage::Confirm,
        analyzer: analyzer.label(Stage::Confirm),
        verdict: StageVerdict::Failed,
        ms: 0,
    }
}

/// What the looks at one snapshot said.
struct Looks {
    screen: Opinion,
    /// None when there was nothing to confirm; an inner none when that failed.
    confirm: Option<Option<Opinion>>,
    stages: Vec<StageReport>,
    skipped: Option<Skipped>,
}

impl Looks {
    /// Puts both opinions together. What the careful look says of kind and risk counts when it agrees.
    fn judgement(self, calls: &Calls) -> Judgement {
        let screen = self.screen;
        let confirm = self.confirm.flatten();
        let agrees = confirm.as_ref().map(|opinion| opinion.saw_incident);
        let verdict = Verdict::of(screen.saw_incident, agrees);
        let leading = confirm.as_ref().unwrap_or(&screen);
        let shown_type = match verdict {
            Verdict::Clear => String::new(),
            // A veto is kept for review under what the screen took it for.
            Verdict::Vetoed => clean_line(&screen.incident_type),
            Verdict::Confirmed | Verdict::Unconfirmed => clean_line(&leading.incident_type),
        };
        let frames_of_confirm = confirm
            .as_ref()
            .map_or(0, |opinion| opinion.frames_analyzed);
        Judgement {
            verdict,
            incident_type: shown_type,
            risk_level: if verdict.is_alerted() {
                leading.risk_level
            } else {
                RiskLevel::Low
            },
            description: clean_text(&leading.description),
            analysis: clean_text(&screen.analysis),
            detailed_analysis: confirm
                .as_ref()
                .map(|opinion| clean_text(&opinion.analysis)),
            frames_analyzed: screen.frames_analyzed + frames_of_confirm,
            skipped: self.skipped,
            stages: self.stages,
            usage: usage(calls),
        }
    }
}

/// What is known of it.
fn usage(calls: &Calls) -> TokenUsage {
    let calls = calls.list();
    TokenUsage {
        prompt_tokens: calls.iter().filter_map(|call| call.prompt_tokens).sum(),
        completion_tokens: calls.iter().filter_map(|call| call.completion_tokens).sum(),
        ..TokenUsage::default()
    }
}

fn nothing_moved() -> Judgement {
    Judgement {
        verdict: Verdict::Clear,
        incident_type: String::new(),
        risk_level: RiskLevel::Low,
        description: String::new(),
        analysis: String::new(),
        detailed_analysis: None,
        frames_analyzed: 0,
        skipped: Some(Skipped::NoMotion),
        stages: Vec::new(),
        usage: TokenUsage::default(),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use futures_util::future::{BoxFuture, FutureExt as _};
    use vigint_core::clock::{ManualClock, UtcTime};
    use vigint_core::locale::Locale;

    use super::*;
    use crate::analysis::model::SmallPictures;
    use crate::analysis::{AllowanceError, ModelCall, Unlimited};

    const LIMIT: Duration = Duration::from_secs(25);

    /// Answers what it is told to, once a stage.
    struct Scripted {
        screen: Mutex<Option<Result<Opinion, AnalyzerError>>>,
        confirm: Mutex<Option<Result<Opinion, AnalyzerError>>>,
    }

    impl Analyzer for Scripted {
        fn kind(&self) -> &'static str {
            "scripted"
        }
        fn label(&self, stage: Stage) -> String {
            format!("scripted:{stage}")
        }
        fn look<'a>(
            &'a self,
            stage: Stage,
            look: &'a Look,
            _: Duration,
        ) -> BoxFuture<'a, Result<Opinion, AnalyzerError>> {
            let script = match stage {
                Stage::Screen => &self.screen,
                Stage::Confirm => &self.confirm,
            };
            let answer = script.lock().unwrap().take();
            look.calls.begin("scripted").answered(ModelCall {
                model: "scripted".to_owned(),
                prompt_tokens: Some(100),
                completion_tokens: Some(10),
            });
            answer.map_or_else(
                || futures_util::future::pending().boxed(),
                |a| async { a }.boxed(),
            )
        }
    }

    /// So many calls are left.
    struct Left(Mutex<u32>);

    impl Allowance for Left {
        fn is_left(&self) -> BoxFuture<'_, Result<bool, AllowanceError>> {
            let mut left = self.0.lock().unwrap();
            let is_left = *left > 0;
            *left = left.saturating_sub(1);
            async move { Ok(is_left) }.boxed()
        }
    }

    fn opinion(saw_incident: bool, incident_type: &str) -> Opinion {
        Opinion {
            saw_incident,
            incident_type: incident_type.to_owned(),
            risk_level: RiskLevel::High,
            description: "A man takes a bottle. https://x.example".to_owned(),
            analysis: format!("{incident_type} reasons"),
            frames_analyzed: 8,
        }
    }

    fn look() -> Look {
        Look {
            camera: "Till".to_owned(),
            locale: Locale::English,
            time_zone: "UTC".to_owned(),
            clock_offset_ms: 0,
            frames: Vec::new(),
            small: SmallPictures::default(),
            calls: Calls::default(),
        }
    }

    type Answer = Option<Result<Opinion, AnalyzerError>>;

    fn scripted(screen: Answer, confirm: Answer) -> Arc<dyn Analyzer> {
        Arc::new(Scripted {
            screen: Mutex::new(screen),
            confirm: Mutex::new(confirm),
        })
    }

    fn judge(
        analyzer: Arc<dyn Analyzer>,
        unpaid: Option<Arc<dyn Analyzer>>,
    ) -> (Judge, Arc<Vital>) {
        let vital = Arc::new(Vital::default());
        let judge = Judge::new(JudgeOptions {
            analyzer,
            unpaid,
            motion_gate: false,
            stage_timeout: Duration::from_secs(10),
            clock: Arc::new(ManualClock::new(UtcTime::UNIX_EPOCH)),
            vital: Arc::clone(&vital),
        });
        (judge, vital)
    }

    async fn judged(
        screen: Answer,
        confirm: Answer,
    ) -> (Result<Judgement, AnalyzerError>, Arc<Vital>) {
        let (judge, vital) = judge(scripted(screen, confirm), None);
        let look = look();
        (judge.judge(&look, &look, LIMIT, &Unlimited).await, vital)
    }

    async fn judged_with(calls_left: u32) -> (Judgement, Arc<Vital>) {
        let yes = |kind| Some(Ok(opinion(true, kind)));
        let unpaid = scripted(yes("motion"), yes("motion"));
        let (judge, vital) = judge(scripted(yes("theft?"), yes("theft")), Some(unpaid));
        let (look, left) = (look(), Left(Mutex::new(calls_left)));
        (
            judge.judge(&look, &look, LIMIT, &left).await.unwrap(),
            vital,
        )
    }

    #[tokio::test]
    async fn with_nothing_left_who_costs_nothing_looks_and_it_says_so() {
        let (judgement, _) = judged_with(2).await;
        assert_eq!(
            (judgement.skipped, judgement.incident_type.as_str()),
            (None, "theft")
        );
        let (judgement, _) = judged_with(0).await;
        assert_eq!(judgement.skipped, Some(Skipped::Budget));
        assert_eq!(judgement.incident_type, "motion");
        assert_eq!(judgement.verdict, Verdict::Confirmed);
    }

    #[tokio::test]
    async fn with_nothing_left_for_the_confirmation_it_stays_unconfirmed_and_nobody_fails() {
        let (judgement, vital) = judged_with(1).await;
        assert_eq!(judgement.skipped, Some(Skipped::Budget));
        assert_eq!(judgement.verdict, Verdict::Unconfirmed);
        assert_eq!(judgement.stages[1].verdict, StageVerdict::Failed);
        assert!(!vital.is_failing());
    }

    #[tokio::test]
    async fn a_clear_screen_asks_nobody_else() {
        let (judgement, _) = judged(Some(Ok(opinion(false, "x"))), None).await;
        let judgement = judgement.unwrap();
        assert_eq!(judgement.verdict, Verdict::Clear);
        assert_eq!(judgement.incident_type, "");
        assert_eq!(judgement.risk_level, RiskLevel::Low);
        assert_eq!(judgement.stages.len(), 1);
    }

    #[tokio::test]
    async fn both_looks_agree_and_their_use_is_summed() {
        let (judgement, _) = judged(
            Some(Ok(opinion(true, "theft?"))),
            Some(Ok(opinion(true, "theft"))),
        )
        .await;
        let judgement = judgement.unwrap();
        assert_eq!(judgement.verdict, Verdict::Confirmed);
        assert_eq!(judgement.incident_type, "theft");
        assert_eq!(judgement.risk_level, RiskLevel::High);
        assert_eq!(judgement.analysis, "theft? reasons");
        assert_eq!(
            judgement.detailed_analysis.as_deref(),
            Some("theft reasons")
        );
        assert_eq!(
            judgement.description,
            "A man takes a bottle. https[:]//x.example"
        );
        assert_eq!(
            (judgement.frames_analyzed, judgement.usage.prompt_tokens),
            (16, 200)
        );
    }

    #[tokio::test]
    async fn a_veto_alerts_nobody_and_keeps_what_the_screen_saw() {
        let (judgement, _) = judged(
            Some(Ok(opinion(true, "theft?"))),
            Some(Ok(opinion(false, ""))),
        )
        .await;
        let judgement = judgement.unwrap();
        assert_eq!(judgement.verdict, Verdict::Vetoed);
        assert_eq!(judgement.incident_type, "theft?");
        assert_eq!(judgement.risk_level, RiskLevel::Low);
    }

    #[tokio::test(start_paused = true)]
    async fn a_confirmation_that_fails_or_hangs_leaves_it_unconfirmed() {
        let broken = Err(AnalyzerError::Failed("no JSON".to_owned()));
        for confirm in [Some(broken), None] {
            let (judgement, vital) = judged(Some(Ok(opinion(true, "theft?"))), confirm).await;
            let judgement = judgement.unwrap();
            assert_eq!(judgement.verdict, Verdict::Unconfirmed);
            assert_eq!(judgement.incident_type, "theft?");
            assert_eq!(judgement.stages[1].verdict, StageVerdict::Failed);
            assert!(vital.is_failing());
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_screen_that_fails_or_hangs_is_an_error_and_never_no_incident() {
        let broken = AnalyzerError::Failed("no JSON".to_owned());
        let (judgement, vital) = judged(Some(Err(broken.clone())), None).await;
        assert_eq!(judgement, Err(broken));
        assert!(vital.is_failing());
        let (judgement, _) = judged(None, None).await;
        assert_eq!(judgement, Err(AnalyzerError::TimedOut));
    }
}
