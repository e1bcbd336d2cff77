//! Which failures are tried again, for how long, and which end the run.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::timeout;

use super::{RunError, Session};
use crate::backoff::Backoff;
use crate::capture::Camera;
use crate::outage::Began;
use crate::uplink::ApiError;

/// Tries with `--once` before the server counts as not reachable.
const TRIES_ONCE: u32 = 3;

/// Frames are offered again after this long, whatever was asked: no more of a camera is kept.
pub(super) const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// How long it was tried, since it last worked.
pub(super) struct Patience {
    backoff: Backoff,
    tries: u32,
    /// As often as it came back when the request began that is tried.
    returns: watch::Receiver<u64>,
}

impl Patience {
    /// It works.
    pub(super) fn restore(&mut self) {
        self.backoff.reset();
        self.tries = 0;
        self.returns.mark_unchanged();
    }

    /// How long to wait before the next try: longer each time, and no shorter than was asked within `longest`. What
    /// stands before a server may ask for no pause at all, or for minutes that it will not need.
    fn pause(&mut self, asked: Option<Duration>, longest: Duration) -> Duration {
        let asked = asked.unwrap_or_default().min(longest);
        self.backoff.next().max(asked)
    }
}

impl<C: Camera> Session<C> {
    pub(super) fn patience(&self) -> Patience {
        Patience {
            backoff: Backoff::of_server().jittered(Arc::clone(&self.around.random)),
            tries: 0,
            returns: self.around.outage.returns(),
        }
    }

    /// Makes a request, and lets all sessions know how the server is.
    pub(super) async fn ask<T>(
        &self,
        request: impl Future<Output = Result<T, ApiError>>,
    ) -> Result<T, ApiError> {
        let began = self.around.outage.request_begins();
        let answer = request.await;
        self.learn(began, answer.as_ref().err());
        answer
    }

    pub(super) fn learn(&self, began: Began, failure: Option<&ApiError>) {
        // A run that tries only once tells at its end why it failed.
        if !self.source.options.once {
            let room = &self.around.room;
            let note = |is_away| room.server_is_away(is_away);
            let outage = &self.around.outage;
            outage.learn(&self.source.id, began, failure, note);
        }
    }

    /// Waits for the next try after a failure that may pass: longer each time and for as long as the server asked,
    /// within `longest`, but no longer than until another session has reached it. `false`: everything stops.
    ///
    /// # Errors
    /// When the run is to try only so often.
    pub(super) async fn wait_out(
        &self,
        error: ApiError,
        patience: &mut Patience,
        longest: Duration,
    ) -> Result<bool, ApiError> {
        patience.tries += 1;
        if self.source.options.once && patience.tries >= TRIES_ONCE {
            return Err(error);
        }
        let delay = patience.pause(error.retry_after(), longest);
        tokio::select! {
            () = self.around.stop.cancelled() => Ok(false),
            // The sender lives as long as what all sessions share.
            _ = patience.returns.changed() => Ok(true),
            _ = timeout(delay, std::future::pending::<()>()) => Ok(true),
        }
    }

    /// Asks until it works, fails for good, or everything stops.
    pub(super) async fn insist<T, F: Future<Output = Result<T, ApiError>>>(
        &self,
        tries_again: impl Fn(&ApiError) -> bool,
        attempt: impl Fn() -> F,
    ) -> Result<T, ApiError> {
        let mut patience = self.patience();
        loop {
            let began = self.around.outage.request_begins();
            let error = match attempt().await {
                Err(error) if tries_again(&error) => error,
                // What is not tried again says nothing of the server: an analysis may take too long while frames pass.
                Err(error) => return Err(error),
                Ok(answer) => {
                    self.learn(began, None);
                    return Ok(answer);
                }
            };
            self.learn(began, Some(&error));
            let goes_on = self.wait_out(error.clone(), &mut patience, Duration::MAX);
            if !goes_on.await? {
                return Err(error);
            }
        }
    }

    /// The errors that end a run.
    pub(super) fn unless_fatal(&self, error: ApiError) -> Result<ApiError, RunError> {
        match error {
            ApiError::KeyRefused(_) => Err(RunError::KeyRefused(error)),
            ApiError::Unreachable { .. } | ApiError::NotVigint { .. }
                if self.source.options.once =>
            {
                Err(RunError::Unreachable(error))
            }
            error => Ok(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_server_asks_for_makes_a_pause_neither_shorter_nor_much_longer() {
        let pauses = |asked: Option<u64>| {
            let mut patience = Patience {
                backoff: Backoff::of_server(),
                tries: 0,
                returns: watch::Sender::new(0).subscribe(),
            };
            let asked = asked.map(Duration::from_secs);
            [0; 4].map(|_| patience.pause(asked, LONGEST_PAUSE).as_millis())
        };
        assert_eq!(pauses(None), [250, 500, 1000, 2000]);
        assert_eq!(pauses(Some(0)), [250, 500, 1000, 2000]);
        assert_eq!(pauses(Some(1)), [1000, 1000, 1000, 2000]);
        assert_eq!(pauses(Some(120)), [10_000; 4]);
    }
}
