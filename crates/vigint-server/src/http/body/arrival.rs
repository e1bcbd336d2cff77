//! The arrival of a body: its sender must keep sending.

use std::cell::Cell;
use std::pin::pin;
use std::time::Duration;

use actix_web::error::PayloadError;
use bytes::{Bytes, BytesMut};
use futures_util::{Stream, StreamExt as _};
use tokio::time::{Instant, timeout_at};

use super::budget::STEP;
use crate::http::error::{ApiError, Code};

/// A body that says nothing of its size gets this much room to begin with.
const FIRST_ROOM: usize = 16 * 1024;

/// What is asked of a sender.
pub(super) struct Pace {
    /// The longest it may send nothing.
    pub(super) patience: Duration,
    /// The fewest bytes a second it must manage over all, once `patience` has passed.
    pub(super) slowest_sender: usize,
}

/// Collects a whole body. `make_room` is told of every length that the body reaches before it is kept.
pub(super) async fn collect(
    body: impl Stream<Item = Result<Bytes, PayloadError>> + Unpin,
    announced: Option<usize>,
    pace: &Pace,
    make_room: impl FnMut(usize) -> Result<(), ApiError>,
) -> Result<Bytes, ApiError> {
    let progress = Progress::begin(pace);
    let mut whole = pin!(gather(body, announced, &progress, make_room));
    let mut deadline = progress.deadline();
    // A chunk only notes when it came. Whether it moved the deadline is looked at when the old one has passed:
    // a timer set anew for each chunk would cost more than taking the chunk.
    loop {
        match timeout_at(deadline, whole.as_mut()).await {
            Ok(collected) => return collected,
            Err(_) if progress.deadline() > deadline => deadline = progress.deadline(),
            Err(_) => return Err(ApiError::new(Code::RequestTimeout)),
        }
    }
}

async fn gather(
    mut body: impl Stream<Item = Result<Bytes, PayloadError>> + Unpin,
    announced: Option<usize>,
    progress: &Progress<'_>,
    mut make_room: impl FnMut(usize) -> Result<(), ApiError>,
) -> Result<Bytes, ApiError> {
    // As much as was announced, if that is little: what is kept of a frame then pins no more than its bytes.
    // The room of a larger body grows with it; pages that nothing was written to are not in memory.
    let mut collected = BytesMut::with_capacity(announced.unwrap_or(FIRST_ROOM).min(STEP));
    while let Some(chunk) = body.next().await {
        let chunk = chunk.map_err(|_| ApiError::saying(Code::Malformed, "The body broke off"))?;
        let length = collected.len().saturating_add(chunk.len());
        make_room(length)?;
        progress.note(length);
        collected.extend_from_slice(&chunk);
    }
    Ok(collected.freeze())
}

/// How far a body has come.
struct Progress<'a> {
    pace: &'a Pace,
    began: Instant,
    last_chunk: Cell<Instant>,
    length: Cell<usize>,
}

impl<'a> Progress<'a> {
    fn begin(pace: &'a Pace) -> Self {
        let now = Instant::now();
        Self {
            pace,
            began: now,
            last_chunk: Cell::new(now),
            length: Cell::new(0),
        }
    }

    fn note(&self, length: usize) {
        self.last_chunk.set(Instant::now());
        self.length.set(length);
    }

    /// When the sender has been silent, or slow, for too long.
    fn deadline(&self) -> Instant {
        let length = u64::try_from(self.length.get()).unwrap_or(u64::MAX);
        let slowest = u64::try_from(self.pace.slowest_sender.max(1)).unwrap_or(u64::MAX);
        let earned = Duration::from_millis(length.saturating_mul(1000) / slowest);
        let silent = self.last_chunk.get() + self.pace.patience;
        let slow = self.began + self.pace.patience + earned;
        silent.min(slow)
    }
}

#[cfg(test)]
mod tests {
    use futures_util::stream;
    use tokio::time::interval_at;

    use super::*;

    const PACE: Pace = Pace {
        patience: Duration::from_secs(10),
        slowest_sender: 1000,
    };

    /// What becomes of a body that sends a chunk of `size` bytes at each of these seconds, and after how long.
    async fn sent_at(
        seconds: &'static [u64],
        size: usize,
        ends: bool,
    ) -> (Result<usize, String>, u64) {
        let began = Instant::now();
        let chunks = stream::iter(seconds).then(move |second| async move {
            let at = began + Duration::from_secs(*second);
            interval_at(at, Duration::from_secs(1)).tick().await;
            Ok(Bytes::from(vec![0; size]))
        });
        let body = if ends {
            chunks.boxed_local()
        } else {
            chunks.chain(stream::pending()).boxed_local()
        };
        let collected = collect(body, None, &PACE, |_| Ok(())).await;
        let collected = collected
            .map(|body| body.len())
            .map_err(|error| error.to_string());
        (collected, began.elapsed().as_secs())
    }

    fn too_late() -> Result<usize, String> {
        Err(ApiError::new(Code::RequestTimeout).to_string())
    }

    #[tokio::test(start_paused = true)]
    async fn a_sender_that_falls_silent_is_given_up_after_the_patience_however_much_it_announced() {
        assert_eq!(sent_at(&[], 0, false).await, (too_late(), 10));
        assert_eq!(sent_at(&[0, 4], 1_000_000, false).await, (too_late(), 14));
    }

    #[tokio::test(start_paused = true)]
    async fn a_sender_that_trickles_is_given_up_although_it_is_never_silent() {
        assert_eq!(
            sent_at(&[1, 3, 5, 7, 9, 11, 13, 15], 500, true).await,
            (too_late(), 13)
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_sender_that_keeps_pace_is_waited_for() {
        assert_eq!(
            sent_at(&[5, 13, 21, 29, 37], 8000, true).await,
            (Ok(40_000), 37)
        );
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_is_kept_for_which_there_is_no_room() {
        let chunks = stream::iter([5, 6].map(|size| Ok(Bytes::from(vec![0; size]))));
        let lengths = Cell::new(0);
        let collected = collect(chunks, Some(20), &PACE, |length| {
            lengths.set(length);
            (length <= 10)
                .then_some(())
                .ok_or(ApiError::new(Code::Busy))
        });
        assert!(collected.await.is_err());
        assert_eq!(lengths.get(), 11);
    }
}
