//! The last lines that ffmpeg said, masked as they come, bounded in number and length.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncRead, AsyncReadExt as _};
use vigint_core::text::plain_line;

use crate::mask::Mask;

const MAX_LINES: usize = 100;
/// A line longer than this is cut where it stands.
const MAX_LINE_BYTES: usize = 2000;

/// The last lines; filled by [`Tail::follow`].
#[derive(Clone, Debug, Default)]
pub(super) struct Tail {
    lines: Arc<Mutex<VecDeque<String>>>,
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
        let lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        lines.iter().cloned().collect()
    }

    fn keep(&self, line: &[u8], mask: &Mask) {
        // Masked before it is cleaned: cleaning takes addresses apart so that nothing links them.
        let line = plain_line(&mask.apply(&String::from_utf8_lossy(line)));
        if line.is_empty() {
            return;
        }
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.len() == MAX_LINES {
            lines.pop_front();
        }
        lines.push_back(line);
    }
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
}
