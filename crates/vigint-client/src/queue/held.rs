//! What one queue holds, behind a lock of its own, so that the room that several queues share can take from it.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;

use super::thinning::Thinning;
use crate::frame::Frame;

/// What is in a queue, and what became of the rest.
#[derive(Debug, Default)]
pub(super) struct Held(Mutex<State>);

#[derive(Debug, Default)]
pub(super) struct State {
    frames: VecDeque<Frame>,
    bytes: usize,
    pub(super) dropped: u64,
    pub(super) thinned: u64,
    pub(super) closed: bool,
    /// Nothing is wanted any more.
    pub(super) discarded: bool,
    /// Of a camera only.
    pub(super) thinning: Option<Thinning>,
}

impl Held {
    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    pub(super) fn len(&self) -> usize {
        self.frames.len()
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn is_empty(&self) -> bool {
        self.frames.is_empty()
    }

    pub(super) fn front(&self) -> Option<&Frame> {
        self.frames.front()
    }

    /// Time from the oldest frame to the newest; nothing where a clock was set back.
    pub(super) fn span(&self) -> Duration {
        let oldest = self.frames.front().and_then(|frame| frame.captured_at);
        let newest = self.frames.back().and_then(|frame| frame.captured_at);
        match (oldest, newest) {
            (Some(oldest), Some(newest)) => newest.since(oldest),
            _ => Duration::ZERO,
        }
    }

    /// Whether this frame is one of those that go on, when not all can.
    pub(super) fn admits(&mut self, frame: &Frame, is_server_away: bool) -> bool {
        let span = self.span();
        let admits = match (&mut self.thinning, frame.captured_at) {
            (Some(thinning), Some(at)) => thinning.admits(at, span, is_server_away),
            _ => true,
        };
        self.thinned += u64::from(!admits);
        admits
    }

    /// Adds the newest. Its picture comes into an allocation that it fills: cut from a reader's buffer it would keep
    /// all of that alive, and be many times as large as it says.
    pub(super) fn add(&mut self, mut frame: Frame) {
        frame.jpeg = Bytes::copy_from_slice(&frame.jpeg);
        self.bytes += frame.jpeg.len();
        self.frames.push_back(frame);
    }

    /// Adds what becomes the oldest again.
    pub(super) fn put_back(&mut self, frames: Vec<Frame>) {
        for frame in frames.into_iter().rev() {
            self.bytes += frame.jpeg.len();
            self.frames.push_front(frame);
        }
    }

    /// Takes out the oldest.
    pub(super) fn take(&mut self) -> Option<Frame> {
        let frame = self.frames.pop_front()?;
        self.bytes -= frame.jpeg.len();
        Some(frame)
    }

    /// Gives up the oldest.
    pub(super) fn drop_oldest(&mut self) {
        if self.take().is_some() {
            self.dropped += 1;
        }
    }

    /// Gives up all.
    pub(super) fn drop_all(&mut self) {
        while !self.is_empty() {
            self.drop_oldest();
        }
    }
}
