//! What happens while sources are read, told to whoever asked: `vigint-client --json` prints these.

use std::sync::Arc;

use serde::Serialize;
use vigint_core::clock::UtcTime;
use vigint_core::ids::SourceId;
use vigint_core::wire::AnalysisResponse;

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
    },
    /// The server has judged: all that it answered.
    Analysis {
        /// When the answer came.
        at: UtcTime,
        /// The answer, its fields beside `event` and `at`.
        #[serde(flatten)]
        answer: Box<AnalysisResponse>,
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
        /// Frames the server would not have.
        frames_refused: u64,
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

/// Who is told.
pub(crate) type EventSink = Arc<dyn Fn(Event) + Send + Sync>;
