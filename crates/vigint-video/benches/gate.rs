//! What a look of the motion gate costs: the grey plane alone, the gate alone, both.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a benchmark fails by panicking, and criterion's macros write undocumented items"
)]

use std::hint::black_box;

use bytes::Bytes;
use criterion::{Criterion, criterion_group, criterion_main};
use vigint_core::clock::UtcTime;
use vigint_video::grey::{GreyDecoder, GreyMemory, GreyPlane, JpegGreyDecoder};
use vigint_video::motion::{MotionDetector, MotionScratch, MotionSettings};

mod pictures;

use pictures::picture;

const SIZES: [(u16, u16); 3] = [(640, 360), (1280, 720), (1920, 1080)];

fn decode(c: &mut Criterion) {
    let mut group = c.benchmark_group("JPEG decode alone");
    for (width, height) in SIZES {
        let jpeg = picture(width, height, 1);
        let (mut plane, mut memory) = (GreyPlane::default(), GreyMemory::default());
        let name = format!("{width}x{height}, {} kB", jpeg.len() / 1000);
        group.bench_function(name, |b| {
            b.iter(|| {
                JpegGreyDecoder
                    .decode(black_box(&jpeg), &mut plane, &mut memory)
                    .unwrap();
            });
        });
    }
    group.finish();
}

/// Something walks through, or nothing does: then the same noise comes and goes.
fn gate(c: &mut Criterion) {
    let mut group = c.benchmark_group("gate alone");
    let mut memory = GreyMemory::default();
    let planes: Vec<GreyPlane> = (0..50)
        .map(|step| {
            let mut plane = GreyPlane::default();
            JpegGreyDecoder
                .decode(&picture(1280, 720, step), &mut plane, &mut memory)
                .unwrap();
            plane
        })
        .collect();
    for (name, planes) in [
        ("something moves", &planes[..]),
        ("nothing moves", &planes[..1]),
    ] {
        let mut detector = MotionDetector::new(MotionSettings::default());
        let mut scratch = MotionScratch::default();
        let mut frame = 0_i64;
        group.bench_function(name, |b| {
            b.iter(|| {
                frame += 1;
                let at = UtcTime::from_unix_millis(frame * 200);
                let plane = &planes[usize::try_from(frame).unwrap() % planes.len()];
                detector.push(at, black_box(plane), &mut scratch)
            });
        });
    }
    group.finish();
}

fn look(c: &mut Criterion) {
    let mut group = c.benchmark_group("decode and gate");
    for (width, height) in SIZES {
        let jpegs: Vec<Bytes> = (0..25)
            .map(|step| picture(width, height, step).into())
            .collect();
        let mut detector = MotionDetector::new(MotionSettings::default());
        let mut scratch = MotionScratch::default();
        let mut frame = 0_i64;
        group.bench_function(format!("{width}x{height}"), |b| {
            b.iter(|| {
                frame += 1;
                let at = UtcTime::from_unix_millis(frame * 200);
                let jpeg = &jpegs[usize::try_from(frame).unwrap() % jpegs.len()];
                detector
                    .look(at, black_box(jpeg), &JpegGreyDecoder, &mut scratch)
                    .unwrap()
            });
        });
    }
    group.finish();
}

criterion_group!(benches, decode, gate, look);
criterion_main!(benches);
