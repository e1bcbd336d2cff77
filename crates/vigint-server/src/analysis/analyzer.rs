//! The seam behind which models stand.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use vigint_core::locale::Locale;
use vigint_core::verdict::{RiskLevel, Stage};

use super::allowance::Allowance;
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
    /// Whether models may still be asked.
    pub allowance: Arc<dyn Allowance>,
}

impl Look {
    /// The same, for as long as it may be needed: with at most `most` of its frames, evenly spread, small where they
    /// were made small. No other is left out: who looks at a part has not seen the whole.
    #[must_use]
    pub fn shown_at_most(mut self, most: usize) -> Self {
        let chosen: Vec<_> = evenly(&self.frames, most).cloned().collect();
        self.frames = chosen.iter().map(|frame| self.small.of(frame)).collect();
        self.small = self.small.only(&chosen);
        self
    }

    /// What its pictures take, in bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.frames.iter().map(|frame| frame.jpeg.len()).sum()
    }

    /// These frames of a till, with nothing known of them.
    #[cfg(test)]
    pub(crate) fn sample(frames: Vec<Arc<Frame>>) -> Self {
        Self {
            camera: "Till".to_owned(),
            locale: Locale::English,
            time_zone: "UTC".to_owned(),
            clock_offset_ms: 0,
            frames,
            small: SmallPictures::default(),
            calls: Calls::default(),
            allowance: Arc::new(super::allowance::Unlimited),
        }
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
    /// Whose it is, as answers show it: `motion`, `gemini:<model>`.
    pub analyzer: String,
}

/// Why there is no opinion. Never to be taken for "no incident".
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AnalyzerError {
    /// It answered, but not with an opinion. The text is for the log.
    #[error("the analyzer failed: {0}")]
    Failed(String),
    /// It will not judge these pictures, however often it is asked. The text is for the log.
    #[error("the analyzer does not judge this: {0}")]
    Rejected(String),
    /// Too many of the pictures cannot be decoded for anybody to know what happened. That says nothing of how the
    /// analyzer is: anybody can send such pictures.
    #[error("{bad} of {of} pictures cannot be decoded")]
    Undecodable {
        /// How many.
        bad: usize,
        /// Of how many.
        of: usize,
    },
    /// Nothing is left of what it may cost.
    #[error("the budget is spent")]
    NothingLeft,
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
            Self::Failed(_) | Self::Rejected(_) | Self::Undecodable { .. } | Self::TimedOut => 502,
            Self::Unavailable { .. } | Self::NothingLeft => 503,
        }
    }

    /// Whether there may be an opinion when it is asked again later.
    #[must_use]
    pub const fn may_pass(&self) -> bool {
        !matches!(self, Self::Rejected(_) | Self::Undecodable { .. })
    }

    /// Nothing when of so many pictures at least half, and one, could be decoded.
    ///
    /// # Errors
    /// Otherwise: a few that are bad are left out, but not most.
    pub(super) const fn unless_decoded(decoded: usize, of: usize) -> Result<(), Self> {
        if decoded == 0 || decoded * 2 < of {
            return Err(Self::Undecodable {
                bad: of - decoded,
                of,
            });
        }
        Ok(())
    }
}

/// A judge of pictures.
pub trait Analyzer: Send + Sync {
    /// Its kind as health shows it: `motion`, `gemini`, `openai`.
    fn kind(&self) -> &'static str;

    /// Who is to judge at `stage`, as answers show it: `motion`, `gemini:<model>`.
    fn label(&self, stage: Stage) -> String;

    /// Whether it is not asked for a while, because whoever is behind it has shut us out.
    fn is_shut_out(&self) -> bool {
        false
    }

    /// Looks: cheaply at the newest part of a window ([`Stage::Screen`]), or carefully at the whole of it, once the
    /// screen saw an incident ([`Stage::Confirm`]). After `limit` nobody waits for the answer any more. One that costs
    /// something asks the look's [`Allowance`] before each call, and says [`AnalyzerError::NothingLeft`].
    fn look<'a>(
        &'a self,
        stage: Stage,
        look: &'a Look,
        limit: Duration,
    ) -> BoxFuture<'a, Result<Opinion, AnalyzerError>>;
}
