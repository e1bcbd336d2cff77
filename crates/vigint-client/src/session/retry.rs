//! Which failures are tried again, for how long, and which end the run.

use tokio::time::timeout;

use super::{RunError, Session};
use crate::backoff::Backoff;
use crate::capture::Camera;
use crate::uplink::ApiError;

/// Tries with `--once` before the server counts as not reachable.
const TRIES_ONCE: u32 = 3;

impl<C: Camera> Session<C> {
    /// Tries until it works, fails for good, or everything stops. The first failure is told, and every one
    /// that differs from the one before.
    pub(super) async fn insist<T, F: Future<Output = Result<T, ApiError>>>(
        &self,
        tries_again: impl Fn(&ApiError) -> bool,
        attempt: impl Fn() -> F,
    ) -> Result<T, ApiError> {
        let mut backoff = Backoff::of_server();
        let mut told = String::new();
        let mut tries = 0;
        loop {
            let error = match attempt().await {
                Err(error) if tries_again(&error) => error,
                done => return done,
            };
            tries += 1;
            if self.source.options.once && tries >= TRIES_ONCE {
                return Err(error);
            }
            let message = error.to_string();
            if message != told {
                self.tell_error(error.code(), &format!("{message}; trying again"));
                told = message;
            }
            let delay = error.retry_after().unwrap_or_else(|| backoff.next());
            if timeout(delay, self.around.stop.cancelled()).await.is_ok() {
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
