//! The pictures a model is shown: a few of a window, made small, each once.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use tokio::sync::Semaphore;
use vigint_core::clock::UtcTime;
use vigint_video::picture;

use crate::analysis::analyzer::AnalyzerError;
use crate::background;
use crate::buffer::Frame;

/// A request must stay below 18 MB; what is not pictures fits into the rest.
pub(super) const MOST_ENCODED_BYTES: usize = 17_000_000;

/// A picture and when it was taken.
#[derive(Clone, Debug)]
pub(super) struct Picture {
    pub(super) at: UtcTime,
    pub(super) jpeg: Bytes,
}

/// What of an analysis' frames is small already: both looks of one analysis share it. `None` is a picture that
/// cannot be decoded.
#[derive(Clone, Default)]
pub struct SmallPictures {
    by_time: Arc<Mutex<HashMap<UtcTime, Option<Bytes>>>>,
}

impl SmallPictures {
    /// The frame with its small picture, if there is one.
    pub(in crate::analysis) fn of(&self, frame: &Arc<Frame>) -> Arc<Frame> {
        match self.lock().get(&frame.at) {
            Some(Some(jpeg)) => Arc::new(frame.with_picture(jpeg.clone())),
            Some(None) | None => Arc::clone(frame),
        }
    }

    /// Those of these frames alone.
    pub(in crate::analysis) fn only(&self, frames: &[Arc<Frame>]) -> Self {
        let all = self.lock();
        let entry = |frame: &Arc<Frame>| Some((frame.at, all.get(&frame.at)?.clone()));
        Self {
            by_time: Arc::new(Mutex::new(frames.iter().filter_map(entry).collect())),
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<UtcTime, Option<Bytes>>> {
        self.by_time.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Makes pictures small.
pub(super) struct Shrinker {
    longest_side: u16,
    /// One permit for each thread that may be at it.
    threads: Arc<Semaphore>,
}

impl Shrinker {
    /// To at most so many pixels a side, on at most so many threads (at least one).
    pub(super) fn new(longest_side: u16, threads: usize) -> Self {
        Self {
            longest_side,
            threads: Arc::new(Semaphore::new(threads.max(1))),
        }
    }

    /// At most `most` of these frames, the first and the last among them, small enough together for one request. A few
    /// that cannot be decoded are left out.
    ///
    /// # Errors
    /// When most cannot be decoded: nobody knows then what happened.
    pub(super) async fn choose(
        &self,
        frames: &[Arc<Frame>],
        most: usize,
        small: &SmallPictures,
    ) -> Result<Vec<Picture>, AnalyzerError> {
        let chosen: Vec<Arc<Frame>> = evenly(frames, most).cloned().collect();
        self.shrink(&chosen, small).await?;
        let made = small.lock();
        let pictures: Vec<Picture> = chosen
            .iter()
            .filter_map(|frame| {
                let jpeg = made.get(&frame.at)?.clone()?;
                Some(Picture { at: frame.at, jpeg })
            })
            .collect();
        AnalyzerError::unless_decoded(pictures.len(), chosen.len())?;
        Ok(fitting(pictures, MOST_ENCODED_BYTES))
    }

    async fn shrink(
        &self,
        chosen: &[Arc<Frame>],
        small: &SmallPictures,
    ) -> Result<(), AnalyzerError> {
        let missing: Vec<Arc<Frame>> = {
            let made = small.lock();
            let is_missing = |frame: &&Arc<Frame>| !made.contains_key(&frame.at);
            chosen.iter().filter(is_missing).cloned().collect()
        };
        // One by one: clients take turns, and nothing goes on for an analysis that nobody waits for any more.
        for frame in missing {
            // Never closed: an error would only mean that nobody counts any more.
            let permit = Arc::clone(&self.threads).acquire_owned().await.ok();
            let (longest_side, at) = (self.longest_side, frame.at);
            let work = background::run("pictures", move || {
                // Held until the thread is done.
                let _permit = permit;
                picture::shrink(&frame.jpeg, longest_side)
            });
            let made = work
                .await
                .map_err(|failure| AnalyzerError::Failed(failure.to_string()))?;
            let made = made
                .inspect_err(|error| tracing::debug!(%error, "a picture is left out"))
                .ok();
            small.lock().insert(at, made);
        }
        Ok(())
    }
}

/// At most `most` of these, evenly spread, the first and the last among them; the last, when it is to be one.
pub(in crate::analysis) fn evenly<T>(all: &[T], most: usize) -> impl Iterator<Item = &T> {
    let last = all.len().saturating_sub(1);
    let count = most.max(1).min(all.len());
    let steps = count.saturating_sub(1);
    (0..count).filter_map(move |step| {
        // Rounded to the nearest place.
        let place = (step * last + steps / 2).checked_div(steps);
        all.get(place.unwrap_or(last))
    })
}

/// As many of these as fit, evenly spread.
pub(super) fn fitting(pictures: Vec<Picture>, most_bytes: usize) -> Vec<Picture> {
    let mut kept = pictures;
    while kept.len() > 2 && encoded_bytes(&kept) > most_bytes {
        let fewer = (kept.len() * 9 / 10).max(2);
        kept = evenly(&kept, fewer).cloned().collect();
    }
    kept
}

/// How many bytes they have as base64.
fn encoded_bytes(pictures: &[Picture]) -> usize {
    pictures
        .iter()
        .map(|picture| picture.jpeg.len().div_ceil(3) * 4)
        .sum()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use vigint_testkit::scene::noise_frame;

    use super::*;
    use crate::buffer::IncomingFrame;

    #[test]
    fn frames_are_spread_evenly_and_the_ends_are_among_them() {
        let places = |count: usize, most| -> Vec<usize> {
            let all: Vec<usize> = (0..count).collect();
            evenly(&all, most).copied().collect()
        };
        assert_eq!(places(30, 4), [0, 10, 19, 29]);
        assert_eq!(places(100, 8), [0, 14, 28, 42, 57, 71, 85, 99]);
        assert_eq!(places(3, 8), [0, 1, 2]);
        assert_eq!(places(9, 2), [0, 8]);
        assert_eq!(places(9, 1), [8]);
        assert_eq!(places(9, 0), [8]);
        assert_eq!(places(1, 8), [0]);
        assert!(places(0, 8).is_empty());
    }

    proptest! {
        #[test]
        fn no_frame_is_taken_twice(count in 1_usize..400, most in 2_usize..130) {
            let all: Vec<usize> = (0..count).collect();
            let taken: Vec<usize> = evenly(&all, most).copied().collect();
            prop_assert_eq!(taken.len(), most.min(count));
            prop_assert!(taken.windows(2).all(|pair| pair[0] < pair[1]));
            prop_assert_eq!((taken.first(), taken.last()), (Some(&0), Some(&(count - 1))));
        }
    }

    #[tokio::test]
    async fn each_frame_is_made_small_once_for_both_looks() {
        let frame = |number: i64| {
            let at = UtcTime::UNIX_EPOCH.plus_millis(number * 100);
            let seed = u64::try_from(number).unwrap();
            let incoming = IncomingFrame {
                jpeg: Bytes::from(noise_frame(seed, 64, 48)),
                width: 64,
                height: 48,
                frame_count: number,
                captured_at: None,
                source_name: None,
            };
            Arc::new(Frame::new(incoming, at, at))
        };
        let frames: Vec<_> = (0..4).map(frame).collect();
        let (shrinker, small) = (Shrinker::new(768, 1), SmallPictures::default());
        let screen = shrinker.choose(&frames[2..], 8, &small).await.unwrap();
        let confirm = shrinker.choose(&frames, 8, &small).await.unwrap();
        assert_eq!((screen.len(), confirm.len()), (2, 4));
        for (of_screen, of_confirm) in screen.iter().zip(&confirm[2..]) {
            // The same bytes in memory, not equal ones.
            assert_eq!(of_screen.jpeg.as_ptr(), of_confirm.jpeg.as_ptr());
        }
    }

    #[test]
    fn a_request_that_would_be_too_large_has_fewer_pictures() {
        let picture = |number: i64| Picture {
            at: UtcTime::from_unix_millis(number),
            jpeg: Bytes::from(vec![0; 3_000]),
        };
        let all: Vec<Picture> = (0..64).map(picture).collect();
        assert_eq!(fitting(all.clone(), 64 * 4_000).len(), 64);
        let fewer = fitting(all.clone(), 100_000);
        assert!((20..=25).contains(&fewer.len()), "{}", fewer.len());
        let ends = (fewer.first().map(|p| p.at), fewer.last().map(|p| p.at));
        assert_eq!(ends, (Some(all[0].at), Some(all[63].at)));
        assert_eq!(fitting(all, 1).len(), 2);
    }
}
