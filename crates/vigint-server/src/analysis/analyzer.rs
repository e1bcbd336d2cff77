//! The seam behind which models stand.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use vigint_core::locale::Locale;
use vigint_core::verdict::{RiskLevel, Stage};

use super::calls::Calls;
use super::model::{SmallPictures, evenly};
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
    /// Pictures of them that were made small already. Both looks of one analysis share them.
    pub small: SmallPictures,
    /// What models were asked for this analysis. Both looks share it.
    pub calls: Calls,
}

impl Look {
    /// The same, for as long as it may be needed: with at most `most` of its frames, evenly spread, and of them only
    /// the pictures that were made small.
    #[must_use]
    pub fn shown_at_most(mut self, most: usize) -> Self {
        let chosen = evenly(&self.frames, most);
        self.frames = chosen
            .filter_map(|frame| self.small.frame(frame))
            .map(Arc::new)
            .collect();
        self
    }
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

impl AnalyzerError {
    /// What of HTTP's it is to who asked for the analysis, and in the row of usage for it.
    #[must_use]
    pub const fn status_code(&self) -> u16 {
        match self {
            Self::Failed(_) | Self::TimedOut => 502,
            Self::Unavailable { .. } => 503,
        }
    }
}

/// A judge of pictures.
pub trait Analyzer: Send + Sync {
    /// Its kind as health shows it: `motion`, `gemini`, `openai`.
    fn kind(&self) -> &'static str;

    /// Who judges at `stage`, as answers show it: `motion`, `gemini:<model>`.
    fn label(&self, stage: Stage) -> String;

    /// Looks: cheaply at the newest part of a window ([`Stage::Screen`]), or carefully at the whole of it, once the
    /// screen saw an incident ([`Stage::Confirm`]). After `limit` nobody waits for the answer any more.
    fn look<'a>(
        &'a self,
        stage: Stage,
        look: &'a Look,
        limit: Duration,
    ) -> BoxFuture<'a, Result<Opinion, AnalyzerError>>;
}
