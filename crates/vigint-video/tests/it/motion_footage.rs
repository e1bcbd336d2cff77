//! The motion gate on real footage, where it and ffmpeg are at hand. The footage is not ours to commit.

use std::path::{Path, PathBuf};
use std::process::Command;

use bytes::Bytes;
use vigint_core::clock::UtcTime;
use vigint_video::grey::JpegGreyDecoder;
use vigint_video::jpeg::inspect;
use vigint_video::motion::{MotionDetector, MotionScratch, MotionSettings};

/// Seconds in which something moves, read off single frames.
const BOTTLES: &[(f32, f32)] = &[
    (5.75, 7.15),
    (11.2, 13.45),
    (15.85, 17.85),
    (21.95, 24.5),
    (27.2, 28.9),
    (30.85, 32.1),
    (34.6, 36.8),
];
const CARS: &[(f32, f32)] = &[(4.35, 8.6), (14.4, 19.1), (25.15, 27.8)];
/// A soft shadow may come so much before.
const EARLY: f32 = 0.5;
/// What the gate may take to open, and to shut behind the last motion.
const OPENS_WITHIN: f32 = 1.0;
const SHUTS_WITHIN: f32 = 3.0;

fn footage(name: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../../shared/video")
        .join(name);
    let ffmpeg = Command::new("ffmpeg").arg("-version").output().is_ok();
    if path.exists() && ffmpeg {
        return Some(path);
    }
    println!("SKIPPED: {} or ffmpeg is not here", path.display());
    None
}

/// The film as JPEGs, so many a second.
fn jpegs(path: &Path, rate: u32) -> Vec<Bytes> {
    let output = Command::new("ffmpeg")
        .args(["-v", "error", "-i"])
        .arg(path)
        .args([
            "-vf",
            &format!("fps={rate}"),
            "-q:v",
            "4",
            "-c:v",
            "mjpeg",
            "-f",
            "image2pipe",
            "-",
        ])
        .output()
        .unwrap();
    let mut rest = &output.stdout[..];
    let mut frames = Vec::new();
    while !rest.is_empty() {
        let (frame, behind) = rest.split_at(inspect(rest, 1 << 22).unwrap().len);
        frames.push(Bytes::copy_from_slice(frame));
        rest = behind;
    }
    frames
}

/// When the gate is open, in seconds.
fn opened(path: &Path, rate: u32) -> Vec<(f32, f32)> {
    let mut detector = MotionDetector::new(MotionSettings::default());
    let mut scratch = MotionScratch::default();
    let mut spans: Vec<(f32, f32)> = Vec::new();
    let mut was_on = false;
    for (frame, jpeg) in jpegs(path, rate).iter().enumerate() {
        let millis = frame as i64 * 1000 / i64::from(rate);
        let at = UtcTime::from_unix_millis(millis);
        let sample = detector
            .look(at, jpeg, &JpegGreyDecoder, &mut scratch)
            .unwrap();
        let now = millis as f32 / 1000.0;
        match (was_on, sample.on) {
            (false, true) => spans.push((now, now)),
            (true, true) => spans.last_mut().unwrap().1 = now,
            _ => {}
        }
        was_on = sample.on;
    }
    spans
}

fn check(name: &str, moving: &[(f32, f32)]) {
    let Some(path) = footage(name) else { return };
    for rate in [5, 8, 10] {
        let open = opened(&path, rate);
        println!("{name} at {rate} fps: {open:?}");
        for (start, end) in moving {
            let opens = open
                .iter()
                .find(|span| span.1 >= *start)
                .map_or(f32::MAX, |span| span.0);
            assert!(
                opens <= start + OPENS_WITHIN,
                "{name} {rate} fps: {start} is seen at {opens}"
            );
            let shut = open
                .iter()
                .any(|span| span.0 <= *end && span.1 >= end + SHUTS_WITHIN);
            let next = moving
                .iter()
                .any(|(next, _)| next > end && *next < end + SHUTS_WITHIN + EARLY);
            assert!(
                !shut || next,
                "{name} {rate} fps: still open {SHUTS_WITHIN} s after {end}"
            );
        }
        for span in &open {
            let deserved = moving
                .iter()
                .any(|(start, end)| span.0 >= start - EARLY && span.0 <= *end + 0.3);
            assert!(
                deserved,
                "{name} {rate} fps: opens at {} for nothing",
                span.0
            );
        }
    }
}

#[test]
fn the_gate_opens_for_each_handling_of_the_bottles_only() {
    check("bottles-hand.mp4", BOTTLES);
}

#[test]
fn the_gate_opens_for_each_car_and_not_for_the_exposure() {
    check("car-park-overhead.mp4", CARS);
}
