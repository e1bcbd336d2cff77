//! One picture and its times.
//!
//! It knows nothing of the ring it stands in, nor of what a JPEG is: the bytes were checked before.

use std::fmt;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use vigint_core::clock::UtcTime;
use vigint_video::motion::MotionSample;

/// A checked JPEG on its way into a ring.
#[derive(Clone)]
pub struct IncomingFrame {
    /// The picture, up to its end marker.
    pub jpeg: Bytes,
    /// Width in pixels.
    pub width: u16,
    /// Height in pixels.
    pub height: u16,
    /// The sender's own running number, given back by analyses.
    pub frame_count: i64,
    /// When it was taken by the camera's clock, if the sender said so.
    pub captured_at: Option<UtcTime>,
    /// What people call the camera, already safe to show; `None` leaves the name as it is.
    pub source_name: Option<String>,
}

impl IncomingFrame {
    /// The same frame, with its JPEG in an allocation that it fills.
    ///
    /// A `Bytes` cut from a request's buffer keeps all of that buffer alive for as long as the frame
    /// lives: the batch it came in, the spare room of a growing body. One copy (129 kB: a few
    /// microseconds) keeps the server's memory at the bytes it counts. Bytes that nobody shares, with no
    /// more than 1/64 of spare room behind them, are taken as they are. Room cut away before them cannot be
    /// seen: who cuts there copies.
    pub(super) fn detached(mut self) -> Self {
        let most = self.jpeg.len() + self.jpeg.len() / 64;
        self.jpeg = match self.jpeg.try_into_mut() {
            Ok(owned) if owned.capacity() <= most => owned.freeze(),
            Ok(roomy) => Bytes::copy_from_slice(&roomy),
            Err(shared) => Bytes::copy_from_slice(&shared),
        };
        self
    }
}

/// Without the picture: a log is no place for one.
impl fmt::Debug for IncomingFrame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "IncomingFrame({}, {} bytes)",
            self.frame_count,
            self.jpeg.len()
        )
    }
}

/// A picture in a ring. Shared by reference count: a snapshot copies none.
pub struct Frame {
    /// The picture.
    pub jpeg: Bytes,
    /// Its place in the ring: `captured_at` when that was believed, else its arrival.
    pub at: UtcTime,
    /// When it was taken, as the sender said it.
    pub captured_at: Option<UtcTime>,
    /// When it arrived, by the server's clock.
    pub arrived_at: UtcTime,
    /// The sender's own running number.
    pub frame_count: i64,
    /// Width in pixels.
    pub width: u16,
    /// Height in pixels.
    pub height: u16,
    /// What the motion gate saw; empty unless it looked and could.
    pub motion: OnceLock<MotionSample>,
    picked: AtomicBool,
}

impl Frame {
    /// The frame that arrived then and belongs at this time.
    #[must_use]
    pub fn new(incoming: IncomingFrame, at: UtcTime, arrived_at: UtcTime) -> Self {
        Self {
            jpeg: incoming.jpeg,
            at,
            captured_at: incoming.captured_at,
            arrived_at,
            frame_count: incoming.frame_count,
            width: incoming.width,
            height: incoming.height,
            motion: OnceLock::new(),
            picked: AtomicBool::new(false),
        }
    }

    /// The same moment with another picture of it. The gate has said nothing of this one.
    #[must_use]
    pub fn with_picture(&self, jpeg: Bytes) -> Self {
        Self {
            jpeg,
            at: self.at,
            captured_at: self.captured_at,
            arrived_at: self.arrived_at,
            frame_count: self.frame_count,
            width: self.width,
            height: self.height,
            motion: OnceLock::new(),
            picked: AtomicBool::new(false),
        }
    }

    /// Says that the gate's word on this moment hangs on this frame.
    pub(crate) fn pick(&self) {
        // Relaxed: readers come by the client's lock, as the writer does.
        self.picked.store(true, Ordering::Relaxed);
    }

    /// Whether the gate's word on this moment hangs on this frame.
    pub(crate) fn is_picked(&self) -> bool {
        self.picked.load(Ordering::Relaxed)
    }
}

/// Without the picture: a log is no place for one.
impl fmt::Debug for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Frame({} at {}, {} bytes)",
            self.frame_count,
            self.at,
            self.jpeg.len()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::super::ring::tests::incoming;
    use super::*;

    fn detached(jpeg: Bytes) -> Bytes {
        IncomingFrame {
            jpeg,
            ..incoming(b"")
        }
        .detached()
        .jpeg
    }

    #[test]
    fn a_slice_of_a_larger_buffer_does_not_keep_that_buffer() {
        let request = Bytes::from(vec![7_u8; 10_000]);
        let kept = detached(request.slice(100..5_000));
        assert_eq!(kept, request.slice(100..5_000));
        assert!(
            request.is_unique(),
            "the frame still holds the request's buffer"
        );
    }

    #[test]
    fn spare_room_is_given_back_and_an_exact_buffer_is_not_copied() {
        let mut roomy = Vec::with_capacity(10_000);
        roomy.extend_from_slice(&[7; 5_000]);
        let kept = detached(Bytes::from(roomy)).try_into_mut().unwrap();
        assert_eq!((kept.len(), kept.capacity()), (5_000, 5_000));

        let exact = Bytes::from(vec![7; 5_000]);
        let address = exact.as_ptr();
        assert_eq!(detached(exact).as_ptr(), address);
    }

    #[test]
    fn a_frame_in_a_log_shows_no_picture() {
        let frame = Frame::new(
            incoming(b"picture"),
            UtcTime::UNIX_EPOCH,
            UtcTime::UNIX_EPOCH,
        );
        assert_eq!(
            format!("{frame:?}"),
            "Frame(1 at 1970-01-01T00:00:00.000Z, 7 bytes)"
        );
    }
}
