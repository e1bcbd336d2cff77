//! What happens while sources are read, told to whoever asked: `vigint-client --json` prints these, and
//! `docs/client.md` has them as a table.

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
        /// A stable name: `source_failed`, `late` (the server has newer frames of this source), `bad_picture` (of
        /// [`crate::SecureVideoAnalyzer::watch_motion`]), or one of [`crate::ApiError::code`], which may be the
        /// server's own.
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::{Map, Value};

    use super::*;

    fn each() -> Vec<Event> {
        let at = UtcTime::UNIX_EPOCH;
        let source_id: SourceId = "till".parse().unwrap();
        let answer = crate::scripted_server::analysis("till");
        let code = "refused".to_owned();
        vec![
            Event::SourceOpened {
                at,
                source_id: source_id.clone(),
                location: String::new(),
                width: 1,
                height: 1,
                away_seconds: None,
                tries: 1,
            },
            Event::Analysis {
                at,
                answer: serde_json::from_value(answer).unwrap(),
            },
            Event::Motion {
                at,
                source_id: source_id.clone(),
                state: "quiet",
                on: false,
                score: 0.0,
                share: 0.0,
                boxes: Vec::new(),
            },
            Event::SourceEnded {
                at,
                source_id,
                frames_sent: 0,
                frames_dropped: 0,
                frames_thinned: 0,
                frames_refused: 0,
            },
            Event::ServerLost {
                at,
                since: at,
                reason: String::new(),
                code: code.clone(),
            },
            Event::ServerBack {
                at,
                since: at,
                frames_lost: 0,
                lost_of_source: BTreeMap::new(),
            },
            Event::Error {
                at,
                source_id: None,
                code,
                message: String::new(),
            },
            Event::Stopped { at },
        ]
    }

    /// What stands in `backticks`.
    fn names(text: &str) -> BTreeSet<&str> {
        text.split('`').skip(1).step_by(2).collect()
    }

    #[test]
    fn the_documents_table_has_each_event_with_its_fields() {
        let document = include_str!("../../../docs/client.md");
        let rows: Vec<Vec<&str>> = document
            .lines()
            .map(|line| line.split('|').collect())
            .collect();
        for event in each() {
            let told: Map<String, Value> =
                serde_json::from_str(&serde_json::to_string(&event).unwrap()).unwrap();
            let name = format!(" `{}` ", told["event"].as_str().unwrap());
            let row = rows.iter().find(|row| row.len() > 3 && row[1] == name);
            let row = row.unwrap_or_else(|| panic!("{name} is not in docs/client.md"));
            let fields = told.keys().map(String::as_str);
            let fields: BTreeSet<&str> = fields.filter(|field| *field != "event").collect();
            assert_eq!(names(row[2]), fields, "{name}");
        }
    }
}
