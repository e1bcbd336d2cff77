//! Clips: what comes out is a movie that plays everywhere, with the frames at their own times.

use std::io;
use std::path::Path;
use std::process::Command;

use jpeg_encoder::SamplingFactor;
use vigint_core::clock::UtcTime;
use vigint_video::clip::{
    ClipEncoder, ClipError, ClipFrame, ClipInfo, ClipSettings, H264ClipEncoder,
};

use crate::draw::{Coding, jpeg, scene, scene_jpeg};

fn frame(millis: i64, jpeg: Vec<u8>) -> io::Result<ClipFrame> {
    Ok(ClipFrame {
        at: UtcTime::from_unix_millis(1_795_362_003_250 + millis),
        jpeg: jpeg.into(),
    })
}

fn encode(frames: Vec<io::Result<ClipFrame>>) -> Result<(ClipInfo, Vec<u8>), ClipError> {
    let mut movie = Vec::new();
    let info = H264ClipEncoder::default().encode(&mut frames.into_iter(), &mut movie)?;
    Ok((info, movie))
}

/// Names and contents of the boxes in a part of an MP4.
fn boxes(mut part: &[u8]) -> Vec<(String, &[u8])> {
    let mut found = Vec::new();
    while !part.is_empty() {
        let len = u32::from_be_bytes(part[..4].try_into().unwrap()) as usize;
        let name = String::from_utf8(part[4..8].to_vec()).unwrap();
        let (this, behind) = part.split_at(len);
        found.push((name, &this[8..]));
        part = behind;
    }
    found
}

/// The content of the box at this path.
fn inside<'a>(movie: &'a [u8], path: &[&str]) -> &'a [u8] {
    path.iter().fold(movie, |part, name| {
        let found = boxes(part).into_iter().find(|(other, _)| other == name);
        found.unwrap_or_else(|| panic!("no box {name}")).1
    })
}

/// How long each picture is shown, in the track's ticks, and ticks a second.
fn steps(movie: &[u8]) -> (Vec<u32>, u32) {
    let number = |part: &[u8], at: usize| u32::from_be_bytes(part[at..at + 4].try_into().unwrap());
    let media = inside(movie, &["moov", "trak", "mdia"]);
    let table = inside(media, &["minf", "stbl", "stts"]);
    let steps = (0..number(table, 4) as usize).flat_map(|entry| {
        let (count, step) = (number(table, 8 + entry * 8), number(table, 12 + entry * 8));
        std::iter::repeat_n(step, count as usize)
    });
    (steps.collect(), number(inside(media, &["mdhd"]), 12))
}

fn assert_fast_start(movie: &[u8]) {
    let names: Vec<String> = boxes(movie).into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["ftyp", "moov", "mdat"]);
}

/// Plays the movie with ffmpeg, where it is at hand: what ffprobe says of the video, as `key=value` lines.
fn probe(name: &str, movie: &[u8]) -> Option<String> {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}.mp4"));
    std::fs::write(&path, movie).unwrap();
    let entries = "stream=codec_name,pix_fmt,color_range,color_space,width,height,nb_read_frames:format=duration";
    let Ok(output) = Command::new("ffprobe")
        .args([
            "-v",
            "error",
            "-count_frames",
            "-of",
            "default=nw=1",
            "-show_entries",
            entries,
        ])
        .arg(&path)
        .output()
    else {
        println!("SKIPPED: ffprobe is not here");
        return None;
    };
    assert!(
        output.stderr.is_empty(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let played = Command::new("ffmpeg")
        .args(["-v", "error", "-xerror", "-i"])
        .arg(&path)
        .args(["-f", "null", "-"])
        .output()
        .unwrap();
    assert!(
        played.status.success() && played.stderr.is_empty(),
        "{played:?}"
    );
    Some(String::from_utf8(output.stdout).unwrap())
}

fn assert_says(probed: &str, lines: &[&str]) {
    for line in lines {
        assert!(
            probed.lines().any(|said| said == *line),
            "no {line} in\n{probed}"
        );
    }
}

#[test]
fn a_clip_is_h264_that_plays_everywhere_with_the_frames_own_times() {
    let times = [0, 100, 200, 450, 460, 5000, 5040];
    let frames = times
        .iter()
        .enumerate()
        .map(|(step, at)| frame(*at, scene_jpeg(322, 181, step)));
    let (info, movie) = encode(frames.collect()).unwrap();
    assert_fast_start(&movie);
    let (steps, ticks) = steps(&movie);
    let millis: Vec<f64> = steps
        .iter()
        .map(|step| f64::from(*step) * 1000.0 / f64::from(ticks))
        .collect();
    let expected = [100.0, 100.0, 250.0, 1000.0 / 60.0, 1000.0, 40.0, 40.0];
    assert_eq!(millis.len(), expected.len());
    for (step, expected) in millis.iter().zip(expected) {
        assert!((step - expected).abs() < 0.1, "{millis:?}");
    }
    assert_eq!(
        (info.width, info.height, info.frames, info.skipped),
        (322, 180, 7, 0)
    );
    assert_eq!(info.duration_ms, 1546);
    if let Some(probed) = probe("times", &movie) {
        let lines = [
            "codec_name=h264",
            "pix_fmt=yuv420p",
            "color_range=tv",
            "color_space=smpte170m",
            "width=322",
            "height=180",
            "nb_read_frames=7",
            "duration=1.546000",
        ];
        assert_says(&probed, &lines);
    }
}

/// The movie's first frame as RGB, by ffmpeg.
fn first_picture(name: &str, movie: &[u8]) -> Option<Vec<u8>> {
    probe(name, movie)?;
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}.mp4"));
    let output = Command::new("ffmpeg")
        .args(["-v", "error", "-i"])
        .arg(path)
        .args(["-frames:v", "1", "-f", "rawvideo", "-pix_fmt", "rgb24", "-"])
        .output()
        .unwrap();
    Some(output.stdout)
}

#[test]
fn every_kind_of_jpeg_keeps_its_colours() {
    let rgb = scene(160, 96, 2);
    let kinds = [
        ("420", SamplingFactor::F_2_2),
        ("422", SamplingFactor::F_2_1),
        ("444", SamplingFactor::F_1_1),
        ("440", SamplingFactor::F_1_2),
    ];
    for (name, sampling) in kinds {
        for grey in [false, true] {
            for progressive in [false, true] {
                let coding = Coding {
                    grey,
                    progressive,
                    restart: 0,
                    sampling: Some(sampling),
                };
                let frames = (0..3).map(|step| frame(step * 100, jpeg(&rgb, 160, 96, coding)));
                let (info, movie) = encode(frames.collect()).unwrap();
                assert_eq!((info.frames, info.skipped), (3, 0));
                let name = format!("kind-{name}-{grey}-{progressive}");
                let Some(picture) = first_picture(&name, &movie) else {
                    continue;
                };
                assert_eq!(picture.len(), rgb.len());
                let off = picture
                    .iter()
                    .zip(&rgb)
                    .enumerate()
                    .map(|(at, (shown, drawn))| {
                        let drawn = if grey { rgb[at / 3 * 3 + 1] } else { *drawn };
                        u32::from(shown.abs_diff(drawn))
                    });
                let mean = off.sum::<u32>() / rgb.len() as u32;
                assert!(mean <= 6, "{name}: {mean} levels off");
            }
        }
    }
}

#[test]
fn one_frame_is_shown_for_a_second() {
    let (info, movie) = encode(vec![frame(0, scene_jpeg(64, 48, 0))]).unwrap();
    assert_fast_start(&movie);
    assert_eq!((info.duration_ms, info.frames), (1000, 2));
    if let Some(probed) = probe("one", &movie) {
        assert_says(&probed, &["nb_read_frames=2", "duration=1.000000"]);
    }
}

#[test]
fn pictures_of_any_size_become_clips() {
    for (w, h, expected) in [
        (1, 1, (16, 16)),
        (2, 2, (16, 16)),
        (17, 3, (16, 16)),
        (33, 401, (32, 400)),
        (2000, 1500, (1440, 1080)),
        (1080, 1920, (1080, 1920)),
        (1500, 3000, (960, 1920)),
        (6000, 20, (1920, 16)),
    ] {
        let frames = (0..2).map(|step| frame(step * 100, scene_jpeg(w, h, step as usize)));
        let (info, movie) = encode(frames.collect()).unwrap();
        assert_eq!((info.width, info.height), expected, "{w}x{h}");
        assert_eq!((info.frames, info.skipped), (2, 0), "{w}x{h}");
        assert_fast_start(&movie);
        probe(&format!("size-{w}x{h}"), &movie);
    }
}

#[test]
fn frames_of_another_size_are_fitted_into_the_first_ones() {
    let sizes = [(320, 180), (640, 480), (100, 300), (1, 1), (320, 180)];
    let frames = sizes
        .iter()
        .enumerate()
        .map(|(step, (w, h))| frame(step as i64 * 200, scene_jpeg(*w, *h, step)));
    let (info, movie) = encode(frames.collect()).unwrap();
    assert_eq!((info.width, info.height, info.frames), (320, 180, 5));
    if let Some(probed) = probe("sizes", &movie) {
        assert_says(&probed, &["width=320", "height=180", "nb_read_frames=5"]);
    }
}

#[test]
fn frames_that_do_not_decode_are_left_out_and_counted() {
    let whole = scene_jpeg(64, 48, 0);
    let frames = vec![
        frame(0, b"not a jpeg".to_vec()),
        frame(100, whole.clone()),
        frame(200, whole[..60].to_vec()),
        frame(300, whole.clone()),
        frame(400, Vec::new()),
    ];
    let (info, movie) = encode(frames).unwrap();
    assert_eq!((info.frames, info.skipped, info.duration_ms), (2, 3, 400));
    assert_fast_start(&movie);
}

#[test]
fn without_a_frame_there_is_no_clip() {
    assert!(matches!(
        encode(Vec::new()),
        Err(ClipError::NoFrames { skipped: 0 })
    ));
    let broken = (0..20)
        .map(|at| frame(at, vec![0xFF, 0xD8, 0xFF]))
        .collect();
    assert!(matches!(
        encode(broken),
        Err(ClipError::NoFrames { skipped: 20 })
    ));
}

#[test]
fn frames_that_cannot_be_read_are_an_error() {
    let gone = || Err(io::Error::new(io::ErrorKind::NotFound, "gone"));
    assert!(matches!(encode(vec![gone()]), Err(ClipError::Read(_))));
    let mut frames: Vec<_> = (0..40)
        .map(|at| frame(at * 50, scene_jpeg(32, 32, 0)))
        .collect();
    frames.push(gone());
    assert!(matches!(encode(frames), Err(ClipError::Read(_))));
}

#[test]
fn a_full_disk_is_an_error() {
    struct Full;
    impl io::Write for Full {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::Error::new(io::ErrorKind::StorageFull, "no space left"))
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let frames = vec![frame(0, scene_jpeg(32, 32, 0))];
    let error = H264ClipEncoder::default()
        .encode(&mut frames.into_iter(), &mut Full)
        .unwrap_err();
    assert!(error.to_string().contains("no space left"), "{error}");
}

#[test]
fn a_panic_while_encoding_is_an_error_of_that_clip() {
    let mut frames = (0..3).map(|at| {
        assert!(at < 2, "injected");
        frame(at * 100, scene_jpeg(32, 32, 0))
    });
    let result = H264ClipEncoder::default().encode(&mut frames, &mut Vec::new());
    assert!(matches!(result, Err(ClipError::Panicked)));
}

#[test]
fn frames_are_read_one_by_one_not_all_at_once() {
    // The movie needs 300 frames; when the last ones are drawn, the earlier ones must be gone.
    let alive = std::sync::Arc::new(());
    struct Counted(
        Vec<u8>,
        #[allow(dead_code, reason = "its clones are counted")] std::sync::Arc<()>,
    );
    impl AsRef<[u8]> for Counted {
        fn as_ref(&self) -> &[u8] {
            &self.0
        }
    }
    let jpeg = scene_jpeg(64, 48, 0);
    let mut most = 0;
    let mut frames = (0..300).map(|at| {
        let jpeg = bytes::Bytes::from_owner(Counted(jpeg.clone(), alive.clone()));
        most = most.max(std::sync::Arc::strong_count(&alive) - 1);
        Ok(ClipFrame {
            at: UtcTime::from_unix_millis(at * 100),
            jpeg,
        })
    });
    let info = H264ClipEncoder::default()
        .encode(&mut frames, &mut Vec::new())
        .unwrap();
    assert_eq!(info.frames, 300);
    assert!(most <= 20, "{most} frames were held at once");
}

#[test]
fn there_is_a_key_frame_about_every_two_seconds() {
    let frames = (0..100).map(|at| frame(at * 100, scene_jpeg(160, 96, 1)));
    let (_, movie) = encode(frames.collect()).unwrap();
    let table = inside(&movie, &["moov", "trak", "mdia", "minf", "stbl", "stss"]);
    let keys: Vec<u32> = table[8..]
        .chunks(4)
        .map(|key| u32::from_be_bytes(key.try_into().unwrap()))
        .collect();
    assert_eq!(keys, [1, 21, 41, 61, 81]);
}

#[test]
fn the_bit_rate_is_kept_and_can_be_set() {
    let mut random = crate::draw::Noise::new(3);
    let mut rgb = scene(640, 360, 0);
    let frames: Vec<Vec<u8>> = (0..100)
        .map(|_| {
            for value in rgb.iter_mut() {
                let noise = random.normal(6.0);
                *value = (f32::from(*value) * 0.5 + 60.0 + noise) as u8;
            }
            jpeg(&rgb, 640, 360, Coding::default())
        })
        .collect();
    let kbps = |setting: Option<u32>| {
        let encoder = H264ClipEncoder::new(ClipSettings {
            bitrate_kbps: setting,
        });
        let mut frames = frames
            .iter()
            .zip(0..)
            .map(|(jpeg, at)| frame(at * 40, jpeg.clone()));
        let mut movie = Vec::new();
        let info = encoder.encode(&mut frames, &mut movie).unwrap();
        movie.len() as u64 * 8 / info.duration_ms
    };
    let (small, default, large) = (kbps(Some(400)), kbps(None), kbps(Some(3000)));
    assert!(
        small < default && default < large,
        "{small} {default} {large}"
    );
    // 640x360 at 25 a second: 884 kbit/s by default.
    assert!((600..1300).contains(&default), "{default}");
    assert!(kbps(Some(0)) <= small && kbps(Some(u32::MAX)) >= large);
}
