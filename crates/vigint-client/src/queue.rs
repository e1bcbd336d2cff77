//! Frames between the camera and the network: bounded in frames and bytes, one reader, one writer.
//!
//! A camera cannot wait: its newest frames win and the oldest are dropped and counted. A film can: its
//! reader is held back and nothing is lost. It must not know where frames come from or go to.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::frame::Frame;

/// What happens when it is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WhenFull {
    /// The oldest frame goes.
    DropOldest,
    /// Whoever pushes waits.
    HoldBack,
}

/// The queue.
#[derive(Debug)]
pub(crate) struct FrameQueue {
    when_full: WhenFull,
    max_frames: usize,
    max_bytes: usize,
    state: Mutex<State>,
    /// A frame came, or no more will.
    arrived: Notify,
    /// A frame went, or no more are wanted.
    freed: Notify,
}

#[derive(Debug, Default)]
struct State {
    frames: VecDeque<Frame>,
    bytes: usize,
    dropped: u64,
    closed: bool,
}

impl FrameQueue {
    /// An empty queue. It takes a single frame of any size even when that is more than `max_bytes`.
    pub(crate) fn new(when_full: WhenFull, max_frames: usize, max_bytes: usize) -> Self {
        Self {
            when_full,
            max_frames: max_frames.max(1),
            max_bytes,
            state: Mutex::default(),
            arrived: Notify::new(),
            freed: Notify::new(),
        }
    }

    /// Adds a frame, when full by dropping or by waiting. A closed queue takes none.
    pub(crate) async fn push(&self, frame: Frame) {
        while !self.has_room_for(&frame) {
            self.freed.notified().await;
        }
        let mut state = self.lock();
        if state.closed {
            return;
        }
        state.bytes += frame.jpeg.len();
        state.frames.push_back(frame);
        while self.is_over(&state) {
            let Some(oldest) = state.frames.pop_front() else {
                break;
            };
            state.bytes -= oldest.jpeg.len();
            state.dropped += 1;
        }
        drop(state);
        self.arrived.notify_one();
    }

    /// The oldest frame; waits for one. `None` when the queue is closed and empty.
    pub(crate) async fn pop(&self) -> Option<Frame> {
        loop {
            {
                let mut state = self.lock();
                if let Some(frame) = state.frames.pop_front() {
                    state.bytes -= frame.jpeg.len();
                    self.freed.notify_one();
                    return Some(frame);
                }
                if state.closed {
                    return None;
                }
            }
            self.arrived.notified().await;
        }
    }

    /// No more frames come; those inside can still be taken.
    pub(crate) fn close(&self) {
        self.lock().closed = true;
        self.arrived.notify_one();
        self.freed.notify_one();
    }

    /// No more frames are wanted: those inside count as dropped.
    pub(crate) fn discard(&self) {
        let mut state = self.lock();
        state.dropped += u64::try_from(state.frames.len()).unwrap_or(u64::MAX);
        state.frames.clear();
        state.bytes = 0;
        drop(state);
        self.close();
    }

    /// Frames inside.
    pub(crate) fn len(&self) -> usize {
        self.lock().frames.len()
    }

    /// Frames dropped so far.
    pub(crate) fn dropped(&self) -> u64 {
        self.lock().dropped
    }

    fn has_room_for(&self, frame: &Frame) -> bool {
        let state = self.lock();
        self.when_full == WhenFull::DropOldest
            || state.closed
            || state.frames.is_empty()
            || (state.frames.len() < self.max_frames
                && state.bytes + frame.jpeg.len() <= self.max_bytes)
    }

    fn is_over(&self, state: &State) -> bool {
        state.frames.len() > 1
            && (state.frames.len() > self.max_frames || state.bytes > self.max_bytes)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    use super::*;

    fn frame(number: i64, bytes: usize) -> Frame {
        Frame {
            number: Some(number),
            ..Frame::from(vec![0; bytes])
        }
    }

    fn is_pending(future: std::pin::Pin<&mut impl Future>) -> bool {
        matches!(
            future.poll(&mut Context::from_waker(Waker::noop())),
            Poll::Pending
        )
    }

    #[tokio::test]
    async fn a_full_queue_of_a_camera_drops_its_oldest_frames_and_counts_them() {
        let queue = FrameQueue::new(WhenFull::DropOldest, 3, 1000);
        for number in 0..5 {
            queue.push(frame(number, 10)).await;
        }
        assert_eq!((queue.len(), queue.dropped()), (3, 2));
        assert_eq!(queue.pop().await.unwrap().number, Some(2));
        queue.push(frame(5, 985)).await;
        assert_eq!(
            (queue.len(), queue.dropped()),
            (2, 3),
            "bytes are bounded too"
        );
        assert_eq!(queue.pop().await.unwrap().number, Some(4));
    }

    #[tokio::test]
    async fn a_full_queue_of_a_film_holds_its_reader_back_and_loses_nothing() {
        let queue = FrameQueue::new(WhenFull::HoldBack, 2, 1000);
        queue.push(frame(0, 10)).await;
        queue.push(frame(1, 10)).await;
        {
            let mut third = pin!(queue.push(frame(2, 10)));
            assert!(is_pending(third.as_mut()));
            assert_eq!(queue.pop().await.unwrap().number, Some(0));
            third.await;
        }
        let mut large = pin!(queue.push(frame(3, 5000)));
        assert!(is_pending(large.as_mut()), "bytes are bounded too");
        assert_eq!(queue.pop().await.unwrap().number, Some(1));
        assert_eq!(queue.pop().await.unwrap().number, Some(2));
        large.await;
        assert_eq!(queue.pop().await.unwrap().number, Some(3));
        assert_eq!(queue.dropped(), 0);
    }

    #[tokio::test]
    async fn a_closed_queue_gives_out_what_it_holds_and_a_discarded_one_nothing() {
        let queue = FrameQueue::new(WhenFull::HoldBack, 9, 1000);
        queue.push(frame(0, 10)).await;
        queue.push(frame(1, 10)).await;
        queue.close();
        queue.push(frame(2, 10)).await;
        assert_eq!(queue.pop().await.unwrap().number, Some(0));
        queue.discard();
        assert!(queue.pop().await.is_none());
        assert_eq!(queue.dropped(), 1);
    }

    #[tokio::test]
    async fn closing_wakes_whoever_waits() {
        let queue = FrameQueue::new(WhenFull::HoldBack, 1, 1000);
        {
            let mut pop = pin!(queue.pop());
            assert!(is_pending(pop.as_mut()));
            queue.close();
            assert!(pop.await.is_none());
        }
        let queue = FrameQueue::new(WhenFull::HoldBack, 1, 1000);
        queue.push(frame(0, 1)).await;
        let mut push = pin!(queue.push(frame(1, 1)));
        assert!(is_pending(push.as_mut()));
        queue.close();
        push.await;
        assert_eq!(queue.len(), 1);
    }
}
