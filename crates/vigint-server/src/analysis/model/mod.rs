//! Analysis by a vision model: the pictures and the prompt, the call with its retries, the verdict.
//!
//! Another provider is another file that implements [`Provider`], and a line where `state/` chooses one.

mod attempts;
mod breaker;
mod gemini;
mod openai;
mod options;
mod pictures;
mod prompt;
mod provider;
mod reply;
mod transport;
mod verdict;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use tokio::time::Instant;
use vigint_core::clock::Clock;
use vigint_core::random::Random;
use vigint_core::secrecy;
use vigint_core::text::{clean_line, plain_line};
use vigint_core::verdict::Stage;

use super::analyzer::{Analyzer, AnalyzerError, Look, Opinion};
use super::calls::ModelCall;
use attempts::{Attempts, Next};
use breaker::Breaker;
use pictures::{Picture, Shrinker};
use transport::Transport;

pub use gemini::{Gemini, read as read_gemini};
pub use openai::{OpenAi, read as read_openai};
pub use options::{LookOptions, ModelError, ModelOptions};
pub use pictures::SmallPictures;
pub(super) use pictures::evenly;
pub use provider::{AddressError, AnswerFormat, Ask, Connection, Dialect, Outgoing, Provider};
pub use reply::{Fault, Reading, Reply, TokenCount};
pub use verdict::ModelVerdict;

/// Judges by asking a model.
pub struct ModelAnalyzer {
    provider: Box<dyn Provider>,
    transport: Transport,
    screen: StageModel,
    confirm: StageModel,
    shrinker: Shrinker,
    secrets: Vec<String>,
    random: Arc<dyn Random>,
    /// What the server was found to understand.
    dialect: Mutex<Dialect>,
}

struct StageModel {
    options: LookOptions,
    breaker: Breaker,
}

impl StageModel {
    fn new(options: LookOptions, clock: &Arc<dyn Clock>) -> Self {
        Self {
            options,
            breaker: Breaker::new(clock),
        }
    }
}

/// What stays the same over all attempts at one look.
struct Question<'a> {
    stage: Stage,
    look: &'a Look,
    system: String,
    pictures: Vec<Picture>,
    deadline: Instant,
}

impl Question<'_> {
    fn time_left(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }
}

impl ModelAnalyzer {
    /// An analyzer that has asked nobody yet.
    ///
    /// # Errors
    /// When no TLS can be set up.
    pub fn new(options: ModelOptions) -> Result<Self, ModelError> {
        Ok(Self {
            transport: Transport::new(options.is_loopback)?,
            screen: StageModel::new(options.screen, &options.clock),
            confirm: StageModel::new(options.confirm, &options.clock),
            shrinker: Shrinker::new(options.picture_size, options.threads),
            provider: options.provider,
            secrets: options.secrets,
            random: options.random,
            dialect: Mutex::default(),
        })
    }

    const fn model(&self, stage: Stage) -> &StageModel {
        match stage {
            Stage::Screen => &self.screen,
            Stage::Confirm => &self.confirm,
        }
    }

    async fn ask(
        &self,
        stage: Stage,
        look: &Look,
        limit: Duration,
    ) -> Result<Opinion, AnalyzerError> {
        let deadline = Instant::now() + limit;
        may_still_ask(look).await?;
        let most = self.model(stage).options.frames;
        let pictures = self.shrinker.choose(&look.frames, most, &look.small);
        let question = Question {
            stage,
            look,
            system: prompt::system(stage, look.locale),
            pictures: pictures.await?,
            deadline,
        };
        tracing::debug!(%stage, prompt = prompt::VERSION, pictures = question.pictures.len(), "asking a model");
        let mut attempts = Attempts::new(
            self.dialect(),
            LookOptions::max_output_tokens(stage),
            question.pictures.len(),
        );
        loop {
            let fault = match self.call(&question, &attempts).await? {
                Ok(opinion) => {
                    *self.dialect.lock().unwrap_or_else(PoisonError::into_inner) = attempts.dialect;
                    return Ok(opinion);
                }
                Err(fault) => fault,
            };
            let reason = self.shown(&fault.to_string());
            match attempts.after(fault, question.time_left(), self.chance()) {
                Next::Again(wait) => {
                    tracing::info!(%stage, %reason, wait_ms = wait.as_millis(), "a model is asked again");
                    let nothing = std::future::pending::<()>();
                    let _ = tokio::time::timeout(wait, nothing).await;
                    may_still_ask(look).await?;
                }
                Next::GiveUp(error) => return Err(self.cleaned(error)),
            }
        }
    }

    /// One call. The outer error is that the provider is not to be asked now.
    async fn call(
        &self,
        question: &Question<'_>,
        attempts: &Attempts,
    ) -> Result<Result<Opinion, Fault>, AnalyzerError> {
        // Who is to confirm is never replaced: the cheap model must not veto what it saw itself.
        let model = if attempts.is_second_model && question.stage == Stage::Screen {
            &self.confirm
        } else {
            self.model(question.stage)
        };
        let pass = model
            .breaker
            .enter()
            .map_err(|refused| AnalyzerError::Unavailable {
                reason: refused.why,
                retry_after: Some(refused.retry_after),
            })?;
        let shown: Vec<&Picture> = evenly(&question.pictures, attempts.pictures).collect();
        let times: Vec<_> = shown.iter().map(|picture| picture.at).collect();
        let jpegs: Vec<Bytes> = shown.iter().map(|picture| picture.jpeg.clone()).collect();
        let outgoing = self.provider.request(&Ask {
            model: &model.options.model,
            system: &question.system,
            task: &prompt::task(question.look, &times),
            pictures: &jpegs,
            resolution: self.model(question.stage).options.resolution,
            max_output_tokens: attempts.max_output_tokens,
            dialect: attempts.dialect,
        });
        let open = question.look.calls.begin(&model.options.model);
        let received = match self.transport.send(outgoing, question.time_left()).await {
            Ok(received) => received,
            Err(broken) => {
                if !broken.may_be_paid {
                    open.cost_nothing();
                }
                return Ok(Err(broken.fault));
            }
        };
        let reading = self.provider.read(attempts.dialect, &received.reply());
        match reading.count {
            None => open.cost_nothing(),
            Some(count) => open.answered(ModelCall {
                model: count.model.map_or_else(
                    || model.options.model.clone(),
                    |name| clean_line(&self.hidden(&name)),
                ),
                prompt_tokens: count.prompt,
                completion_tokens: count.completion,
            }),
        }
        Ok(match reading.verdict {
            Ok(verdict) => {
                pass.worked();
                tracing::debug!(
                    stage = %question.stage,
                    incident = verdict.incident_detected,
                    risk = %verdict.risk_level,
                    confidence = verdict.confidence,
                    "a model judged"
                );
                Ok(Opinion {
                    saw_incident: verdict.incident_detected,
                    incident_type: self.hidden(&verdict.incident_type),
                    risk_level: verdict.risk_level,
                    description: self.hidden(&verdict.description),
                    analysis: self.hidden(&verdict.analysis),
                    frames_analyzed: shown.len(),
                    analyzer: self.labelled(model),
                })
            }
            Err(Fault::ShutOut { why, retry_after }) => {
                let wait = pass.shut_out(self.shown(&why));
                Err(Fault::ShutOut {
                    why,
                    // What the provider says itself counts more.
                    retry_after: retry_after.or(Some(wait)),
                })
            }
            // It took us in, whatever it made of the rest.
            Err(fault) if !is_trouble(&fault) => {
                pass.worked();
                Err(fault)
            }
            Err(fault) => Err(fault),
        })
    }

    fn labelled(&self, model: &StageModel) -> String {
        format!("{}:{}", self.provider.kind(), model.options.model)
    }

    fn dialect(&self) -> Dialect {
        *self.dialect.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// 0..1.
    fn chance(&self) -> f64 {
        let mut byte = [0];
        self.random.fill(&mut byte);
        let [byte] = byte;
        f64::from(byte) / 255.0
    }

    fn cleaned(&self, error: AnalyzerError) -> AnalyzerError {
        match error {
            AnalyzerError::Failed(why) => AnalyzerError::Failed(self.shown(&why)),
            AnalyzerError::Unavailable {
                reason,
                retry_after,
            } => AnalyzerError::Unavailable {
                reason: self.shown(&reason),
                retry_after,
            },
            AnalyzerError::Rejected(why) => AnalyzerError::Rejected(self.shown(&why)),
            error @ (AnalyzerError::Undecodable { .. }
            | AnalyzerError::TimedOut
            | AnalyzerError::NothingLeft) => error,
        }
    }

    /// A provider's words for the log: one short line, without keys that it repeats.
    fn shown(&self, words: &str) -> String {
        let words = plain_line(&self.hidden(words));
        secrecy::without(&words, words.split(' '))
    }

    /// What a provider says, without our keys.
    fn hidden(&self, words: &str) -> String {
        let hide = |words: String, secret: &String| words.replace(secret.as_str(), secrecy::HIDDEN);
        self.secrets.iter().fold(words.to_owned(), hide)
    }
}

const fn is_trouble(fault: &Fault) -> bool {
    matches!(fault, Fault::Trouble { .. } | Fault::Rate { .. })
}

/// Asked before each call; what the calls before it cost is not written down yet.
async fn may_still_ask(look: &Look) -> Result<(), AnalyzerError> {
    match look.allowance.is_left(&look.calls).await {
        Ok(true) => Ok(()),
        Ok(false) => Err(AnalyzerError::NothingLeft),
        Err(error) => Err(AnalyzerError::Unavailable {
            reason: error.to_string(),
            retry_after: None,
        }),
    }
}

impl Analyzer for ModelAnalyzer {
    fn kind(&self) -> &'static str {
        self.provider.kind()
    }

    fn label(&self, stage: Stage) -> String {
        self.labelled(self.model(stage))
    }

    fn is_shut_out(&self) -> bool {
        self.screen.breaker.is_shut() || self.confirm.breaker.is_shut()
    }

    fn look<'a>(
        &'a self,
        stage: Stage,
        look: &'a Look,
        limit: Duration,
    ) -> BoxFuture<'a, Result<Opinion, AnalyzerError>> {
        Box::pin(self.ask(stage, look, limit))
    }
}

#[cfg(test)]
mod tests {
    use vigint_config::Resolution;
    use vigint_core::clock::{SystemClock, UtcTime};
    use vigint_core::key::Secret;
    use vigint_core::locale::Locale;
    use vigint_core::random::SystemRandom;

    use super::*;

    fn look() -> LookOptions {
        LookOptions {
            model: "m".to_owned(),
            frames: 2,
            resolution: Resolution::Low,
        }
    }

    #[test]
    fn keys_that_a_provider_repeats_are_not_shown() {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let key = "a.key:with\"marks,<and>few-digits";
        let base = "http://127.0.0.1:1".parse().unwrap();
        let analyzer = ModelAnalyzer::new(ModelOptions {
            provider: Box::new(Gemini::new(base, &Secret::new(key))),
            is_loopback: true,
            screen: look(),
            confirm: look(),
            picture_size: 768,
            threads: 1,
            secrets: vec![key.to_owned()],
            clock: Arc::new(SystemClock::new()),
            random: Arc::new(SystemRandom),
        });
        let analyzer = analyzer.unwrap();
        let fault = Fault::Refused(format!(
            "400 API key '{key}' not valid,\nsee AIzaSyB0123456789abc"
        ));
        assert_eq!(
            analyzer.shown(&fault.to_string()),
            "refused: 400 API key '***' not valid, see ***"
        );
    }
    #[test]
    fn a_request_with_all_the_pictures_that_fit_stays_below_eighteen_megabytes() {
        let picture = |number: i64| Picture {
            at: UtcTime::from_unix_millis(number),
            jpeg: Bytes::from(vec![0; 256 * 1024]),
        };
        let all: Vec<Picture> = (0..128).map(picture).collect();
        let fitting = pictures::fitting(all, pictures::MOST_ENCODED_BYTES);
        let times: Vec<_> = fitting.iter().map(|picture| picture.at).collect();
        let jpegs: Vec<Bytes> = fitting.into_iter().map(|picture| picture.jpeg).collect();
        let base: url::Url = "http://127.0.0.1:1".parse().unwrap();
        let key = Secret::new("key");
        let providers: [Box<dyn Provider>; 2] = [
            Box::new(Gemini::new(base.clone(), &key)),
            Box::new(OpenAi::new(base, Some(&key))),
        ];
        for provider in providers {
            let outgoing = provider.request(&Ask {
                model: "m",
                system: &prompt::system(Stage::Confirm, Locale::French),
                task: &prompt::task(&Look::sample(Vec::new()), &times),
                pictures: &jpegs,
                resolution: Resolution::Low,
                max_output_tokens: 4_096,
                dialect: Dialect::default(),
            });
            let size = outgoing.body.len();
            assert!((12_000_000..18_000_000).contains(&size), "{size}");
        }
    }
}
