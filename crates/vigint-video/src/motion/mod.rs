//! The motion gate: does something move, where, and how large, from small grey pictures and their times.
//!
//! It decides what the paid analysis is spent on, so it must open quickly and stay shut on an empty scene.
//! Everything is measured in seconds, never in frames. It must not know JPEGs, sources or incidents; one
//! [`MotionDetector`] watches one source.
//!
//! How a frame is judged (`watch` puts it together): `history` keeps older planes, `exposure` predicts the frame
//! from one, `field` takes soft light out of the difference, `noise` says how much difference means nothing,
//! `mask` and `regions` find the areas that are left, `flicker` leaves out what changes in place, `chain` demands
//! that the rest goes on, `background` tells what is still there when it stops moving, `visit` opens and shuts
//! the gate, `camera` notices when the camera itself was covered or turned, `unchanged` when its stream hangs.

mod background;
mod camera;
mod chain;
mod detector;
mod exposure;
mod field;
mod flicker;
mod history;
mod mask;
mod noise;
mod regions;
mod scratch;
mod settings;
mod unchanged;
mod visit;
mod watch;

pub use detector::MotionDetector;
pub use scratch::MotionScratch;
pub use settings::MotionSettings;

/// What the gate thinks of a source at one frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum MotionState {
    /// Too few frames seen to say anything: at most the first second.
    Starting,
    /// Nothing moves, and nothing stands where something moved.
    Quiet,
    /// Something moves, or did a moment ago.
    Moving,
    /// What moved stands still, or left something behind or took something away.
    Present,
    /// The camera was covered or blinded, or looks at another scene than before. Said as long as it shows nothing,
    /// and once when it was turned or switched to another light: then the gate starts anew.
    SceneChanged,
    /// The very same picture has come for at least 5 s: nobody knows what happens there.
    Frozen,
}

/// A part of the picture, in fractions 0..=1 of its width and height, from the top left.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MotionBox {
    /// Left edge.
    pub x: f32,
    /// Upper edge.
    pub y: f32,
    /// Width.
    pub width: f32,
    /// Height.
    pub height: f32,
}

/// What one frame showed.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct MotionSample {
    /// What the gate thinks.
    pub state: MotionState,
    /// Whether the gate is open: something moves, or stopped at most about two seconds ago. This is what
    /// spending hangs on.
    pub on: bool,
    /// How much moves: 0 nothing, 1 one hundredth of the picture or more. Half of that when it has not lasted.
    pub score: f32,
    /// Share of the picture that `boxes` stand for, 0..=1, counted in pixels that changed.
    pub share: f32,
    /// Where it moves, or what stands there since, largest first, at most 16.
    pub boxes: Vec<MotionBox>,
}

impl MotionSample {
    /// A sample that shows nothing but this state.
    fn without_motion(state: MotionState) -> Self {
        Self {
            state,
            on: false,
            score: 0.0,
            share: 0.0,
            boxes: Vec::new(),
        }
    }
}
