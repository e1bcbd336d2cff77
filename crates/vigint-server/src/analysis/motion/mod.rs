//! The built-in analyzer: it calls what it saw motion, and no more than that.
//!
//! The gate has judged most frames as they arrived. Where it was behind, this analyzer looks at the window
//! itself: frames that nobody looked at are never taken for frames in which nothing moved.

mod words;

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::sync::Semaphore;
use vigint_core::clock::UtcTime;
use vigint_core::verdict::{RiskLevel, Stage};
use vigint_video::grey::GreyDecoder;
use vigint_video::motion::{
    MotionBox, MotionDetector, MotionSample, MotionScratch, MotionSettings, MotionState,
};

use super::analyzer::{Analyzer, AnalyzerError, Look, Opinion};
use crate::background;
use crate::buffer::Frame;

/// How much of a window must be in motion, as shares 0..=1 of its judged frames.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MotionShares {
    /// For the screen to say incident.
    pub screen: f64,
    /// For the confirmation to agree, over the whole snapshot.
    pub confirm: f64,
}

/// What it is called.
const NAME: &str = "motion";

/// Judges by motion alone.
pub struct MotionAnalyzer {
    shares: MotionShares,
    decoder: Arc<dyn GreyDecoder>,
    /// One permit for each thread that may look at once.
    threads: Arc<Semaphore>,
}

impl MotionAnalyzer {
    /// An analyzer with these thresholds, which looks with `decoder` on at most `threads` threads (at least 1) at
    /// what the gate did not see.
    #[must_use]
    pub fn new(shares: MotionShares, decoder: Arc<dyn GreyDecoder>, threads: usize) -> Self {
        Self {
            shares,
            decoder,
            threads: Arc::new(Semaphore::new(threads.max(1))),
        }
    }

    async fn judge(&self, look: &Look, share_needed: f64) -> Result<Opinion, AnalyzerError> {
        let seen = match seen_by_the_gate(&look.frames) {
            Some(seen) => seen,
            None => self.look_again(&look.frames).await?,
        };
        Ok(opinion(look, &seen, share_needed))
    }

    /// Looks at the frames that the gate was to look at, from the first on.
    async fn look_again(&self, frames: &[Arc<Frame>]) -> Result<Vec<Seen>, AnalyzerError> {
        // Never closed: an error would only mean that nobody counts any more.
        let permit = Arc::clone(&self.threads).acquire_owned().await.ok();
        let frames: Vec<_> = of_the_gate(frames).cloned().collect();
        let decoder = Arc::clone(&self.decoder);
        let looked = background::run("motion-look", move || {
            // Held until the thread is done, though nobody may wait for it any more.
            let _permit = permit;
            look_at(&frames, &*decoder)
        });
        looked
            .await
            .unwrap_or_else(|failure| Err(AnalyzerError::Failed(failure.to_string())))
    }
}

impl Analyzer for MotionAnalyzer {
    fn kind(&self) -> &'static str {
        NAME
    }

    fn label(&self, _: Stage) -> String {
        NAME.to_owned()
    }

    fn look<'a>(
        &'a self,
        stage: Stage,
        look: &'a Look,
        _: Duration,
    ) -> BoxFuture<'a, Result<Opinion, AnalyzerError>> {
        let share_needed = match stage {
            Stage::Screen => self.shares.screen,
            Stage::Confirm => self.shares.confirm,
        };
        Box::pin(self.judge(look, share_needed))
    }
}

/// One judged frame of a window.
struct Seen {
    at: UtcTime,
    state: MotionState,
    /// The largest area that moves or stands there.
    largest: Option<MotionBox>,
}

impl Seen {
    fn new(at: UtcTime, sample: &MotionSample) -> Self {
        Self {
            at,
            state: sample.state,
            largest: sample.boxes.first().copied(),
        }
    }

    fn is_moving(&self) -> bool {
        self.state == MotionState::Moving
    }
}

/// The frames of a window that the gate was to look at: a few a second.
fn of_the_gate(frames: &[Arc<Frame>]) -> impl Iterator<Item = &Arc<Frame>> {
    frames.iter().filter(|frame| frame.is_picked())
}

/// What the gate saw, if it looked at all it was to look at.
fn seen_by_the_gate(frames: &[Arc<Frame>]) -> Option<Vec<Seen>> {
    let seen: Option<Vec<Seen>> = of_the_gate(frames)
        .map(|frame| Some(Seen::new(frame.at, frame.motion.get()?)))
        .collect();
    seen.filter(|seen| !seen.is_empty())
}

/// Decodes and judges frames, oldest first. A few that cannot be decoded are left out; when they are most, nobody
/// knows what happened.
fn look_at(frames: &[Arc<Frame>], decoder: &dyn GreyDecoder) -> Result<Vec<Seen>, AnalyzerError> {
    let mut detector = MotionDetector::new(MotionSettings::default());
    let mut scratch = MotionScratch::default();
    let seen: Vec<Seen> = frames
        .iter()
        .filter_map(|frame| {
            let looked = detector.look(frame.at, &frame.jpeg, decoder, &mut scratch);
            Some(Seen::new(frame.at, &looked.ok()?))
        })
        .collect();
    AnalyzerError::unless_decoded(seen.len(), frames.len())?;
    Ok(seen)
}

fn opinion(look: &Look, seen: &[Seen], share_needed: f64) -> Opinion {
    let moving = seen.iter().filter(|seen| seen.is_moving()).count();
    let share = share(moving, seen.len());
    let saw_incident = moving > 0 && share >= share_needed;
    let texts = words::describe(look, seen, share);
    Opinion {
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
        analyzer: NAME.to_owned(),
    }
}

fn share(part: usize, whole: usize) -> f64 {
    let count = |n: usize| f64::from(u32::try_from(n).unwrap_or(u32::MAX));
    count(part) / count(whole).max(1.0)
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use vigint_testkit::scene::Scene;
    use vigint_video::grey::JpegGreyDecoder;

    use super::*;
    use crate::buffer::IncomingFrame;

    const LIMIT: Duration = Duration::from_secs(10);

    /// Frames that the gate was to look at and did not.
    fn unseen(jpegs: impl Iterator<Item = Bytes>) -> Look {
        let frames = jpegs.zip(0_i64..).map(|(jpeg, number)| {
            let at = UtcTime::UNIX_EPOCH.plus_millis(number * 200);
            let incoming = IncomingFrame {
                jpeg,
                width: 640,
                height: 360,
                frame_count: number,
                captured_at: None,
                source_name: None,
            };
            let frame = Frame::new(incoming, at, at);
            frame.pick();
            Arc::new(frame)
        });
        Look::sample(frames.collect())
    }

    fn analyzer() -> MotionAnalyzer {
        let shares = MotionShares {
            screen: 0.2,
            confirm: 0.2,
        };
        MotionAnalyzer::new(shares, Arc::new(JpegGreyDecoder), 1)
    }

    /// Five frames a second of the drawn scene, over this time of it.
    fn scene(from: Duration, to: Duration) -> impl Iterator<Item = Bytes> {
        let scene = Scene {
            frames_per_second: 5,
            ..Scene::default()
        };
        let frames: Vec<_> = scene
            .frames()
            .filter(|frame| (from..to).contains(&frame.at))
            .map(|frame| Bytes::from(frame.jpeg))
            .collect();
        frames.into_iter()
    }

    #[tokio::test]
    async fn what_the_gate_did_not_see_is_looked_at_and_not_taken_for_nothing() {
        let visit = Scene::visit();
        let moving = unseen(scene(visit.start, visit.start + Duration::from_secs(5)));
        let opinion = analyzer()
            .look(Stage::Screen, &moving, LIMIT)
            .await
            .unwrap();
        assert!(opinion.saw_incident, "{opinion:?}");
        assert_eq!(opinion.frames_analyzed, 25);
        let said = &opinion.description;
        assert!(
            said.contains("of the picture, from 00:00:0") && said.contains("It covers about"),
            "{said}"
        );

        let still = unseen(scene(Duration::ZERO, visit.start));
        let opinion = analyzer()
            .look(Stage::Confirm, &still, LIMIT)
            .await
            .unwrap();
        assert!(!opinion.saw_incident, "{opinion:?}");
    }

    #[tokio::test]
    async fn a_window_that_can_hardly_be_decoded_is_an_error_and_not_clear() {
        let broken = || std::iter::repeat_n(Bytes::from_static(b"no picture"), 6);
        let good = || scene(Duration::ZERO, Duration::from_secs(1));
        let outcome = analyzer()
            .look(Stage::Screen, &unseen(good().chain(broken())), LIMIT)
            .await;
        assert!(
            matches!(outcome, Err(AnalyzerError::Undecodable { .. })),
            "{outcome:?}"
        );
        let outcome = analyzer()
            .look(
                Stage::Screen,
                &unseen(good().chain(broken().take(1))),
                LIMIT,
            )
            .await;
        assert_eq!(outcome.unwrap().frames_analyzed, 5);
        let outcome = analyzer()
            .look(Stage::Screen, &unseen(std::iter::empty()), LIMIT)
            .await;
        assert!(outcome.is_err());
    }
}
