//! The built-in analyzer: it calls what it saw motion, and no more than that.
//!
//! It looks at no picture itself: the gate has judged each frame as it arrived.

mod words;

use futures_util::future::BoxFuture;
use vigint_core::verdict::{RiskLevel, Stage};
use vigint_video::motion::{MotionSample, MotionState};

use super::analyzer::{Analyzer, AnalyzerError, Look, Opinion};
use crate::buffer::Frame;

/// How much of a window must be in motion, as shares 0..=1 of its judged frames.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MotionShares {
    /// For the screen to say incident.
    pub screen: f64,
    /// For the confirmation to agree, over the whole snapshot.
    pub confirm: f64,
}

/// Judges by motion alone.
#[derive(Clone, Copy, Debug)]
pub struct MotionAnalyzer {
    shares: MotionShares,
}

impl MotionAnalyzer {
    /// An analyzer with these thresholds.
    #[must_use]
    pub const fn new(shares: MotionShares) -> Self {
        Self { shares }
    }
}

impl Analyzer for MotionAnalyzer {
    fn kind(&self) -> &'static str {
        "motion"
    }

    fn label(&self, _: Stage) -> String {
        "motion".to_owned()
    }

    fn screen<'a>(&'a self, look: &'a Look) -> BoxFuture<'a, Result<Opinion, AnalyzerError>> {
        Box::pin(std::future::ready(opinion(look, self.shares.screen)))
    }

    fn confirm<'a>(&'a self, look: &'a Look) -> BoxFuture<'a, Result<Opinion, AnalyzerError>> {
        Box::pin(std::future::ready(opinion(look, self.shares.confirm)))
    }
}

/// One judged frame of a window.
#[derive(Clone, Copy)]
struct Seen<'a> {
    frame: &'a Frame,
    sample: &'a MotionSample,
}

impl Seen<'_> {
    fn is_moving(&self) -> bool {
        self.sample.state == MotionState::Moving
    }
}

fn opinion(look: &Look, share_needed: f64) -> Result<Opinion, AnalyzerError> {
    let seen: Vec<Seen<'_>> = look
        .frames
        .iter()
        .filter_map(|frame| frame.motion.get().map(|sample| Seen { frame, sample }))
        .collect();
    if seen.is_empty() {
        return Err(AnalyzerError::Failed(
            "no picture of the window could be decoded".to_owned(),
        ));
    }
    let moving: Vec<Seen<'_>> = seen.iter().copied().filter(Seen::is_moving).collect();
    let share = share(moving.len(), seen.len());
    let saw_incident = !moving.is_empty() && share >= share_needed;
    let texts = words::describe(look, &moving, share);
    Ok(Opinion {
        saw_incident,
        incident_type: if saw_incident {
            texts.kind
        } else {
            String::new()
        },
        risk_level: if saw_incident {
            RiskLevel::Medium
        } else {
            RiskLevel::Low
        },
        description: texts.description,
        analysis: texts.analysis,
        frames_analyzed: seen.len(),
        prompt_tokens: 0,
        completion_tokens: 0,
    })
}

fn share(part: usize, whole: usize) -> f64 {
    let count = |n: usize| f64::from(u32::try_from(n).unwrap_or(u32::MAX));
    count(part) / count(whole).max(1.0)
}
