//! Frames between the camera and the network: bounded in frames, bytes and time, one reader, one writer.
//!
//! A camera cannot wait: where not all its frames can go on they are thinned evenly on their way in ([`thinning`]),
//! and where that does not do its newest win and the oldest are dropped and counted. A film can: its reader is held
//! back and nothing is lost. What all queues hold together is bounded by [`Room`]. It must not know where frames come
//! from or go to.

mod held;
mod room;
mod thinning;

use std::sync::{Arc, MutexGuard};
use std::time::Duration;

use tokio::sync::Notify;

use self::held::{Held, State};
use self::thinning::Thinning;
use crate::frame::Frame;

pub(crate) use self::room::Room;

/// What happens when it is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WhenFull {
    /// The oldest frame goes.
    DropOldest,
    /// Whoever pushes waits.
    HoldBack,
}

/// How much is taken together.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    pub(crate) frames: usize,
    pub(crate) bytes: usize,
}

impl Bounds {
    /// One frame, of any size.
    pub(crate) const ONE: Self = Self {
        frames: 1,
        bytes: usize::MAX,
    };
}

/// The queue.
#[derive(Debug)]
pub(crate) struct FrameQueue {
    when_full: WhenFull,
    most: Bounds,
    /// The longest time from the oldest frame to the newest.
    max_span: Duration,
    held: Arc<Held>,
    room: Arc<Room>,
    /// A frame came, or no more will.
    arrived: Notify,
    /// A frame went, or no more are wanted.
    freed: Notify,
}

impl FrameQueue {
    /// An empty queue of a camera that shows `fps`: frames older than the newest by more than `max_span` go, too.
    pub(crate) fn of_camera(fps: f64, most: Bounds, max_span: Duration, room: &Arc<Room>) -> Self {
        let queue = Self::new(WhenFull::DropOldest, most, max_span, room);
        queue.lock().thinning = Some(Thinning::of(fps));
        queue
    }

    /// An empty queue of a film.
    pub(crate) fn of_film(most: Bounds, room: &Arc<Room>) -> Self {
        Self::new(WhenFull::HoldBack, most, Duration::MAX, room)
    }

    /// It takes a single frame of any size even when that is more than allowed.
    fn new(when_full: WhenFull, most: Bounds, max_span: Duration, room: &Arc<Room>) -> Self {
        let held: Arc<Held> = Arc::default();
        room.join(&held, when_full == WhenFull::DropOldest);
        Self {
            when_full,
            most,
            max_span,
            held,
            room: Arc::clone(room),
            arrived: Notify::new(),
            freed: Notify::new(),
        }
    }

    /// Adds a frame, when full by dropping or by waiting. A closed queue takes none.
    pub(crate) async fn push(&self, frame: Frame) {
        while !self.has_room_for(&frame) {
            self.freed.notified().await;
        }
        {
            let mut state = self.lock();
            if state.closed || !state.admits(&frame, self.room.is_server_away()) {
                return;
            }
            state.add(frame);
            self.drop_what_is_over(&mut state);
        }
        self.room.make_room();
        self.arrived.notify_one();
    }

    /// Frames that were taken and could not be handed over are the oldest again. Of a camera they go first when newer
    /// ones have taken their place meanwhile.
    pub(crate) fn put_back(&self, frames: Vec<Frame>) {
        {
            let mut state = self.lock();
            state.put_back(frames);
            if state.discarded {
                state.drop_all();
            }
            self.drop_what_is_over(&mut state);
        }
        self.room.make_room();
    }

    /// The oldest frame; waits for one. `None` when the queue is closed and empty.
    pub(crate) async fn pop(&self) -> Option<Frame> {
        self.pop_several(Bounds::ONE, |_| true).await?.pop()
    }

    /// The oldest frames, as many as are there and within `most`, none after the first that is the `last`; waits for
    /// one. `None` when the queue is closed and empty.
    pub(crate) async fn pop_several(
        &self,
        most: Bounds,
        mut last: impl FnMut(&Frame) -> bool,
    ) -> Option<Vec<Frame>> {
        loop {
            {
                let mut state = self.lock();
                let mut taken = Vec::new();
                let mut bytes = 0;
                while let Some(next) = state.front() {
                    bytes += next.jpeg.len();
                    if !taken.is_empty() && (taken.len() >= most.frames || bytes > most.bytes) {
                        break;
                    }
                    let ends = last(next);
                    taken.extend(state.take());
                    if ends {
                        break;
                    }
                }
                if !taken.is_empty() {
                    self.freed.notify_one();
                    return Some(taken);
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
        state.drop_all();
        state.discarded = true;
        drop(state);
        self.close();
    }

    /// Learns whether the server asks for less.
    pub(crate) fn server_is_busy(&self, is_busy: bool) {
        if let Some(thinning) = &mut self.lock().thinning {
            thinning.server_is_busy(is_busy);
        }
    }

    /// Frames inside.
    pub(crate) fn len(&self) -> usize {
        self.lock().len()
    }

    /// Frames dropped so far.
    pub(crate) fn dropped(&self) -> u64 {
        self.lock().dropped
    }

    /// Frames that were not let in so far, so that others could go on.
    pub(crate) fn thinned(&self) -> u64 {
        self.lock().thinned
    }

    fn has_room_for(&self, frame: &Frame) -> bool {
        let (frames, bytes) = {
            let state = self.lock();
            if self.when_full == WhenFull::DropOldest || state.closed || state.is_empty() {
                return true;
            }
            (state.len(), state.bytes())
        };
        frames < self.most.frames
            && bytes + frame.jpeg.len() <= self.most.bytes
            && !self.room.has_no_room_for(frame.jpeg.len())
    }

    fn drop_what_is_over(&self, state: &mut State) {
        let is_over = |state: &State| {
            state.len() > 1
                && (state.len() > self.most.frames
                    || state.bytes() > self.most.bytes
                    || state.span() > self.max_span)
        };
        while self.when_full == WhenFull::DropOldest && is_over(state) {
            state.drop_oldest();
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.held.lock()
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    use vigint_core::clock::UtcTime;

    use super::*;

    /// Of a camera that shows one a second: nothing is to be thinned.
    fn frame(number: i64, bytes: usize) -> Frame {
        Frame {
            number: Some(number),
            captured_at: Some(UtcTime::from_unix_seconds(number)),
            ..Frame::from(vec![0; bytes])
        }
    }

    fn camera(frames: usize, bytes: usize) -> FrameQueue {
        camera_in(&Arc::default(), frames, bytes)
    }

    fn camera_in(room: &Arc<Room>, frames: usize, bytes: usize) -> FrameQueue {
        let most = Bounds { frames, bytes };
        FrameQueue::of_camera(1.0, most, Duration::from_secs(10), room)
    }

    fn film(frames: usize, bytes: usize) -> FrameQueue {
        FrameQueue::of_film(Bounds { frames, bytes }, &Arc::default())
    }

    fn numbers(frames: Option<Vec<Frame>>) -> Vec<i64> {
        let frames = frames.unwrap_or_default();
        frames.iter().map(|frame| frame.number.unwrap()).collect()
    }

    fn is_pending(future: std::pin::Pin<&mut impl Future>) -> bool {
        matches!(
            future.poll(&mut Context::from_waker(Waker::noop())),
            Poll::Pending
        )
    }

    #[tokio::test]
    async fn a_full_queue_of_a_camera_drops_its_oldest_frames_and_counts_them() {
        let queue = camera(3, 1000);
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
        let queue = film(2, 1000);
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
    async fn a_frame_that_is_put_back_is_the_oldest_again_and_the_first_to_go() {
        let (film, camera) = (film(2, 1000), camera(2, 1000));
        for queue in [&film, &camera] {
            queue.push(frame(0, 10)).await;
            queue.push(frame(1, 10)).await;
            let taken = queue.pop().await.unwrap();
            queue.push(frame(2, 10)).await;
            queue.put_back(vec![taken]);
        }
        assert_eq!((film.len(), film.dropped()), (3, 0));
        assert_eq!(film.pop().await.unwrap().number, Some(0));
        assert_eq!((camera.len(), camera.dropped()), (2, 1));
        let taken = camera.pop().await.unwrap();
        assert_eq!(taken.number, Some(1));
        camera.discard();
        camera.put_back(vec![taken]);
        assert_eq!((camera.len(), camera.dropped()), (0, 3), "nobody wants it");
    }

    #[tokio::test]
    async fn a_closed_queue_gives_out_what_it_holds_and_a_discarded_one_nothing() {
        let queue = film(9, 1000);
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
        let queue = film(1, 1000);
        {
            let mut pop = pin!(queue.pop());
            assert!(is_pending(pop.as_mut()));
            queue.close();
            assert!(pop.await.is_none());
        }
        let queue = film(1, 1000);
        queue.push(frame(0, 1)).await;
        let mut push = pin!(queue.push(frame(1, 1)));
        assert!(is_pending(push.as_mut()));
        queue.close();
        push.await;
        assert_eq!(queue.len(), 1);
    }

    #[tokio::test]
    async fn several_are_taken_in_order_within_bounds_and_none_after_the_last() {
        let queue = film(100, 10_000);
        for number in 0..10 {
            queue.push(frame(number, 100)).await;
        }
        let most = |frames, bytes| Bounds { frames, bytes };
        let never = |_: &Frame| false;
        assert_eq!(
            numbers(queue.pop_several(most(3, 5000), never).await),
            [0, 1, 2]
        );
        assert_eq!(
            numbers(queue.pop_several(most(9, 299), never).await),
            [3, 4]
        );
        assert_eq!(
            numbers(queue.pop_several(most(9, 1), never).await),
            [5],
            "one at least"
        );
        let sixth = |frame: &Frame| frame.number == Some(6);
        assert_eq!(numbers(queue.pop_several(most(9, 5000), sixth).await), [6]);
        assert_eq!(
            numbers(queue.pop_several(most(9, 5000), never).await),
            [7, 8, 9]
        );
    }

    #[tokio::test]
    async fn of_a_camera_the_newest_seconds_are_kept_however_few_frames_they_are() {
        let queue = camera(100, 10_000);
        for number in 0..=20 {
            queue.push(frame(number, 10)).await;
        }
        assert_eq!(
            numbers(queue.pop_several(Bounds::ONE, |_| true).await),
            [10]
        );
        assert_eq!((queue.len(), queue.dropped()), (10, 10));
    }

    #[tokio::test]
    async fn a_frame_that_waits_holds_no_more_memory_than_its_picture() {
        let chunk = bytes::Bytes::from(vec![7; 64 * 1024]);
        let queue = camera(100, 10_000);
        queue
            .push(Frame {
                captured_at: Some(UtcTime::UNIX_EPOCH),
                ..Frame::from(chunk.slice(100..200))
            })
            .await;
        assert!(chunk.is_unique(), "the chunk it was cut from is held");
        let kept = queue.pop().await.unwrap().jpeg.try_into_mut().unwrap();
        assert_eq!((kept.len(), kept.capacity()), (100, 100));
    }

    #[tokio::test]
    async fn over_all_queues_the_one_that_holds_most_gives_its_oldest() {
        let room = Arc::new(Room::of(1000));
        let (large, small) = (camera_in(&room, 100, 9000), camera_in(&room, 100, 9000));
        let film = FrameQueue::of_film(
            Bounds {
                frames: 9,
                bytes: 9000,
            },
            &room,
        );
        film.push(frame(0, 300)).await;
        for number in 0..3 {
            small.push(frame(number, 50)).await;
            large.push(frame(number, 100)).await;
        }
        for number in 3..6 {
            large.push(frame(number, 100)).await;
        }
        assert_eq!(
            (large.dropped(), small.dropped(), film.dropped()),
            (1, 0, 0)
        );
        small.push(frame(3, 250)).await;
        assert_eq!((large.len(), small.len()), (3, 4), "twice more");
        assert_eq!(large.pop().await.unwrap().number, Some(3));
        let mut held_back = pin!(film.push(frame(1, 300)));
        assert!(is_pending(held_back.as_mut()), "a film waits");
        assert_eq!(film.pop().await.unwrap().number, Some(0));
        held_back.await;
        drop((large, small));
        assert!(!room.has_no_room_for(700), "what is gone holds nothing");
    }

    #[tokio::test]
    async fn a_camera_is_thinned_before_anything_is_dropped_and_a_film_never() {
        let tenth = |number: i64| Frame {
            captured_at: Some(UtcTime::from_unix_millis(number * 100)),
            ..frame(number, 10)
        };
        let most = Bounds {
            frames: 100,
            bytes: 10_000,
        };
        let camera = FrameQueue::of_camera(10.0, most, Duration::from_secs(10), &Arc::default());
        for number in 0..100 {
            camera.push(tenth(number)).await;
        }
        assert_eq!(camera.dropped(), 0);
        assert_eq!(camera.thinned() + u64::try_from(camera.len()).unwrap(), 100);
        assert!((30..50).contains(&camera.len()), "{}", camera.len());
        let film = film(1000, 10_000);
        for number in 0..100 {
            film.push(tenth(number)).await;
        }
        assert_eq!((film.len(), film.thinned()), (100, 0));
    }
}
