//! Two looks and a veto: the table of verdicts at work.

use std::sync::Arc;
use std::time::Duration;

use vigint_core::clock::Clock;
use vigint_core::text::{clean_line, clean_text};
use vigint_core::verdict::{
    Judgement, RiskLevel, Skipped, Stage, StageReport, StageVerdict, TokenUsage, Verdict,
};

use super::analyzer::{Analyzer, AnalyzerError, Look, Opinion};
use crate::buffer::gate_is_open;
use crate::vitals::Vital;

/// What a judge is made of.
pub struct JudgeOptions {
    /// Who looks.
    pub analyzer: Arc<dyn Analyzer>,
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
    ) -> Result<Judgement, AnalyzerError> {
        let began = self.options.clock.elapsed();
        let left = || limit.saturating_sub(self.options.clock.elapsed().saturating_sub(began));
        if self.options.motion_gate && !gate_is_open(&tail.frames) {
            return Ok(nothing_moved());
        }
        let (screened, report) = self.look(Stage::Screen, tail, left()).await;
        let mut stages = vec![report];
        let screen = screened?;
        if !screen.saw_incident {
            return Ok(judgement(Verdict::Clear, &screen, None, stages));
        }
        let (confirmed, report) = self.look(Stage::Confirm, whole, left()).await;
        stages.push(report);
        let verdict = Verdict::of(true, confirmed.as_ref().ok().map(|o| o.saw_incident));
        Ok(judgement(verdict, &screen, confirmed.ok().as_ref(), stages))
    }

    async fn look(
        &self,
        stage: Stage,
        look: &Look,
        limit: Duration,
    ) -> (Result<Opinion, AnalyzerError>, StageReport) {
        let began = self.options.clock.elapsed();
        let analyzer = &self.options.analyzer;
        let asked = match stage {
            Stage::Screen => analyzer.screen(look),
            Stage::Confirm => analyzer.confirm(look),
        };
        let opinion = tokio::time::timeout(self.options.stage_timeout.min(limit), asked)
            .await
            .unwrap_or(Err(AnalyzerError::TimedOut));
        let took = self.options.clock.elapsed().saturating_sub(began);
        self.options.vital.note(opinion.is_ok());
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

/// Puts both opinions together. What the careful look says of kind and risk counts when it agrees.
fn judgement(
    verdict: Verdict,
    screen: &Opinion,
    confirm: Option<&Opinion>,
    stages: Vec<StageReport>,
) -> Judgement {
    let looks = || std::iter::once(screen).chain(confirm);
    let leading = confirm.unwrap_or(screen);
    let is_alerted = verdict.is_alerted();
    let shown_type = match verdict {
        Verdict::Clear => String::new(),
        // A veto is kept for review under what the screen took it for.
        Verdict::Vetoed => clean_line(&screen.incident_type),
        Verdict::Confirmed | Verdict::Unconfirmed => clean_line(&leading.incident_type),
    };
    Judgement {
        verdict,
        incident_type: shown_type,
        risk_level: if is_alerted {
            leading.risk_level
        } else {
            RiskLevel::Low
        },
        description: clean_text(&leading.description),
        analysis: clean_text(&screen.analysis),
        detailed_analysis: confirm.map(|opinion| clean_text(&opinion.analysis)),
        frames_analyzed: looks().map(|opinion| opinion.frames_analyzed).sum(),
        skipped: None,
        stages,
        usage: TokenUsage {
            prompt_tokens: looks().map(|opinion| opinion.prompt_tokens).sum(),
            completion_tokens: looks().map(|opinion| opinion.completion_tokens).sum(),
            ..TokenUsage::default()
        },
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use futures_util::future::{BoxFuture, FutureExt as _};
    use vigint_core::clock::{ManualClock, UtcTime};
    use vigint_core::locale::Locale;

    use super::*;

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
        fn screen<'a>(&'a self, _: &'a Look) -> BoxFuture<'a, Result<Opinion, AnalyzerError>> {
            let answer = self.screen.lock().unwrap().take();
            answer.map_or_else(
                || futures_util::future::pending().boxed(),
                |a| async { a }.boxed(),
            )
        }
        fn confirm<'a>(&'a self, _: &'a Look) -> BoxFuture<'a, Result<Opinion, AnalyzerError>> {
            let answer = self.confirm.lock().unwrap().take();
            answer.map_or_else(
                || futures_util::future::pending().boxed(),
                |a| async { a }.boxed(),
            )
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
            prompt_tokens: 100,
            completion_tokens: 10,
        }
    }

    fn look() -> Look {
        Look {
            camera: "Till".to_owned(),
            locale: Locale::English,
            time_zone: "UTC".to_owned(),
            clock_offset_ms: 0,
            frames: Vec::new(),
        }
    }

    type Answer = Option<Result<Opinion, AnalyzerError>>;

    async fn judged(
        screen: Answer,
        confirm: Answer,
    ) -> (Result<Judgement, AnalyzerError>, Arc<Vital>) {
        let vital = Arc::new(Vital::default());
        let judge = Judge::new(JudgeOptions {
            analyzer: Arc::new(Scripted {
                screen: Mutex::new(screen),
                confirm: Mutex::new(confirm),
            }),
            motion_gate: false,
            stage_timeout: Duration::from_secs(10),
            clock: Arc::new(ManualClock::new(UtcTime::UNIX_EPOCH)),
            vital: Arc::clone(&vital),
        });
        let limit = Duration::from_secs(25);
        (judge.judge(&look(), &look(), limit).await, vital)
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
