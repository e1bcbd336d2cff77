//! Noise of the sensor and of the coding, with nobody there and with somebody in it.

use super::super::Case;
use super::super::camera::{Coding, Look};
use super::super::figure::{Figure, PERSON};
use super::{empty, visited};

/// A night without light: almost black, and the noise comes in grains.
const DARKNESS: Look = Look {
    gain: 0.1,
    offset: 6.0,
    tilt: 0.0,
    bands: (0.0, 0.0),
    noise: 10.0,
    is_coarse: true,
    shake: (0.0, 0.0),
};

/// Street light through a window.
const DUSK: Look = Look {
    gain: 0.4,
    offset: 4.0,
    noise: 4.0,
    ..DARKNESS
};

const WALKER: Figure = Figure {
    path: &[(6.0, -40.0), (12.0, 680.0)],
    ..PERSON
};

pub(super) fn cases() -> Vec<Case> {
    vec![
        empty("noise_1", 11, 16.0, |shot| shot.look.noise = 1.0),
        empty("noise_3", 12, 16.0, |shot| shot.look.noise = 3.0),
        empty("noise_6", 13, 16.0, |shot| {
            shot.look.noise = 6.0;
            shot.look.is_coarse = true;
        }),
        empty("noise_10_in_darkness", 14, 20.0, |shot| {
            shot.look = DARKNESS;
        }),
        visited("walker_at_dusk", 15, 18.0, &WALKER, |shot| {
            shot.look = DUSK;
            shot.figure(&WALKER);
        }),
        coded("jpeg_quality_30", 30),
        coded("jpeg_quality_95", 95),
    ]
}

/// A walker in pictures of this quality, with colour planes.
fn coded(name: &'static str, quality: u8) -> Case {
    Case {
        coding: Coding {
            quality,
            has_colour: true,
        },
        ..visited(name, 16, 18.0, &WALKER, |shot| {
            shot.figure(&WALKER);
        })
    }
}
