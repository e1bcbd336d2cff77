//! What a frame costs: the check of its header, its grey plane, the gate; and a second of a clip.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a benchmark fails by panicking, and criterion's macros write undocumented items"
)]

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use jpeg_encoder::{ColorType, Encoder};
use vigint_core::clock::UtcTime;
use vigint_video::grey::{GreyDecoder, GreyPlane, JpegGreyDecoder};
use vigint_video::jpeg::inspect;
use vigint_video::motion::{MotionDetector, MotionScratch, MotionSettings};

/// A noisy picture with something in it that moves; 1280x720 makes about 130 kB.
fn picture(width: u16, height: u16, step: u32) -> Vec<u8> {
    let mut seed = step.wrapping_mul(747_796_405) | 1;
    let rgb: Vec<u8> = (0..u32::from(height))
        .flat_map(|y| (0..u32::from(width)).map(move |x| (x, y)))
        .flat_map(|(x, y)| {
            seed ^= seed << 13;
            seed ^= seed >> 17;
            seed ^= seed << 5;
            let noise = (seed % 19) as u8;
            let thing = x.abs_diff(step * 8 % 1280) < 60 && (200..500).contains(&y);
            let base = if thing {
                30
            } else {
                ((x / 5 + y / 3) % 180) as u8 + 20
            };
            [base + noise, base + noise / 2, base]
        })
        .collect();
    let mut bytes = Vec::new();
    Encoder::new(&mut bytes, 78)
        .encode(&rgb, width, height, ColorType::Rgb)
        .unwrap();
    bytes
}

fn inspect_jpeg(c: &mut Criterion) {
    let jpeg = picture(1280, 720, 1);
    let mut group = c.benchmark_group("inspect");
    group.throughput(Throughput::Bytes(jpeg.len() as u64));
    group.bench_function(format!("1280x720, {} kB", jpeg.len() / 1000), |b| {
        b.iter(|| inspect(black_box(&jpeg), 8_847_360).unwrap());
    });
    group.finish();
}

fn decode_grey(c: &mut Criterion) {
    let mut group = c.benchmark_group("grey");
    for (width, height) in [(640, 360), (1280, 720), (1920, 1080)] {
        let jpeg = picture(width, height, 1);
        group.bench_function(format!("{width}x{height}"), |b| {
            b.iter(|| JpegGreyDecoder.decode(black_box(&jpeg)).unwrap());
        });
    }
    group.finish();
}

fn push_motion(c: &mut Criterion) {
    let planes: Vec<GreyPlane> = (0..50)
        .map(|step| JpegGreyDecoder.decode(&picture(1280, 720, step)).unwrap())
        .collect();
    let mut detector = MotionDetector::new(MotionSettings::default());
    let mut scratch = MotionScratch::default();
    let mut frame = 0_i64;
    c.bench_function("motion push", |b| {
        b.iter(|| {
            frame += 1;
            let at = UtcTime::from_unix_millis(frame * 200);
            let plane = &planes[usize::try_from(frame).unwrap() % planes.len()];
            detector.push(at, black_box(plane), &mut scratch)
        });
    });
}

#[cfg(feature = "clips")]
fn encode_clip(c: &mut Criterion) {
    use vigint_video::clip::{ClipEncoder, ClipFrame, H264ClipEncoder};

    let jpegs: Vec<Vec<u8>> = (0..25).map(|step| picture(1280, 720, step)).collect();
    let mut group = c.benchmark_group("clip");
    group.sample_size(10);
    group.throughput(Throughput::Elements(25));
    group.bench_function("1280x720, 25 frames", |b| {
        b.iter_batched(
            || jpegs.clone(),
            |jpegs| {
                let mut frames = jpegs.into_iter().zip(0..).map(|(jpeg, at)| {
                    Ok(ClipFrame {
                        at: UtcTime::from_unix_millis(at * 40),
                        jpeg: jpeg.into(),
                    })
                });
                H264ClipEncoder::default()
                    .encode(&mut frames, &mut Vec::new())
                    .unwrap()
            },
            criterion::BatchSize::LargeInput,
        );
    });
    group.finish();
}

#[cfg(not(feature = "clips"))]
fn encode_clip(_: &mut Criterion) {}

criterion_group!(benches, inspect_jpeg, decode_grey, push_motion, encode_clip);
criterion_main!(benches);
