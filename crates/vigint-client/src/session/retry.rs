//! Which failures are tried again, for how long, and which end the run.

use std::sync::Arc;

use tokio::time::timeout;
use vigint_core::clock::UtcTime;

use super::{RunError, Session};
use crate::backoff::Backoff;
use crate::capture::Camera;
use crate::uplink::ApiError;

/// Tries with `--once` before the server counts as not reachable.
const TRIES_ONCE: u32 = 3;

/// How long it was tried, since it last worked.
pub(super) struct Patience {
    backoff: Backoff,
    tries: u32,
}

impl Patience {
    /// It works.
    pub(super) fn restore(&mut self) {
        self.backoff.reset();
        self.tries = 0;
    }
}

impl<C: Camera> Session<C> {
    pub(super) fn patience(&self) -> Patience {
        Patience {
            backoff: Backoff::of_server().jittered(Arc::clone(&self.around.random)),
            tries: 0,
        }
    }

    /// Makes a request, and lets all sessions know how the server is.
    pub(super) async fn ask<T>(
        &self,
        request: impl Future<Output = Result<T, ApiError>>,
    ) -> Result<T, ApiError> {
        let began = self.around.clock.now();
        let answer = request.await;
        self.learn(began, answer.as_ref().err());
        answer
    }

    pub(super) fn learn(&self, began: UtcTime, failure: Option<&ApiError>) {
        // A run that tries only once tells at its end why it failed.
        if !self.source.options.once {
            self.around.outage.learn(began, failure);
            let is_away = self.around.outage.is_on();
            self.around.room.server_is_away(is_away);
        }
    }

    /// Waits for the next try after a failure that may pass: for as long as the server asked, or longer each time,
    /// but no longer than until another session has reached it. `false`: everything stops.
    ///
    /// # Errors
    /// When the run is to try only so often.
    pub(super) async fn wait_out(
        &self,
        error: ApiError,
        patience: &mut Patience,
    ) -> Result<bool, ApiError> {
        patience.tries += 1;
        if self.source.options.once && patience.tries >= TRIES_ONCE {
            return Err(error);
        }
        let delay = error
            .retry_after()
            .unwrap_or_else(|| patience.backoff.next());
        tokio::select! {
            () = self.around.stop.cancelled() => Ok(false),
            () = self.around.outage.ends() => Ok(true),
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
            let began = self.around.clock.now();
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
            if !self.wait_out(error.clone(), &mut patience).await? {
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
