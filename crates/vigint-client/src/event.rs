//! What happens while sources are read, told to whoever asked: `vigint-client --json` prints these.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;
use vigint_core::clock::UtcTime;
use vigint_core::ids::SourceId;
use vigint_core::wire::AnalysisResponse;
use vigint_video::motion::{MotionBox, MotionSample, MotionState};

/// Something worth telling. As JSON: one flat object with `event` first.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Event {
    /// The first picture of a source has come, at the start or after it was lost.
    SourceOpened {
        /// When.
        at: UtcTime,
        /// Which source.
        source_id: SourceId,
        /// Its address or path, passwords masked.
        location: String,
        /// Width of its pictures as they are sent, in pixels.
        width: u16,
        /// Height of its pictures as they are sent, in pixels.
        height: u16,
        /// For how many seconds it was lost; `None` the first time.
        away_seconds: Option<u64>,
        /// How often it was tried since it was lost, this time included.
        tries: u32,
    },
    /// The server has judged: all that it answered.
    Analysis {
        /// When the answer came.
        at: UtcTime,
        /// The answer, its fields beside `event` and `at`.
        #[serde(flatten)]
        answer: Box<AnalysisResponse>,
    },
    /// A motion gate's word on a source: at the first picture, and whenever its state changes or it opens or shuts.
    Motion {
        /// When the picture that it was said of was taken.
        at: UtcTime,
        /// Which source.
        source_id: SourceId,
        /// `starting`, `quiet`, `moving`, `present`, `scene_changed` or `frozen`.
        state: &'static str,
        /// Whether the gate is open.
        on: bool,
        /// How much moves, 0..=1: 1 is one hundredth of the picture or more.
        score: f32,
        /// Share of the picture that moves or stands there since, 0..=1.
        share: f32,
        /// Where, largest first.
        boxes: Vec<MotionArea>,
    },
    /// No more pictures come from a source and all of them were dealt with.
    SourceEnded {
        /// When.
        at: UtcTime,
        /// Which source.
        source_id: SourceId,
        /// Frames the server has taken.
        frames_sent: u64,
        /// Frames given up because newer ones came.
        frames_dropped: u64,
        /// Frames left out evenly so that others could go on: the server was busy or the network slow.
        frames_thinned: u64,
        /// Frames the server would not have.
        frames_refused: u64,
    },
    /// The server cannot be reached. Told once for all sources; they go on, and keep the newest seconds.
    ServerLost {
        /// When that was known.
        at: UtcTime,
        /// When the first request began that failed.
        since: UtcTime,
        /// A sentence for a person.
        reason: String,
        /// A stable name, one of [`crate::ApiError::code`].
        code: String,
    },
    /// The server can be reached again.
    ServerBack {
        /// When.
        at: UtcTime,
        /// Since when it could not be reached.
        since: UtcTime,
        /// Frames that were given up meanwhile because newer ones came, of all sources.
        frames_lost: u64,
        /// The same for each source that lost any.
        lost_of_source: BTreeMap<SourceId, u64>,
    },
    /// Something went wrong. What a camera or the server says often is told once, not each time.
    Error {
        /// When.
        at: UtcTime,
        /// Which source, when it is about one.
        source_id: Option<SourceId>,
        /// A stable name: `source_failed`, or the server's own code, or one of [`crate::ApiError::code`].
        code: String,
        /// A sentence for a person, passwords masked.
        message: String,
    },
    /// Everything was stopped from outside (Ctrl-C, SIGTERM, [`crate::SecureVideoAnalyzer::stop`]).
    Stopped {
        /// When.
        at: UtcTime,
    },
}

/// A part of the picture, in fractions 0..=1 of its width and height, from the top left.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct MotionArea {
    /// Left edge.
    pub x: f32,
    /// Upper edge.
    pub y: f32,
    /// Width.
    pub width: f32,
    /// Height.
    pub height: f32,
}

impl Event {
    /// What a gate said of the picture taken then.
    pub(crate) fn motion(at: UtcTime, source_id: SourceId, sample: &MotionSample) -> Self {
        let area = |area: &MotionBox| MotionArea {
            x: rounded(area.x),
            y: rounded(area.y),
            width: rounded(area.width),
            height: rounded(area.height),
        };
        Self::Motion {
            at,
            source_id,
            state: state_name(sample.state),
            on: sample.on,
            score: rounded(sample.score),
            share: rounded(sample.share),
            boxes: sample.boxes.iter().map(area).collect(),
        }
    }
}

/// To the ten thousandth: a pixel of the gate's small picture is more.
fn rounded(fraction: f32) -> f32 {
    (fraction * 10_000.0).round() / 10_000.0
}

fn state_name(state: MotionState) -> &'static str {
    match state {
        MotionState::Starting => "starting",
        MotionState::Quiet => "quiet",
        MotionState::Moving => "moving",
        MotionState::Present => "present",
        MotionState::SceneChanged => "scene_changed",
        MotionState::Frozen => "frozen",
        _ => "unknown",
    }
}

/// Who is told.
pub(crate) type EventSink = Arc<dyn Fn(Event) + Send + Sync>;
