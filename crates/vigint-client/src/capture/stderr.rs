//! The last lines that ffmpeg said, masked as they come, bounded in number and length.
//!
//! With `-loglevel level+info` each line says its weight. What is only information is not kept, but its `showinfo`
//! filter tells there of each picture that the camera sent, and how large it was before it was made smaller.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::io::{AsyncRead, AsyncReadExt as _};
use vigint_core::text::plain_line;

use crate::mask::Mask;

const MAX_LINES: usize = 100;
/// A line longer than this is cut where it stands.
const MAX_LINE_BYTES: usize = 2000;

/// After so many good pictures a line is forgotten. Those that ffmpeg still had when it said why it ends come after it.
const REMEMBERED_FOR: u64 = 50;

/// How ffmpeg marks information, and what is more than that.
const INFORMATION: &str = "[info] ";
const WEIGHTS: [&str; 4] = ["[warning] ", "[error] ", "[fatal] ", "[panic] "];

/// What ffmpeg has told of a camera's pictures as they were sent: before some are left out and the others made smaller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Native {
    /// How many there were so far.
    pub(super) pictures: u32,
    /// Width and height of the newest, in pixels.
    pub(super) size: (u16, u16),
}

/// The last lines; filled by [`Tail::follow`].
#[derive(Clone, Debug, Default)]
pub(super) struct Tail {
    said: Arc<Mutex<Said>>,
}

#[derive(Debug, Default)]
struct Said {
    /// Each with how many pictures had come when it was said.
    lines: VecDeque<(u64, String)>,
    pictures: u64,
    native: Option<Native>,
}

impl Tail {
    /// Reads until the writer has gone.
    pub(super) async fn follow(self, mut stderr: impl AsyncRead + Unpin, mask: Mask) {
        let mut line = Vec::new();
        let mut chunk = vec![0; 4096];
        while let Ok(count @ 1..) = stderr.read(&mut chunk).await {
            for byte in chunk.iter().take(count) {
                if matches!(byte, b'\n' | b'\r') || line.len() >= MAX_LINE_BYTES {
                    self.keep(&line, &mask);
                    line.clear();
                }
                if !matches!(byte, b'\n' | b'\r') {
                    line.push(*byte);
                }
            }
        }
        self.keep(&line, &mask);
    }

    /// The lines, the newest at the end.
    pub(super) fn lines(&self) -> Vec<String> {
        let said = self.lock();
        said.lines.iter().map(|(_, line)| line.clone()).collect()
    }

    /// A good picture has come: what was said long before it explains nothing that comes later.
    pub(super) fn note_picture(&self) {
        let mut said = self.lock();
        said.pictures += 1;
        let now = said.pictures;
        while said
            .lines
            .front()
            .is_some_and(|(before, _)| before + REMEMBERED_FOR <= now)
        {
            said.lines.pop_front();
        }
    }

    /// What the camera has sent, where ffmpeg was asked to tell.
    pub(super) fn native(&self) -> Option<Native> {
        self.lock().native
    }

    fn lock(&self) -> MutexGuard<'_, Said> {
        self.said.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn keep(&self, line: &[u8], mask: &Mask) {
        let line = String::from_utf8_lossy(line);
        if line.contains(INFORMATION) {
            if let Some(size) = size_of_picture(&line) {
                let mut said = self.lock();
                let before = said.native.map_or(0, |native| native.pictures);
                let pictures = before.saturating_add(1);
                said.native = Some(Native { pictures, size });
            }
            return;
        }
        let line = WEIGHTS.iter().fold(line.into_owned(), |line, weight| {
            line.replacen(weight, "", 1)
        });
        // Masked before it is cleaned: cleaning takes addresses apart so that nothing links them.
        let line = plain_line(&mask.apply(&line));
        if line.is_empty() {
            return;
        }
        let mut said = self.lock();
        if said.lines.len() == MAX_LINES {
            said.lines.pop_front();
        }
        let pictures = said.pictures;
        said.lines.push_back((pictures, line));
    }
}

/// What `showinfo` says of a picture: `[Parsed_showinfo_1 @ …] [info] n: 0 pts: … s:640x360 i:P …`.
fn size_of_picture(line: &str) -> Option<(u16, u16)> {
    let (_, picture) = line
        .split_once("showinfo")?
        .1
        .split_once(INFORMATION)
        .filter(|(_, said)| said.starts_with("n:"))?;
    let size = picture
        .split(' ')
        .find_map(|word| word.strip_prefix("s:"))?;
    let (width, height) = size.split_once('x')?;
    Some((width.parse().ok()?, height.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_last_hundred_lines_are_kept_masked_and_short() {
        let mut said = String::new();
        for n in 0..150 {
            said.push_str(&format!("line {n} of rtsp://u:hunter2@cam/1\r\n"));
        }
        said.push_str(&"x".repeat(10_000));
        let tail = Tail::default();
        let mask = Mask::of("rtsp://u:hunter2@cam/1");
        tail.clone().follow(said.as_bytes(), mask).await;
        let lines = tail.lines();
        assert_eq!(lines.len(), 100);
        assert!(lines.iter().all(|line| line.chars().count() <= 200));
        assert!(!lines.concat().contains("hunter2"));
        assert!(lines.iter().any(|line| line.starts_with("line 149 of")));
    }

    #[tokio::test]
    async fn information_is_not_kept_but_number_and_size_of_pictures_are_learned_from_it() {
        let said = "[Parsed_showinfo_1 @ 0x5] [info] config in time_base: 1/12, frame_rate: s:1x1\n\
            [Parsed_showinfo_1 @ 0x5] [info] n:   0 pts:      0 fmt:yuv420p sar:1/1 s:640x360 i:P iskey:1\n\
            [Parsed_showinfo_1 @ 0x5] [info] n:   1 pts:    100 fmt:yuv420p sar:1/1 s:320x240 i:P iskey:1\n\
            [info] frame=  2 fps=0\n\
            [tcp @ 0x5] [error] Connection refused\n";
        let tail = Tail::default();
        tail.clone().follow(said.as_bytes(), Mask::default()).await;
        let (pictures, size) = (2, (320, 240));
        assert_eq!(tail.native(), Some(Native { pictures, size }));
        assert_eq!(tail.lines(), ["[tcp @ 0x5] Connection refused"]);
    }

    #[tokio::test]
    async fn what_was_said_many_pictures_ago_is_forgotten() {
        let tail = Tail::default();
        let said = "error while decoding\n".as_bytes();
        tail.clone().follow(said, Mask::default()).await;
        for _ in 1..REMEMBERED_FOR {
            tail.note_picture();
        }
        assert_eq!(tail.lines().len(), 1, "it may be why the stream ends");
        tail.note_picture();
        assert!(tail.lines().is_empty());
    }
}
