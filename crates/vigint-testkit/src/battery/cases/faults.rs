//! What happens to the camera and to its stream.

use super::super::Case;
use super::super::figure::{Figure, PERSON};
use super::super::picture::{Picture, WIDTH};
use super::super::room::View;
use super::super::timing::Timing;
use super::super::truth::Truth;
use super::{empty, visited};

const COVERED: (f64, f64) = (8.0, 18.0);
/// How long a hand takes to cover or uncover the lens, and how long a camera takes to turn, in seconds.
const HAND: f64 = 0.4;
const TURN: f64 = 0.6;
/// When the camera turns, or its infrared lamp goes on.
const CHANGE: f64 = 8.0;
/// How long a gate may take such a change for motion, or say what it likes, in seconds.
const SETTLES: f64 = 2.5;
/// How long a change that stays is news, in seconds: no longer than a gate may take to report it, so that
/// reporting it once is enough.
const NEWS: f64 = 3.0;
const FROZEN: (f64, f64) = (7.0, 19.0);

const TURNED_SEED: u64 = 9_062;
/// The same room by day and by infrared.
const INFRARED_SEED: u64 = 64;
const LATE_WALKER: Figure = Figure {
    path: &[(22.0, -40.0), (26.0, 680.0)],
    ..PERSON
};
const WALKER: Figure = Figure {
    path: &[(8.0, -40.0), (14.0, 680.0)],
    ..PERSON
};

pub(super) fn cases() -> Vec<Case> {
    vec![
        empty("shake", 61, 20.0, |shot| {
            // In pixels of this picture; a gate that looks at 160 columns sees a quarter of it.
            let (right, down) = (shot.swing(0.57), shot.swing(0.37));
            shot.look.shake = (0.8 * right + 0.4 * down, 0.6 * down);
        }),
        covered_lens(),
        moved_camera(),
        infrared_switch(),
        frozen_stream(),
        irregular_frames(),
    ]
}

fn covered_lens() -> Case {
    let (start, end) = COVERED;
    Case {
        truth: Truth {
            scene_changed: vec![(start + HAND, end)],
            ..Truth::default()
        }
        .ignoring((start, start + SETTLES))
        .ignoring((end, end + SETTLES)),
        ..empty("covered_lens", 62, 27.0, |shot| {
            let (start, end) = COVERED;
            let covers = shot.progress(start, start + HAND) - shot.progress(end, end + HAND);
            let edge = covers * (f32::from(WIDTH) + 40.0);
            shot.scene.repaint(|x, y, level| {
                let cover = ((edge - x) / 40.0).clamp(0.0, 1.0);
                level + (16.0 + (x + y) * 0.008 - level) * cover
            });
        })
    }
}

fn moved_camera() -> Case {
    Case {
        truth: Truth {
            scene_changed: vec![(CHANGE + TURN, CHANGE + TURN + NEWS)],
            ..Truth::default()
        }
        .ignoring((CHANGE, CHANGE + TURN + SETTLES)),
        other_room: Some((TURNED_SEED, View::OtherSide)),
        ..empty("moved_camera", 63, 22.0, |shot| {
            let turned = shot.progress(CHANGE, CHANGE + TURN);
            slide(shot.scene, shot.other_room, turned);
        })
    }
}

/// Moves the scene out to the left, and another in from the right.
fn slide(scene: &mut Picture, other: &Picture, share: f32) {
    let columns = (0..WIDTH).filter(|x| f32::from(*x) < f32::from(WIDTH) * share);
    let moved = columns.count();
    for (row, new) in scene.rows_mut().zip(other.rows()) {
        row.rotate_left(moved);
        let kept = row.len() - moved;
        row[kept..].copy_from_slice(&new[..moved]);
    }
}

/// The filter swings away: half a second of black, then the same room in other tones.
fn infrared_switch() -> Case {
    Case {
        truth: Truth::default().ignoring((CHANGE, CHANGE + NEWS + SETTLES)),
        other_room: Some((INFRARED_SEED, View::Infrared)),
        ..empty("infrared_switch", INFRARED_SEED, 24.0, |shot| {
            if shot.now >= CHANGE {
                shot.scene.copy_from(shot.other_room);
                shot.look.noise = 5.0;
                shot.look.is_coarse = true;
            }
            if shot.is_within(CHANGE, CHANGE + 0.5) {
                shot.look.gain = 0.05;
            }
        })
    }
}

fn frozen_stream() -> Case {
    let case = visited("frozen_stream", 65, 31.0, &LATE_WALKER, |shot| {
        shot.figure(&LATE_WALKER);
    });
    let truth = Truth {
        frozen: vec![FROZEN],
        ..case.truth
    };
    Case { truth, ..case }
}

fn irregular_frames() -> Case {
    Case {
        timing: Timing::Irregular {
            gaps: &[(3.0, 4.4), (10.0, 11.4), (17.0, 18.2)],
            whole: &[(0.0, 1.0), (7.8, 9.2)],
        },
        ..visited("irregular_frames", 66, 22.0, &WALKER, |shot| {
            shot.figure(&WALKER);
        })
    }
}
