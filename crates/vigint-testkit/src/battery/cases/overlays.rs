//! What changes in one place and goes nowhere: clocks, captions, screens, rain.

use super::super::Case;
use super::super::figure::{Figure, PERSON};
use super::super::overlay::Overlay;
use super::super::picture::{HEIGHT, WIDTH};
use super::super::shot::Shot;
use super::{empty, visited};

const WALKER: Figure = Figure {
    path: &[(6.0, -40.0), (11.0, 680.0)],
    ..PERSON
};
/// How long a gate may take a screen for motion before it has learned its place, in seconds.
const SCREEN_LEARNED: f64 = 12.0;
const STREAKS: u8 = 70;

pub(super) fn cases() -> Vec<Case> {
    let screen = empty("screen_at_5_hz", 55, 34.0, draw_screen);
    vec![
        empty("clock", 51, 20.0, draw_clock),
        empty("caption_at_1_hz", 52, 20.0, |shot| draw_caption(shot, 1.0)),
        empty("caption_at_2_hz", 53, 20.0, |shot| draw_caption(shot, 2.0)),
        visited("clock_and_walker", 54, 20.0, &WALKER, |shot| {
            draw_clock(shot);
            shot.figure(&WALKER);
        }),
        Case {
            truth: screen.truth.clone().ignoring((0.0, SCREEN_LEARNED)),
            ..screen
        },
        empty("rain", 56, 20.0, draw_rain),
    ]
}

fn draw_clock(shot: &mut Shot<'_>) {
    shot.overlays.push(Overlay::Clock { seconds: shot.now });
}

fn draw_caption(shot: &mut Shot<'_>, times_a_second: f64) {
    if (shot.now * times_a_second).fract() < 0.5 {
        shot.overlays.push(Overlay::Caption { at: (470, 322) });
    }
}

/// A screen on the wall that shows another picture five times a second.
fn draw_screen(shot: &mut Shot<'_>) {
    let (left, top) = (244.0, 40.0);
    shot.scene.block((left, top, 104.0, 64.0), 24.0);
    let mut random = shot.random(5.0);
    for row in 0..3_u8 {
        for column in 0..5_u8 {
            let place = (
                left + 2.0 + f32::from(column) * 20.0,
                top + 2.0 + f32::from(row) * 20.0,
                20.0,
                20.0,
            );
            shot.scene.block(place, 40.0 + 190.0 * random.share());
        }
    }
}

/// Thin bright streaks, somewhere else in every frame.
fn draw_rain(shot: &mut Shot<'_>) {
    let mut random = shot.random(1000.0);
    for _ in 0..STREAKS {
        let (x, y) = (
            random.share() * f32::from(WIDTH),
            random.share() * f32::from(HEIGHT),
        );
        let (length, light) = (10.0 + 14.0 * random.share(), 14.0 + 26.0 * random.share());
        let width = 1.0 + random.share();
        for (row, pixels) in (0..HEIGHT).zip(shot.scene.rows_mut()) {
            if (y..y + length).contains(&f32::from(row)) {
                let drift = (f32::from(row) - y) * 0.15;
                for (column, pixel) in (0..WIDTH).zip(pixels) {
                    if (x + drift..x + drift + width).contains(&f32::from(column)) {
                        *pixel += light;
                    }
                }
            }
        }
    }
}
