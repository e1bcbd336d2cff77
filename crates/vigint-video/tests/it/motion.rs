//! The motion gate on drawn scenes.

use vigint_core::clock::UtcTime;
use vigint_video::grey::GreyPlane;
use vigint_video::motion::{
    MotionDetector, MotionSample, MotionScratch, MotionSettings, MotionState,
};

use crate::draw::Noise;

const WIDTH: usize = 160;
const HEIGHT: usize = 90;
const RATES: [i64; 3] = [5, 8, 15];

/// A scene with edges and shades, in grey levels.
fn room(x: usize, y: usize) -> f32 {
    let shelf = if (y / 15).is_multiple_of(2) {
        40.0
    } else {
        0.0
    };
    let post = if (70..78).contains(&x) { -50.0 } else { 0.0 };
    90.0 + shelf + post + x as f32 * 0.25
}

/// Plays `seconds` of a scene drawn by `draw(seconds, x, y)`, with sensor noise, and returns what the gate
/// said and when.
fn play(
    rate: i64,
    seconds: i64,
    noise: f32,
    draw: impl Fn(f32, usize, usize) -> f32,
) -> Vec<(f32, MotionSample)> {
    let mut detector = MotionDetector::new(MotionSettings::default());
    let mut random = Noise::new(7);
    let frames = (0..seconds * rate).map(|frame| {
        let millis = frame * 1000 / rate;
        let now = millis as f32 / 1000.0;
        let pixels: Vec<u8> = (0..WIDTH * HEIGHT)
            .map(|at| (draw(now, at % WIDTH, at / WIDTH) + random.normal(noise)).round() as u8)
            .collect();
        let plane = GreyPlane::new(WIDTH as u16, HEIGHT as u16, pixels).unwrap();
        (
            now,
            detector.push(
                UtcTime::from_unix_millis(1_000_000 + millis),
                &plane,
                &mut MotionScratch::default(),
            ),
        )
    });
    frames.collect()
}

/// A figure of 14x40 pixels that walks through between these seconds.
fn walker(now: f32, from: f32, to: f32, x: usize, y: usize) -> Option<f32> {
    let left = (now - from) / (to - from) * 190.0 - 20.0;
    let inside = (from..to).contains(&now)
        && (left..left + 14.0).contains(&(x as f32))
        && (30..70).contains(&y);
    inside.then_some(35.0 + (y % 7) as f32 * 4.0)
}

fn never_on(samples: &[(f32, MotionSample)]) {
    for (now, sample) in samples {
        assert!(!sample.on, "on at {now}: {sample:?}");
        assert_ne!(sample.state, MotionState::Moving);
    }
}

#[test]
fn it_is_ready_within_a_second_at_any_rate() {
    for rate in [1, 2, 3, 5, 10, 30] {
        for (now, sample) in play(rate, 3, 2.0, |_, x, y| room(x, y)) {
            if now >= 1.0 {
                assert_ne!(sample.state, MotionState::Starting, "{rate} fps at {now}");
            }
            if now == 0.0 {
                assert_eq!(sample.state, MotionState::Starting);
            }
        }
    }
}

#[test]
fn sensor_noise_is_not_motion() {
    for rate in RATES {
        for noise in [0.0, 1.5, 4.0] {
            never_on(&play(rate, 15, noise, |_, x, y| room(x, y)));
        }
    }
}

#[test]
fn slow_light_is_not_motion() {
    for rate in RATES {
        never_on(&play(rate, 20, 1.5, |now, x, y| {
            // Brighter and darker by 40 %, with the sun coming from one side.
            room(x, y) * (1.0 + 0.4 * (now * 0.5).sin()) + x as f32 * 0.01 * now
        }));
    }
}

#[test]
fn a_step_of_exposure_is_at_most_a_blink() {
    for rate in RATES {
        let samples = play(rate, 12, 1.5, |now, x, y| {
            if now < 6.0 {
                room(x, y)
            } else {
                room(x, y) * 0.6
            }
        });
        let open = samples.iter().filter(|(_, sample)| sample.on).count() as i64;
        assert!(open * 1000 / rate <= 2200, "{open} frames at {rate} fps");
        assert!(
            samples
                .iter()
                .filter(|(now, _)| *now > 9.0)
                .all(|(_, sample)| !sample.on)
        );
    }
}

#[test]
fn a_clock_that_ticks_once_a_second_is_not_motion() {
    for rate in RATES {
        never_on(&play(rate, 15, 1.5, |now, x, y| {
            let face = (100..116).contains(&x) && (10..18).contains(&y);
            let dark = face && (now as usize).is_multiple_of(2);
            if dark { 20.0 } else { room(x, y) }
        }));
    }
}

#[test]
fn a_walker_opens_the_gate_quickly_and_it_shuts_behind_him() {
    for rate in RATES {
        let samples = play(rate, 16, 1.5, |now, x, y| {
            walker(now, 4.0, 9.0, x, y).unwrap_or(room(x, y))
        });
        let on = samples
            .iter()
            .find(|(_, sample)| sample.on)
            .expect("never on")
            .0;
        assert!((4.0..5.2).contains(&on), "{rate} fps: on at {on}");
        // He is out of the picture at about 8.8 s.
        for (now, sample) in &samples {
            if (5.2..8.6).contains(now) {
                assert!(sample.on, "{rate} fps: off at {now}");
                assert_eq!(sample.state, MotionState::Moving);
            }
            if *now > 11.2 {
                assert_eq!(
                    sample.state,
                    MotionState::Quiet,
                    "{rate} fps at {now}: {sample:?}"
                );
            }
        }
    }
}

#[test]
fn boxes_show_where_it_moves() {
    let samples = play(8, 8, 1.5, |now, x, y| {
        walker(now, 3.0, 7.0, x, y).unwrap_or(room(x, y))
    });
    let (now, sample) = samples.iter().find(|(now, _)| *now >= 5.0).unwrap();
    let left = ((now - 3.0) / 4.0 * 190.0 - 20.0) / 160.0;
    let all = &sample.boxes;
    assert!(!all.is_empty());
    let (from, to) = all.iter().fold((1.0_f32, 0.0_f32), |(from, to), part| {
        assert!(
            part.x >= 0.0
                && part.x + part.width <= 1.0
                && part.y >= 0.0
                && part.y + part.height <= 1.0
        );
        (from.min(part.x), to.max(part.x + part.width))
    });
    assert!(from <= left + 0.05 && from >= left - 0.12, "{from} {left}");
    assert!(to >= left + 0.06 && to <= left + 0.15, "{to} {left}");
    assert!(
        sample.score > 0.9 && sample.share > 0.005 && sample.share < 0.2,
        "{sample:?}"
    );
}

#[test]
fn motion_from_the_first_frame_is_seen() {
    for rate in RATES {
        let samples = play(rate, 4, 1.5, |now, x, y| {
            walker(now, -2.0, 5.0, x, y).unwrap_or(room(x, y))
        });
        let on = samples
            .iter()
            .find(|(_, sample)| sample.on)
            .expect("never on")
            .0;
        assert!(on <= 1.0, "{rate} fps: {on}");
    }
}

#[test]
fn a_thing_left_behind_is_present_but_keeps_the_gate_shut() {
    let samples = play(8, 90, 1.5, |now, x, y| {
        let left = now > 5.0 && (75..95).contains(&x) && (40..60).contains(&y);
        let walks = walker(now, 3.0, 7.0, x, y);
        walks.unwrap_or(if left { 210.0 } else { room(x, y) })
    });
    let state_at = |when: f32| &samples.iter().find(|(now, _)| *now >= when).unwrap().1;
    assert_eq!(state_at(15.0).state, MotionState::Present);
    assert!(!state_at(15.0).on);
    assert_eq!(state_at(15.0).boxes.len(), 1);
    assert_eq!(state_at(80.0).state, MotionState::Quiet);
}

#[test]
fn a_thing_left_behind_is_forgotten_though_others_pass_by() {
    let samples = play(5, 110, 1.5, |now, x, y| {
        let left = now > 5.0 && (75..95).contains(&x) && (76..88).contains(&y);
        // Somebody walks through, behind the thing, every twenty seconds.
        let walks = walker(now % 20.0, 3.0, 7.0, x, y);
        walks.unwrap_or(if left { 210.0 } else { room(x, y) })
    });
    let state_at = |when: f32| {
        samples
            .iter()
            .find(|(now, _)| *now >= when)
            .unwrap()
            .1
            .state
    };
    assert_eq!(state_at(35.0), MotionState::Present);
    assert_eq!(state_at(97.0), MotionState::Quiet);
}

#[test]
fn in_the_dark_it_goes_on_looking() {
    let torch = |now: f32, x: usize, y: usize| {
        let left = (now - 75.0) * 20.0;
        let inside = now >= 75.0 && (left..left + 14.0).contains(&(x as f32));
        (inside && (30..60).contains(&y)).then_some(90.0 + (y % 7) as f32 * 8.0)
    };
    let samples = play(5, 80, 0.6, |now, x, y| {
        let lit = if now < 8.0 { room(x, y) } else { 12.0 };
        torch(now, x, y).unwrap_or(lit)
    });
    for (now, sample) in &samples {
        if (10.5..74.9).contains(now) {
            assert_eq!(sample.state, MotionState::SceneChanged, "at {now}");
        }
    }
    assert!(samples.iter().any(|(now, sample)| *now > 75.0 && sample.on));
}

#[test]
fn what_was_taken_away_is_soon_background() {
    let samples = play(8, 16, 1.5, |now, x, y| {
        let there = now < 5.0 && (75..95).contains(&x) && (40..60).contains(&y);
        walker(now, 3.0, 7.0, x, y).unwrap_or(if there { 210.0 } else { room(x, y) })
    });
    assert_eq!(samples.last().unwrap().1.state, MotionState::Quiet);
}

fn plane(level: u8, width: u16, height: u16) -> GreyPlane {
    let pixels = vec![level; usize::from(width) * usize::from(height)];
    GreyPlane::new(width, height, pixels).unwrap()
}

#[test]
fn frames_from_the_past_change_nothing() {
    let mut one = MotionDetector::new(MotionSettings::default());
    let mut two = MotionDetector::new(MotionSettings::default());
    let mut scratch = MotionScratch::default();
    for frame in 0..30 {
        let at = UtcTime::from_unix_millis(frame * 100);
        let said = one.push(at, &plane(100, 40, 30), &mut scratch);
        assert_eq!(two.push(at, &plane(100, 40, 30), &mut scratch), said);
        assert_eq!(two.push(at, &plane(7, 40, 30), &mut scratch), said);
        assert_eq!(
            two.push(at.plus_millis(-60), &plane(250, 40, 30), &mut scratch),
            said
        );
    }
}

#[test]
fn a_gap_or_another_size_starts_anew() {
    let mut detector = MotionDetector::new(MotionSettings::default());
    let mut push = |millis: i64, width: u16| {
        detector
            .push(
                UtcTime::from_unix_millis(millis),
                &plane(100, width, 30),
                &mut MotionScratch::default(),
            )
            .state
    };
    for frame in 0..10 {
        push(frame * 100, 40);
    }
    assert_eq!(push(1000, 40), MotionState::Quiet);
    assert_eq!(push(6000, 40), MotionState::Quiet);
    assert_eq!(push(11_001, 40), MotionState::Starting);
    assert_eq!(push(11_501, 40), MotionState::Starting);
    assert_eq!(push(12_001, 40), MotionState::Quiet);
    assert_eq!(push(12_101, 41), MotionState::Starting);
}

#[test]
fn the_smallest_planes_are_judged_without_harm() {
    for (width, height) in [(1, 1), (1, 40), (2, 2), (160, 1), (7, 5)] {
        let mut detector = MotionDetector::new(MotionSettings::default());
        for frame in 0..40 {
            let level = if frame % 7 < 3 { 20 } else { 200 };
            let at = UtcTime::from_unix_millis(frame * 130);
            detector.push(
                at,
                &plane(level, width, height),
                &mut MotionScratch::default(),
            );
        }
    }
}
