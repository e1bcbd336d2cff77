//! What a frame costs, sent by itself, in a batch of raw pictures and in one of JSON: bytes, requests and frames a
//! second over one kept connection, beside each other as ratios.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use vigint_core::clock::{Clock as _, SystemClock};
use vigint_core::frame::FRAME_HEADER;

use super::forwarder;
use super::sink::Sink;
use crate::say;

/// Frames that each way is measured with.
const FRAMES: usize = 120;
/// Frames in a batch: about a MiB of drawn pictures.
const TOGETHER: usize = 8;
const ROUND_TRIPS: [u64; 3] = [0, 50, 100];
const SAID: &str = "source_id=camera-1&frame_count=123456&captured_at=2026-11-22T15%3A40%3A03.250Z";
const ANSWER_LIMIT: Duration = Duration::from_secs(60);

/// Requests, and how many frames they carry.
struct Way {
    name: &'static str,
    requests: Vec<Vec<u8>>,
}

impl Way {
    fn bytes_a_frame(&self) -> f64 {
        let bytes = self.requests.iter().map(Vec::len).sum::<usize>();
        as_float(bytes) / as_float(FRAMES)
    }
}

/// Measures all, and says it.
pub(super) fn measure(frames: &[Vec<u8>]) -> anyhow::Result<()> {
    say::step("One by one, in batches as they are, in batches of JSON");
    let sent: Vec<&[u8]> = frames
        .iter()
        .map(Vec::as_slice)
        .cycle()
        .take(FRAMES)
        .collect();
    let ways = [singles(&sent), raw_batches(&sent), json_batches(&sent)];
    let sink = Sink::start("127.0.0.1:0".parse()?)?;
    for round_trip in ROUND_TRIPS {
        let mut first: Option<f64> = None;
        for way in &ways {
            let line = forwarder::start(sink.address(), Duration::from_millis(round_trip))?;
            let seconds = send(line, &way.requests)?;
            let rate = as_float(FRAMES) / seconds;
            let single = *first.get_or_insert(rate);
            say::line(&format!(
                "round trip {round_trip:>3} ms, {}: {:>7.0} bytes a frame, {:>6.1} requests/s, {:>6.1} frames/s, {:.2} times the first",
                way.name,
                way.bytes_a_frame(),
                as_float(way.requests.len()) / seconds,
                rate,
                rate / single
            ));
        }
    }
    Ok(())
}

fn singles(frames: &[&[u8]]) -> Way {
    let request =
        |frame: &&[u8]| request(&format!("/api/video/buffer?{SAID}"), "image/jpeg", frame);
    Way {
        name: "one by one ",
        requests: frames.iter().map(request).collect(),
    }
}

fn raw_batches(frames: &[&[u8]]) -> Way {
    let part = |frame: &&[u8]| {
        let head = format!(
            "--vigint.frame\r\nContent-Type: image/jpeg\r\nContent-Length: {}\r\n{FRAME_HEADER}: {SAID}\r\n\r\n",
            frame.len()
        );
        [head.as_bytes(), frame, b"\r\n"].concat()
    };
    let batch = |frames: &[&[u8]]| {
        let parts: Vec<_> = frames.iter().map(part).collect();
        let body = [parts.concat(), b"--vigint.frame--\r\n".to_vec()].concat();
        request(
            "/api/video/buffer/batch",
            "multipart/mixed; boundary=vigint.frame",
            &body,
        )
    };
    Way {
        name: "raw batches",
        requests: frames.chunks(TOGETHER).map(batch).collect(),
    }
}

fn json_batches(frames: &[&[u8]]) -> Way {
    let part = |frame: &&[u8]| {
        serde_json::json!({
            "frame_data": STANDARD.encode(frame), "source_id": "camera-1", "frame_count": 123_456,
            "captured_at": "2026-11-22T15:40:03.250Z",
        })
    };
    let batch = |frames: &[&[u8]]| {
        let frames: Vec<_> = frames.iter().map(part).collect();
        let body = serde_json::json!({ "frames": frames }).to_string();
        request(
            "/api/video/buffer/batch",
            "application/json",
            body.as_bytes(),
        )
    };
    Way {
        name: "JSON       ",
        requests: frames.chunks(TOGETHER).map(batch).collect(),
    }
}

/// With a key of the usual length.
fn request(path: &str, kind: &str, body: &[u8]) -> Vec<u8> {
    let (key, length) = ("k".repeat(64), body.len());
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: vigint.example\r\nAuthorization: Bearer {key}\r\n\
         Content-Type: {kind}\r\nContent-Length: {length}\r\n\r\n"
    );
    [head.as_bytes(), body].concat()
}

/// Sends each when the one before is answered; returns the seconds it took.
fn send(to: SocketAddr, requests: &[Vec<u8>]) -> anyhow::Result<f64> {
    let mut stream = TcpStream::connect(to)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(ANSWER_LIMIT))?;
    let mut reader = BufReader::new(stream.try_clone()?);
    let clock = SystemClock::new();
    for request in requests {
        stream.write_all(request)?;
        let mut length = 0_u64;
        let mut line = String::new();
        reader.read_line(&mut line)?;
        ensure!(line.contains(" 200 "), "the answer is {line}");
        while line != "\r\n" {
            line.clear();
            ensure!(reader.read_line(&mut line)? > 0, "the connection ended");
            if let Some(value) = line.strip_prefix("Content-Length: ") {
                length = value.trim().parse().context("no length")?;
            }
        }
        std::io::copy(&mut reader.by_ref().take(length), &mut std::io::sink())?;
    }
    Ok(clock.elapsed().as_secs_f64())
}

fn as_float(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}
