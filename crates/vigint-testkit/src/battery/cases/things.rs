//! Things that move, stop, come and go.

use super::super::Case;
use super::super::figure::{Figure, PERSON};
use super::super::room::wall;
use super::super::shot::Shot;
use super::super::truth::Truth;
use super::visited;

const SMALL: Figure = Figure {
    size: (20.0, 52.0),
    foot: 262.0,
    path: &[(6.0, -14.0), (13.0, 660.0)],
    ..PERSON
};
const LARGE: Figure = Figure {
    size: (200.0, 330.0),
    foot: 356.0,
    path: &[(6.0, -110.0), (11.0, 750.0)],
    ..PERSON
};
/// 24 px/s: 6 px/s on the small picture that a gate looks at.
const SLOW: Figure = Figure {
    path: &[(5.0, -30.0), (13.0, 162.0), (21.0, -30.0)],
    ..PERSON
};
const FAST: Figure = Figure {
    size: (64.0, 110.0),
    path: &[(8.0, -40.0), (9.0, 680.0)],
    ..PERSON
};
/// Before the wall, and hardly darker than it.
const LOW_CONTRAST: Figure = Figure {
    size: (54.0, 120.0),
    foot: 200.0,
    tone: -14.0,
    stripes: 0.0,
    path: &[(6.0, -40.0), (14.0, 700.0)],
    ..PERSON
};
const SWAYING: Figure = Figure {
    path: &[(5.0, -40.0), (8.0, 320.0), (28.0, 320.0), (31.0, 690.0)],
    sway: 3.0,
    ..PERSON
};
const STANDING: Figure = Figure {
    sway: 0.0,
    ..SWAYING
};
const FROM_THE_BEGINNING: Figure = Figure {
    path: &[(-2.0, -40.0), (4.0, 680.0)],
    ..PERSON
};
const HANDLER: Figure = Figure {
    path: &[(5.0, -40.0), (7.0, 240.0), (8.0, 240.5), (10.0, -40.0)],
    ..PERSON
};
/// When the handler has the box, and where it stands.
const HANDLED: f64 = 7.5;
const BOX: (f32, f32, f32, f32) = (216.0, 262.0, 44.0, 48.0);

pub(super) fn cases() -> Vec<Case> {
    vec![
        visited("small_blob", 31, 18.0, &SMALL, |shot| {
            shot.figure(&SMALL);
        }),
        visited("large_blob", 32, 17.0, &LARGE, |shot| {
            shot.figure(&LARGE);
        }),
        visited("slow_blob", 33, 26.0, &SLOW, |shot| {
            shot.figure(&SLOW);
        }),
        visited("fast_blob", 34, 15.0, &FAST, |shot| {
            shot.figure(&FAST);
        }),
        visited(
            "low_contrast_blob",
            35,
            20.0,
            &LOW_CONTRAST,
            draw_low_contrast,
        ),
        visited("stops_and_sways", 36, 37.0, &SWAYING, |shot| {
            shot.figure(&SWAYING);
        }),
        visited("stops_perfectly_still", 37, 37.0, &STANDING, |shot| {
            shot.figure(&STANDING);
        }),
        visited(
            "moves_from_the_first_frame",
            38,
            12.0,
            &FROM_THE_BEGINNING,
            |shot| {
                shot.figure(&FROM_THE_BEGINNING);
            },
        ),
        visited("thing_left_behind", 39, 26.0, &HANDLER, |shot| {
            handle(shot, false);
        }),
        visited("thing_taken_away", 40, 26.0, &HANDLER, |shot| {
            handle(shot, true);
        }),
        two_visits(),
    ]
}

/// The tone is that of the wall behind, less a little: drawn over a smooth patch of wall of its own shape.
fn draw_low_contrast(shot: &mut Shot<'_>) {
    let Some(middle) = LOW_CONTRAST.middle(shot.now) else {
        return;
    };
    let tone = wall(middle, LOW_CONTRAST.foot - LOW_CONTRAST.size.1 / 2.0) + LOW_CONTRAST.tone;
    shot.figure(&Figure {
        tone,
        ..LOW_CONTRAST
    });
}

/// Somebody comes, puts a box down or takes it along, and goes.
fn handle(shot: &mut Shot<'_>, is_taken: bool) {
    if (shot.now < HANDLED) == is_taken {
        let (left, top, width, height) = BOX;
        shot.scene.block(BOX, 206.0);
        shot.scene
            .block((left, top + height / 2.0, width, 5.0), 120.0);
    }
    shot.figure(&HANDLER);
}

/// Two people, one soon after the other: the second comes when the gate may just have shut.
fn two_visits() -> Case {
    const FIRST: Figure = Figure {
        path: &[(5.0, -40.0), (9.0, 690.0)],
        ..PERSON
    };
    const SECOND: Figure = Figure {
        path: &[(11.0, 690.0), (15.0, -40.0)],
        ..PERSON
    };
    let case = visited("two_visits", 41, 21.0, &FIRST, |shot| {
        shot.figure(&FIRST);
        shot.figure(&SECOND);
    });
    let (first, second) = (FIRST.truth(), SECOND.truth());
    Case {
        truth: Truth {
            moving: [first.moving, second.moving].concat(),
            visits: [first.visits, second.visits].concat(),
            ignore: [first.ignore, second.ignore].concat(),
            ..Truth::default()
        },
        ..case
    }
}
