//! Two looks and a veto: the table of verdicts at work.

use std::sync::Arc;
use std::time::Duration;

use vigint_core::clock::Clock;
use vigint_core::text::{clean_line, clean_text};
use vigint_core::verdict::{
    Judgement, RiskLevel, Skipped, Stage, StageReport, StageVerdict, TokenUsage, Verdict,
};

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

/// What becomes of a snapshot.
#[derive(Clone, Debug, PartialEq)]
pub struct Judged {
    /// What it came to.
    pub judgement: Judgement,
    /// Whether a model's confirmation failed and may come later: see [`Judge::confirm`].
    pub is_in_doubt: bool,
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

    /// Whether judging fails: the last look did, or whoever is behind the analyzer has shut us out.
    #[must_use]
    pub fn is_failing(&self) -> bool {
        self.options.vital.is_failing() || self.options.analyzer.is_shut_out()
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
    ) -> Result<Judged, AnalyzerError> {
        if !self.has_to_look(tail) {
            return Ok(Judged {
                judgement: nothing_moved(),
                is_in_doubt: false,
            });
        }
        let began = self.options.clock.elapsed();
        let left = || limit.saturating_sub(self.options.clock.elapsed().saturating_sub(began));
        let analyzer = &self.options.analyzer;
        let screened = self.look(analyzer, Stage::Screen, tail, left()).await;
        let (analyzer, (screen, report), skipped) = match (&screened.0, &self.options.unpaid) {
            (Err(AnalyzerError::NothingLeft), Some(unpaid)) => {
                let screened = self.look(unpaid, Stage::Screen, tail, left()).await;
                (unpaid, screened, Some(Skipped::Budget))
            }
            _ => (analyzer, screened, None),
        };
        let mut looks = Looks {
            screen: screen?,
            confirm: None,
            stages: vec![report],
            skipped,
        };
        let mut is_in_doubt = false;
        if looks.screen.saw_incident {
            // A screen that was paid for is not vetoed by one who only knows motion: nobody confirms it.
            let (confirmed, report) = self.look(analyzer, Stage::Confirm, whole, left()).await;
            if let Err(error) = &confirmed {
                // Models are asked again. Who knows only motion judges what it can there and then.
                is_in_doubt = error.may_pass() && self.options.unpaid.is_some();
                if *error == AnalyzerError::NothingLeft {
                    looks.skipped = Some(Skipped::Budget);
                }
            }
            looks.stages.push(report);
            looks.confirm = Some(confirmed.ok());
        }
        Ok(Judged {
            judgement: looks.judgement(&whole.calls),
            is_in_doubt,
        })
    }

    /// Takes the careful look alone, at what was left unconfirmed.
    ///
    /// # Errors
    /// When nobody could look: it stays unconfirmed.
    pub async fn confirm(&self, whole: &Look) -> Result<Opinion, AnalyzerError> {
        let limit = self.options.stage_timeout;
        let (opinion, _) = self
            .look(&self.options.analyzer, Stage::Confirm, whole, limit)
            .await;
        opinion
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
        let was_asked = opinion != Err(AnalyzerError::NothingLeft);
        // Neither who looks instead nor what cannot be looked at says how the analyzer is.
        let says_how_it_is =
            was_asked && !matches!(opinion, Err(AnalyzerError::Undecodable { .. }));
        if says_how_it_is && Arc::ptr_eq(analyzer, &self.options.analyzer) {
            self.options.vital.note(opinion.is_ok());
        }
        if let (Err(error), true) = (&opinion, was_asked) {
            tracing::warn!(%stage, %error, "an analysis failed");
        }
        let (verdict, who) = match &opinion {
            Ok(opinion) if opinion.saw_incident => {
                (StageVerdict::Incident, opinion.analyzer.clone())
            }
            Ok(opinion) => (StageVerdict::Clear, opinion.analyzer.clone()),
            Err(_) => (StageVerdict::Failed, analyzer.label(stage)),
        };
        let report = StageReport {
            stage,
            analyzer: who,
            verdict,
            ms: u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
        };
        (opinion, report)
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

    use super::*;
    use crate::analysis::{Allowance, AllowanceError, ModelCall};

    const LIMIT: Duration = Duration::from_secs(25);

    /// Answers what it is told to, once a stage, if it may.
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
            async move {
                if !look.allowance.is_left(&look.calls).await.unwrap() {
                    return Err(AnalyzerError::NothingLeft);
                }
                look.calls.begin("scripted").answered(ModelCall {
                    model: "scripted".to_owned(),
                    prompt_tokens: Some(100),
                    completion_tokens: Some(10),
                });
                let answer = script.lock().unwrap().take();
                match answer {
                    Some(answer) => answer,
                    None => std::future::pending().await,
                }
            }
            .boxed()
        }
    }

    /// Knows nothing but motion, and costs nothing.
    struct Unpaid;

    impl Analyzer for Unpaid {
        fn kind(&self) -> &'static str {
            "unpaid"
        }
        fn label(&self, _: Stage) -> String {
            "unpaid".to_owned()
        }
        fn look<'a>(
            &'a self,
            _: Stage,
            _: &'a Look,
            _: Duration,
        ) -> BoxFuture<'a, Result<Opinion, AnalyzerError>> {
            async { Ok(opinion(true, "motion")) }.boxed()
        }
    }

    /// So many calls may be made.
    struct AtMost(usize);

    impl Allowance for AtMost {
        fn is_left<'a>(&'a self, calls: &'a Calls) -> BoxFuture<'a, Result<bool, AllowanceError>> {
            async { Ok(calls.list().len() < self.0) }.boxed()
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
            analyzer: format!("who saw {incident_type}"),
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
        let look = Look::sample(Vec::new());
        let judged = judge.judge(&look, &look, LIMIT).await;
        (judged.map(|judged| judged.judgement), vital)
    }

    async fn judged_with(calls_left: usize) -> (Judged, Arc<Vital>) {
        let yes = |kind| Some(Ok(opinion(true, kind)));
        let model = scripted(yes("theft?"), yes("theft"));
        let (judge, vital) = judge(model, Some(Arc::new(Unpaid)));
        let look = Look {
            allowance: Arc::new(AtMost(calls_left)),
            ..Look::sample(Vec::new())
        };
        (judge.judge(&look, &look, LIMIT).await.unwrap(), vital)
    }

    #[tokio::test]
    async fn with_nothing_left_who_costs_nothing_looks_and_it_says_so() {
        let Judged { judgement, .. } = judged_with(2).await.0;
        assert_eq!(
            (judgement.skipped, judgement.incident_type.as_str()),
            (None, "theft")
        );
        let Judged { judgement, .. } = judged_with(0).await.0;
        assert_eq!(judgement.stages[0].analyzer, "who saw motion");
        assert_eq!(judgement.skipped, Some(Skipped::Budget));
        assert_eq!(judgement.incident_type, "motion");
        assert_eq!(judgement.verdict, Verdict::Confirmed);
    }

    #[tokio::test]
    async fn with_nothing_left_for_the_confirmation_it_stays_unconfirmed_and_nobody_fails() {
        let (judged, vital) = judged_with(1).await;
        assert!(judged.is_in_doubt, "there may be more of it later");
        let judgement = judged.judgement;
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
            "A man takes a bottle. https[:]//x[.]example"
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

    #[tokio::test]
    async fn what_was_rejected_is_not_in_doubt_and_passing_trouble_is() {
        let unavailable = AnalyzerError::Unavailable {
            reason: "503".to_owned(),
            retry_after: None,
        };
        for (error, is_in_doubt) in [
            (AnalyzerError::Rejected("blocked".to_owned()), false),
            (AnalyzerError::Failed("no JSON".to_owned()), true),
            (unavailable, true),
        ] {
            let unpaid: Arc<dyn Analyzer> = Arc::new(Unpaid);
            for (unpaid, is_in_doubt) in [(Some(unpaid), is_in_doubt), (None, false)] {
                let screen = Some(Ok(opinion(true, "theft?")));
                let (judge, _) = judge(scripted(screen, Some(Err(error.clone()))), unpaid);
                let look = Look::sample(Vec::new());
                let judged = judge.judge(&look, &look, LIMIT).await.unwrap();
                assert_eq!(judged.is_in_doubt, is_in_doubt, "{error}");
                assert_eq!(judged.judgement.verdict, Verdict::Unconfirmed);
            }
        }
    }

    /// Takes a while for each look, by the clock of its judge, and notes how long it might have taken.
    struct Slow {
        clock: Arc<ManualClock>,
        limits: Mutex<Vec<Duration>>,
    }

    impl Analyzer for Slow {
        fn kind(&self) -> &'static str {
            "slow"
        }
        fn label(&self, _: Stage) -> String {
            "slow".to_owned()
        }
        fn look<'a>(
            &'a self,
            _: Stage,
            _: &'a Look,
            limit: Duration,
        ) -> BoxFuture<'a, Result<Opinion, AnalyzerError>> {
            self.limits.lock().unwrap().push(limit);
            self.clock.advance(Duration::from_secs(9));
            async { Ok(opinion(true, "slow")) }.boxed()
        }
    }

    #[tokio::test]
    async fn what_the_screen_took_is_missing_to_the_confirmation() {
        let clock = Arc::new(ManualClock::new(UtcTime::UNIX_EPOCH));
        let slow = Arc::new(Slow {
            clock: Arc::clone(&clock),
            limits: Mutex::default(),
        });
        let judge = Judge::new(JudgeOptions {
            analyzer: Arc::<Slow>::clone(&slow),
            unpaid: None,
            motion_gate: false,
            stage_timeout: Duration::from_secs(10),
            clock,
            vital: Arc::default(),
        });
        let look = Look::sample(Vec::new());
        let judged = judge.judge(&look, &look, Duration::from_secs(15)).await;
        assert_eq!(judged.unwrap().judgement.stages[0].ms, 9_000);
        let limits = slow.limits.lock().unwrap().clone();
        assert_eq!(limits, [10, 6].map(Duration::from_secs));
    }

    #[tokio::test]
    async fn pictures_that_cannot_be_decoded_say_nothing_of_the_analyzer() {
        let undecodable = AnalyzerError::Undecodable { bad: 2, of: 2 };
        let (judgement, vital) = judged(Some(Err(undecodable.clone())), None).await;
        assert_eq!(judgement, Err(undecodable));
        assert!(!vital.is_failing());
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
