//! The seam behind which models stand.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use vigint_core::locale::Locale;
use vigint_core::verdict::{RiskLevel, Stage};

use crate::buffer::Frame;

/// What an analyzer is shown.
#[derive(Clone)]
pub struct Look {
    /// What people call the camera.
    pub camera: String,
    /// The language to answer in.
    pub locale: Locale,
    /// The customer's IANA time zone, for times in texts.
    pub time_zone: String,
    /// What the server's clock is ahead of the frames' times, in milliseconds.
    pub clock_offset_ms: i64,
    /// The window, oldest first.
    pub frames: Vec<Arc<Frame>>,
}

/// What an analyzer thinks. Texts are as the analyzer wrote them: whoever keeps them cleans them.
#[derive(Clone, Debug, PartialEq)]
pub struct Opinion {
    /// Whether it saw an incident.
    pub saw_incident: bool,
    /// What kind, one line.
    pub incident_type: String,
    /// How grave.
    pub risk_level: RiskLevel,
    /// One or two sentences.
    pub description: String,
    /// Its reasoning.
    pub analysis: String,
    /// How many pictures it looked at.
    pub frames_analyzed: usize,
    /// Tokens that went in.
    pub prompt_tokens: u64,
    /// Tokens that came out.
    pub completion_tokens: u64,
}

/// Why there is no opinion. Never to be taken for "no incident".
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AnalyzerError {
    /// It answered, but not with an opinion. The text is for the log.
    #[error("the analyzer failed: {0}")]
    Failed(String),
    /// It cannot answer now.
    #[error("the analyzer is not available: {reason}")]
    Unavailable {
        /// For the log.
        reason: String,
        /// When it said to try again.
        retry_after: Option<Duration>,
    },
    /// It took too long.
    #[error("the analyzer did not answer in time")]
    TimedOut,
}

/// A judge of pictures.
pub trait Analyzer: Send + Sync {
    /// Its kind as health shows it: `motion`, `gemini`, `openai`.
    fn kind(&self) -> &'static str;

    /// Who judges at `stage`, as answers show it: `motion`, `gemini:<model>`.
    fn label(&self, stage: Stage) -> String;

    /// The cheap look at the newest part of a window.
    fn screen<'a>(&'a self, look: &'a Look) -> BoxFuture<'a, Result<Opinion, AnalyzerError>>;

    /// The careful look at the whole window, once the screen saw an incident.
    fn confirm<'a>(&'a self, look: &'a Look) -> BoxFuture<'a, Result<Opinion, AnalyzerError>>;
}
