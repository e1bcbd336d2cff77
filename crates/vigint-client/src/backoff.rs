//! How long to wait before the next try.

use std::time::Duration;

/// Delays that double from the first to the longest.
#[derive(Clone, Debug)]
pub(crate) struct Backoff {
    first: Duration,
    longest: Duration,
    next: Duration,
}

impl Backoff {
    /// Of a server that is away: 250 ms to 30 s.
    pub(crate) fn of_server() -> Self {
        Self::new(Duration::from_millis(250), Duration::from_secs(30))
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
        }
    }

    /// The delay before the next try.
    pub(crate) fn next(&mut self) -> Duration {
        let delay = self.next;
        self.next = (delay * 2).min(self.longest);
        delay
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
}
