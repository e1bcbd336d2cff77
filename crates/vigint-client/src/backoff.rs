//! How long to wait before the next try.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::timeout;
use vigint_core::random::Random;

/// Lets so much time pass.
pub(crate) async fn wait(time: Duration) {
    let _ = timeout(time, std::future::pending::<()>()).await;
}

/// Delays that double from the first to the longest.
#[derive(Clone, Debug)]
pub(crate) struct Backoff {
    first: Duration,
    longest: Duration,
    next: Duration,
    random: Option<Arc<dyn Random>>,
}

impl Backoff {
    /// Of a server that is away: 250 ms to 10 s. No longer than what is kept of a camera: a server that is back
    /// would else be waited for while frames are given up.
    pub(crate) fn of_server() -> Self {
        Self::new(Duration::from_millis(250), Duration::from_secs(10))
    }

    /// Of a camera that is away: 1 s to 30 s.
    pub(crate) fn of_camera() -> Self {
        Self::new(Duration::from_secs(1), Duration::from_secs(30))
    }

    fn new(first: Duration, longest: Duration) -> Self {
        Self {
            first,
            longest,
            next: first,
            random: None,
        }
    }

    /// Each delay becomes something between its half and four fifths, so that not all who lost the same server come
    /// back at the same moment, and a camera that is back is never waited for much longer than twenty seconds.
    pub(crate) fn jittered(mut self, random: Arc<dyn Random>) -> Self {
        self.random = Some(random);
        self
    }

    /// The delay before the next try.
    pub(crate) fn next(&mut self) -> Duration {
        let delay = self.next;
        self.next = (delay * 2).min(self.longest);
        match &self.random {
            Some(random) => {
                let mut byte = [0];
                random.fill(&mut byte);
                let [share] = byte;
                delay / 2 + delay * 3 / 10 * u32::from(share) / u32::from(u8::MAX)
            }
            None => delay,
        }
    }

    /// It works again: the next failure begins at the first delay.
    pub(crate) fn reset(&mut self) {
        self.next = self.first;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_double_up_to_the_longest_and_begin_anew_after_health() {
        let mut backoff = Backoff::of_camera();
        let seconds: Vec<u64> = (0..7).map(|_| backoff.next().as_secs()).collect();
        assert_eq!(seconds, [1, 2, 4, 8, 16, 30, 30]);
        backoff.reset();
        assert_eq!(backoff.next().as_secs(), 1);
    }

    #[derive(Debug)]
    struct Always(u8);

    impl Random for Always {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(self.0);
        }
    }

    #[test]
    fn jitter_makes_a_delay_shorter_by_a_fifth_to_a_half() {
        for (byte, millis) in [(0, [125, 250]), (255, [200, 400]), (51, [140, 280])] {
            let mut backoff = Backoff::of_server().jittered(Arc::new(Always(byte)));
            let delays = [0; 2].map(|_| backoff.next().as_millis());
            assert_eq!(delays, millis, "{byte}");
        }
    }
}
