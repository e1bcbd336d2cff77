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
mod histogram;
mod history;
mod least_squares;
mod mask;
mod noise;
mod regions;
mod sample;
mod scratch;
mod settings;
mod unchanged;
mod visit;
mod watch;

pub use detector::MotionDetector;
pub use sample::{MotionBox, MotionSample, MotionState};
pub use scratch::MotionScratch;
pub use settings::MotionSettings;
