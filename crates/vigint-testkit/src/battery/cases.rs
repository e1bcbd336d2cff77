//! The cases, family by family.

mod faults;
mod light;
mod noise;
mod overlays;
mod things;

use super::Case;
use super::camera::Coding;
use super::figure::Figure;
use super::shot::Shot;
use super::timing::Timing;
use super::truth::Truth;

/// All cases of the battery.
#[must_use]
pub fn cases() -> Vec<Case> {
    [
        noise::cases(),
        light::cases(),
        things::cases(),
        overlays::cases(),
        faults::cases(),
    ]
    .concat()
}

/// Quality of a JPEG unless the case is about it.
const QUALITY: u8 = 80;

/// A case of a steady stream in which nothing happens but what `draw` draws.
fn empty(name: &'static str, seed: u64, seconds: f64, draw: fn(&mut Shot<'_>)) -> Case {
    Case {
        name,
        truth: Truth::default(),
        seconds,
        seed,
        coding: Coding {
            quality: QUALITY,
            has_colour: false,
        },
        timing: Timing::Steady,
        other_room: None,
        draw,
    }
}

/// A case in which `figure` is seen; `draw` has to draw it.
fn visited(
    name: &'static str,
    seed: u64,
    seconds: f64,
    figure: &Figure,
    draw: fn(&mut Shot<'_>),
) -> Case {
    Case {
        truth: figure.truth(),
        ..empty(name, seed, seconds, draw)
    }
}
