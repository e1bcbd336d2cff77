//! How long a film is and how many pictures a second it has, found by walking through its packets.
//!
//! What a container says of its own length is often wrong or missing, so the packets are counted: ffmpeg
//! copies them into a list (`-f framecrc`) without decoding one, thousands of times faster than the film.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, BufReader};

use super::CaptureError;
use super::ffmpeg::{FilmPath, ffmpeg, spawn_error};
use super::process_group::ProcessGroup;
use super::reason::reason;
use super::stderr::Tail;
use crate::mask::Mask;

/// A film shown at one frame a second for this long is all we can count.
const MAX_FRAMES: u32 = u32::MAX;

/// What was measured.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Reel {
    /// From the first picture to the end of the last.
    pub(super) length: Duration,
    /// Pictures a second on average; `None` when there are too few to say.
    pub(super) fps: Option<f64>,
}

impl Reel {
    /// Walks through `film`, or only through its first `at_most`.
    pub(super) async fn measure(
        film: &Path,
        at_most: Option<Duration>,
    ) -> Result<Self, CaptureError> {
        let mut command = ffmpeg();
        command.arg("-i").arg(FilmPath(film).as_argument());
        if let Some(at_most) = at_most {
            command.arg("-t").arg(at_most.as_secs().to_string());
        }
        command.args(["-map", "0:v:0", "-c", "copy", "-f", "framecrc", "pipe:1"]);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = ProcessGroup::spawn(&mut command).map_err(spawn_error)?;
        let tail = Tail::default();
        let said = child
            .take_stderr()
            .map(|stderr| tail.clone().follow(stderr, Mask::default()));
        let mut walk = Walk::default();
        let count = async {
            let Some(stdout) = child.take_stdout() else {
                return Ok(());
            };
            let mut lines = BufReader::new(stdout).lines();
            while let Some(line) = lines.next_line().await? {
                walk.line(&line);
            }
            Ok::<_, std::io::Error>(())
        };
        let listen = async {
            if let Some(said) = said {
                said.await;
            }
        };
        let (counted, ()) = tokio::join!(count, listen);
        counted?;
        let status = child.wait().await?;
        match walk.reel() {
            Some(reel) => Ok(reel),
            None if status.success() => Err(CaptureError::Failed("there is no video in it".into())),
            None => Err(CaptureError::Failed(reason(&tail.lines()))),
        }
    }

    /// Pictures this film gives at `fps`.
    pub(super) fn frames_at(&self, fps: f64) -> u32 {
        let frames = (self.length.as_secs_f64() * fps).round();
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "clamped to the range; not a number becomes 1"
        )]
        let frames = frames.clamp(1.0, f64::from(MAX_FRAMES)) as u32;
        frames
    }
}

/// The list so far: `stream, dts, pts, duration, size, checksum` a packet, in units of `#tb 0: N/D` seconds.
#[derive(Debug, Default)]
struct Walk {
    /// Seconds a unit.
    unit: f64,
    packets: u32,
    first: Option<i64>,
    end: i64,
}

impl Walk {
    fn line(&mut self, line: &str) {
        if let Some(base) = line.strip_prefix("#tb 0:") {
            let base = base.trim().split_once('/');
            let parsed =
                base.and_then(|(n, d)| Some((n.parse::<f64>().ok()?, d.parse::<f64>().ok()?)));
            self.unit = parsed.map_or(0.0, |(n, d)| n / d);
            return;
        }
        let mut fields = line
            .split(',')
            .map(|field| field.trim().parse::<i64>().ok());
        let (Some(Some(0)), Some(_), Some(Some(pts)), Some(duration)) =
            (fields.next(), fields.next(), fields.next(), fields.next())
        else {
            return;
        };
        self.packets = self.packets.saturating_add(1);
        self.first = Some(self.first.map_or(pts, |first| first.min(pts)));
        self.end = self.end.max(pts.saturating_add(duration.unwrap_or(0)));
    }

    fn reel(&self) -> Option<Reel> {
        let units = self.end.saturating_sub(self.first?);
        #[allow(
            clippy::cast_precision_loss,
            reason = "a film has far fewer than 2^52 units"
        )]
        let seconds = units as f64 * self.unit;
        let length = Duration::try_from_secs_f64(seconds).ok()?;
        // One picture, or all at the same time: there is no rate.
        let fps = (self.packets > 1 && seconds > 0.0).then(|| f64::from(self.packets) / seconds);
        Some(Reel { length, fps })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn walk(list: &str) -> Option<Reel> {
        let mut walk = Walk::default();
        list.lines().for_each(|line| walk.line(line));
        walk.reel()
    }

    #[test]
    fn packets_are_counted_in_whatever_order_they_stand() {
        let list = "#software: Lavf59\n#tb 0: 1/10\n#media_type 0: video\n\
            0,  -2,  0,  2, 100, 0xabc\n0,  0,  6,  2,  50, 0xabc, F=0x0\n0,  2,  2,  2,  50, 0xabc\n0,  4,  4,  2,  50, 0xabc\n";
        let reel = walk(list).unwrap();
        assert_eq!(
            reel,
            Reel {
                length: Duration::from_millis(800),
                fps: Some(5.0)
            }
        );
        assert_eq!(reel.frames_at(10.0), 8);
    }

    #[test]
    fn one_picture_has_no_rate_and_no_picture_no_reel() {
        assert_eq!(walk("#tb 0: 1/25\n0, 0, 0, 1, 9, 0x1\n").unwrap().fps, None);
        assert_eq!(walk("#tb 0: 1/25\n"), None);
        assert_eq!(walk("garbage\n0, x, y\n"), None);
        assert_eq!(
            walk("#tb 0: 1/25\n0, 0, 0, 0, 9, 0x1\n")
                .unwrap()
                .frames_at(10.0),
            1
        );
    }
}
