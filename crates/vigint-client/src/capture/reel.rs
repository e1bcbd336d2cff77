//! How long a film is and how many pictures a second it has, found by walking through its packets.
//!
//! What a container says of its own length is often wrong or missing, so the packets are counted: ffmpeg
//! copies them into a list (`-f framecrc`) without decoding one, thousands of times faster than the film.

use std::io;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::Command;
use tokio::time::timeout;
use tokio_util::task::AbortOnDropHandle;

use super::CaptureError;
use super::ffmpeg::{FilmPath, ffmpeg, spawn_error};
use super::process_group::ProcessGroup;
use super::reason::reason;
use super::stderr::Tail;
use crate::mask::Mask;

/// A film shown at one frame a second for this long is all we can count.
const MAX_FRAMES: u32 = u32::MAX;

/// For the next packet of a film on a slow disk or a drive in the network. A long film takes as long as it takes.
const NEXT_PACKET: Duration = Duration::from_secs(60);

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
    ///
    /// # Errors
    /// Why it cannot be read; that nothing more of it came for a minute is among that.
    pub(super) async fn measure(
        film: &Path,
        at_most: Option<Duration>,
    ) -> Result<Self, CaptureError> {
        let mut command = ffmpeg();
        command.arg("-i").arg(FilmPath(film).as_argument());
        if let Some(at_most) = at_most {
            command.arg("-t").arg(at_most.as_secs().to_string());
        }
        command.args(["-map", "0:v:0", "-c", "copy"]);
        // Each packet is told when it is read: silence means that none is.
        command.args(["-flush_packets", "1", "-f", "framecrc", "pipe:1"]);
        Self::of_list(command, NEXT_PACKET).await
    }

    /// Reads the list that `command` writes, no entry of which may take longer than `limit`.
    async fn of_list(mut command: Command, limit: Duration) -> Result<Self, CaptureError> {
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = ProcessGroup::spawn(&mut command).map_err(spawn_error)?;
        let (Some(stdout), Some(stderr)) = (child.take_stdout(), child.take_stderr()) else {
            return Err(CaptureError::Ffmpeg(io::ErrorKind::BrokenPipe.into()));
        };
        let hangs = |_| CaptureError::FilmHangs {
            seconds: limit.as_secs(),
        };
        let tail = Tail::default();
        let listener = tail.clone().follow(stderr, Mask::default());
        let listener = AbortOnDropHandle::new(tokio::spawn(listener));
        let mut walk = Walk::default();
        let mut lines = BufReader::new(stdout).lines();
        while let Some(line) = timeout(limit, lines.next_line()).await.map_err(hangs)?? {
            walk.line(&line);
        }
        let status = timeout(limit, child.wait()).await.map_err(hangs)??;
        // The last words may still be in the pipe.
        let _ = timeout(limit, listener).await;
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

    const PATIENCE: Duration = Duration::from_secs(20);

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

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[tokio::test]
    async fn a_film_of_which_nothing_more_comes_is_given_up_and_told_of() {
        let limit = Duration::from_millis(200);
        for script in [
            "sleep 1000",
            "printf '#tb 0: 1/25\\n0, 0, 0, 1, 9, 0x1\\n'; sleep 1000",
            "exec >&-; sleep 1000",
        ] {
            let measured = timeout(PATIENCE, Reel::of_list(shell(script), limit));
            let error = measured.await.expect("it hangs").unwrap_err();
            assert!(
                matches!(error, CaptureError::FilmHangs { .. }),
                "{script}: {error}"
            );
        }
        let said = CaptureError::FilmHangs { seconds: 60 }.to_string();
        assert!(
            said.contains("60 seconds") && said.contains("disk"),
            "{said}"
        );
    }

    #[tokio::test]
    async fn a_film_that_cannot_be_read_is_told_of_in_the_words_of_who_read_it() {
        let failing = shell("echo 'x.mp4: Permission denied' >&2; exit 1");
        let error = Reel::of_list(failing, PATIENCE).await.unwrap_err();
        assert_eq!(error.to_string(), "permission denied");
        let empty = Reel::of_list(shell("exit 0"), PATIENCE).await.unwrap_err();
        assert_eq!(empty.to_string(), "there is no video in it");
    }
}
