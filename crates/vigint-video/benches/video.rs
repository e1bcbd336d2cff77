//! What it costs to take a frame in, and to make a second of a clip.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a benchmark fails by panicking, and criterion's macros write undocumented items"
)]

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use vigint_video::jpeg::inspect;

mod pictures;

use pictures::picture;

fn inspect_jpeg(c: &mut Criterion) {
    let jpeg = picture(1280, 720, 1);
    let mut group = c.benchmark_group("inspect");
    group.throughput(Throughput::Bytes(jpeg.len() as u64));
    group.bench_function(format!("1280x720, {} kB", jpeg.len() / 1000), |b| {
        b.iter(|| inspect(black_box(&jpeg), 8_847_360).unwrap());
    });
    group.finish();
}

#[cfg(feature = "clips")]
fn encode_clip(c: &mut Criterion) {
    use vigint_core::clock::UtcTime;
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

criterion_group!(benches, inspect_jpeg, encode_clip);
criterion_main!(benches);
