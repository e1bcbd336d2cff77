//! The motion gate at the camera's side: whether something moves, before anything is sent.
//!
//! It is the server's own detector, so both come to the same opinion of the same pictures. It must not know
//! cameras, queues or servers: pictures and their times go in, what is thought of them comes out.

mod detector_gate;

use bytes::Bytes;
use vigint_core::clock::UtcTime;
use vigint_video::grey::DecodeError;
use vigint_video::motion::MotionSample;

pub use detector_gate::DetectorGate;

/// Watches one source: is shown every picture, in order of time, and says what it thinks.
pub trait MotionGate: Send {
    /// Judges the picture taken `at` this time, a whole JPEG. May look at a few pictures a second only and give its
    /// last word again for those in between.
    ///
    /// # Errors
    /// When it looked and the picture could not be decoded. The next one is judged as if that had not been there.
    fn look(&mut self, at: UtcTime, jpeg: &Bytes) -> Result<MotionSample, DecodeError>;
}

/// What a motion gate said of one picture.
#[derive(Clone, Copy, Debug)]
pub struct MotionLook<'a> {
    /// When the picture was taken.
    pub at: UtcTime,
    /// When the first picture of the source was taken: a film's position is what lies between.
    pub first_at: UtcTime,
    /// What the gate said.
    pub sample: &'a MotionSample,
    /// Whether the state differs from the one before, or the gate opened or shut.
    pub is_news: bool,
}
