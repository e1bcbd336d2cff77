//! The motion gate on the battery: every drawn case, and the shared films where they and ffmpeg are at hand,
//! at 5 and at 10 frames a second. The films are not ours to commit.
//!
//! Besides the bars, what the gate decided is kept in golden files: a change that only makes it faster
//! changes none of them.

use std::fmt::Write as _;

use vigint_core::clock::UtcTime;
use vigint_testkit::battery::{self, Said, Score, State, Truth, spans};
use vigint_testkit::footage::{Footage, FootageError};
use vigint_video::grey::JpegGreyDecoder;
use vigint_video::motion::{MotionDetector, MotionScratch, MotionSettings, MotionState};

const RATES: [u32; 2] = [5, 10];

/// What the gate says of these pictures: milliseconds and JPEG.
fn play(frames: impl Iterator<Item = (i64, Vec<u8>)>) -> Vec<Said> {
    let mut detector = MotionDetector::new(MotionSettings::default());
    let mut scratch = MotionScratch::default();
    let said = frames.map(|(millis, jpeg)| {
        let at = UtcTime::from_unix_millis(1_000_000 + millis);
        let sample = detector
            .look(at, &jpeg, &JpegGreyDecoder, &mut scratch)
            .unwrap();
        Said {
            at: millis as f64 / 1000.0,
            on: sample.on,
            state: state(sample.state),
        }
    });
    said.collect()
}

fn state(state: MotionState) -> State {
    match state {
        MotionState::Starting => State::Starting,
        MotionState::Quiet => State::Quiet,
        MotionState::Moving => State::Moving,
        MotionState::Present => State::Present,
        MotionState::SceneChanged => State::SceneChanged,
        MotionState::Frozen => State::Frozen,
        other => panic!("the battery does not know {other:?}"),
    }
}

/// Holds what was said at each rate against the golden file and the bars.
fn check(name: &str, truth: &Truth, said: &[(u32, Vec<Said>)]) {
    let mut decisions = String::new();
    let mut complaints = Vec::new();
    for (rate, said) in said {
        writeln!(decisions, "{rate} fps").unwrap();
        write_spans(&mut decisions, "on", said, |said| said.on);
        for state in [State::Present, State::SceneChanged, State::Frozen] {
            let name = format!("{state:?}");
            write_spans(&mut decisions, &name, said, |said| said.state == state);
        }
        let score = Score::of(said, truth);
        if !score.complaints().is_empty() {
            complaints.push(format!("{rate} fps: {:?}\n{score:#?}", score.complaints()));
        }
    }
    insta::with_settings!({ prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!(name, decisions);
    });
    assert!(
        complaints.is_empty(),
        "{name} at {}\nsaid:\n{decisions}truth: {truth:#?}",
        complaints.join("\n")
    );
}

/// A line of spans in seconds, unless there are none.
fn write_spans(text: &mut String, name: &str, said: &[Said], is_so: impl Fn(&Said) -> bool) {
    let spans = spans(said, is_so);
    if !spans.is_empty() {
        let spans: Vec<_> = spans
            .iter()
            .map(|(start, end)| format!("{start:.3}-{end:.3}"))
            .collect();
        writeln!(text, "  {name}: {}", spans.join(", ")).unwrap();
    }
}

fn check_case(name: &str) {
    let case = battery::cases()
        .into_iter()
        .find(|case| case.name == name)
        .unwrap();
    let said = RATES.map(|rate| {
        let frames = case.frames(rate).map(|frame| (frame.at_millis, frame.jpeg));
        (rate, play(frames))
    });
    check(name, &case.truth, &said);
}

fn check_film(name: &str) {
    let film = Truth::shared_folder().join(name);
    let Some(truth) = Truth::beside(&film).unwrap() else {
        println!("SKIPPED: {} or its truth is not here", film.display());
        return;
    };
    let mut said = Vec::new();
    for rate in RATES {
        let frames = match Footage::open(&film, rate) {
            Ok(frames) => frames,
            Err(error @ (FootageError::Missing(_) | FootageError::NoFfmpeg(_))) => {
                println!("SKIPPED: {error}");
                return;
            }
            Err(error) => panic!("{error}"),
        };
        let frames = frames.map(|frame| frame.unwrap());
        said.push((
            rate,
            play(frames.map(|frame| (frame.at_millis, frame.jpeg()))),
        ));
    }
    check(&name.replace(['-', '.'], "_"), &truth, &said);
}

/// A test for each case, so that what fails has its name.
macro_rules! battery {
    ($($case:ident)*) => {
        const TESTED: &[&str] = &[$(stringify!($case)),*];

        $(#[test]
        fn $case() {
            check_case(stringify!($case));
        })*
    };
}

battery! {
    noise_1
    noise_3
    noise_6
    noise_10_in_darkness
    walker_at_dusk
    jpeg_quality_30
    jpeg_quality_95
    exposure_step
    exposure_ramp
    exposure_swing
    walker_while_exposure_swings
    flicker_in_bands
    flicker_of_the_whole_picture
    soft_shadow_passes
    side_light_drifts
    small_blob
    large_blob
    slow_blob
    fast_blob
    low_contrast_blob
    stops_and_sways
    stops_perfectly_still
    moves_from_the_first_frame
    thing_left_behind
    thing_taken_away
    two_visits
    clock
    caption_at_1_hz
    caption_at_2_hz
    clock_and_walker
    screen_at_5_hz
    rain
    shake
    covered_lens
    moved_camera
    infrared_switch
    frozen_stream
    irregular_frames
}

#[test]
fn every_case_of_the_battery_is_tested() {
    let cases: Vec<_> = battery::cases().iter().map(|case| case.name).collect();
    assert_eq!(cases, TESTED);
}

#[test]
fn film_bottles_hand() {
    check_film("bottles-hand.mp4");
}

#[test]
fn film_car_park_overhead() {
    check_film("car-park-overhead.mp4");
}
