//! Light that changes and is not a thing.

use super::super::Case;
use super::super::figure::{Figure, PERSON};
use super::{empty, visited};

const WALKER: Figure = Figure {
    path: &[(6.0, 690.0), (12.0, -40.0)],
    ..PERSON
};

pub(super) fn cases() -> Vec<Case> {
    vec![
        empty("exposure_step", 21, 20.0, |shot| {
            shot.look.gain = if shot.is_within(6.0, 13.0) { 0.62 } else { 1.0 };
        }),
        empty("exposure_ramp", 22, 20.0, |shot| {
            let (down, up) = (shot.progress(5.0, 9.0), shot.progress(12.0, 14.0));
            shot.look.gain = 1.1 - 0.5 * down + 0.5 * up;
        }),
        empty("exposure_swing", 23, 20.0, |shot| {
            shot.look.gain = 0.95 + 0.25 * shot.swing(3.0);
        }),
        visited("walker_while_exposure_swings", 24, 18.0, &WALKER, |shot| {
            shot.look.gain = 0.95 + 0.15 * shot.swing(4.0);
            shot.figure(&WALKER);
        }),
        // Lamps at 50 Hz against a shutter of another time: bands that roll at the beat of both.
        empty("flicker_in_bands", 25, 20.0, |shot| {
            shot.look.bands = (0.1, shot.progress(0.0, 20.0) * 26.0);
        }),
        empty("flicker_of_the_whole_picture", 26, 20.0, |shot| {
            shot.look.gain = 1.0 + 0.08 * shot.swing(0.77);
        }),
        empty("soft_shadow_passes", 27, 20.0, |shot| {
            let across = -200.0 + 1040.0 * shot.progress(5.0, 15.0);
            shot.shade((across, 220.0), 55.0, 0.3);
        }),
        empty("side_light_drifts", 28, 20.0, |shot| {
            shot.look.tilt = 0.5 * shot.progress(3.0, 18.0);
        }),
    ]
}
