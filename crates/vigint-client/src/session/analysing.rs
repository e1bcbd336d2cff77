//! Asking for analyses: when one is due, and at the end.

use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::timeout;

use super::retry::LONGEST_PAUSE;
use super::{RunError, Session};
use crate::capture::Camera;
use crate::event::Event;
use crate::uplink::ApiError;

impl<C: Camera> Session<C> {
    pub(super) async fn analyse_when_due(
        &self,
        mut dues: mpsc::Receiver<()>,
    ) -> Result<(), RunError> {
        while let Some(()) = dues.recv().await {
            if let Some(delay) = self.analyse().await? {
                let _ = timeout(delay, self.around.stop.cancelled()).await;
            }
        }
        Ok(())
    }

    /// The last look, at the frames that no analysis has covered.
    pub(super) async fn analyse_the_end(&self) -> Result<(), RunError> {
        let wanted = !self.source.location.is_live() || self.source.options.once;
        let is_news = self.counters.sent.load(Relaxed) > self.counters.analysed.load(Relaxed);
        if wanted && is_news && !self.around.stop.is_cancelled() {
            self.analyse().await?;
        }
        Ok(())
    }

    /// One analysis, told as it is: a failure is an error, never an incident. Returns how long the server
    /// asked to be left alone.
    pub(super) async fn analyse(&self) -> Result<Option<Duration>, RunError> {
        let covered = self.counters.sent.load(Relaxed);
        let is_live = self.source.location.is_live();
        // A camera's next analysis comes soon enough. A film waits for the server as its frames do, but
        // the provider's own failures (502, 503) are told at once.
        let tries_again = |error: &ApiError| match error {
            ApiError::Unreachable { .. } | ApiError::NotVigint { .. } => !is_live,
            ApiError::Busy { status, .. } => !is_live && *status == 429,
            _ => false,
        };
        let answer = self
            .insist(tries_again, || self.around.uplink.analyze(&self.source.id))
            .await;
        match answer {
            Ok(answer) => {
                self.around.outage.lets_analyses_pass(&self.source.id);
                self.counters.analysed.store(covered, Relaxed);
                self.counters.set_verdict(answer.verdict.as_str());
                let answer = Box::new(answer);
                self.tell(|at| Event::Analysis { at, answer });
                Ok(None)
            }
            Err(error) => {
                let error = self.unless_fatal(error)?;
                if !self.around.stop.is_cancelled() {
                    let is_news = self.counters.set_verdict(error.code());
                    if self.is_about_analyses(&error, is_news) {
                        self.tell_error(error.code(), &format!("no analysis: {error}"));
                    }
                }
                Ok(error.retry_after().map(|asked| match error.is_of_proxy() {
                    true => asked.min(LONGEST_PAUSE),
                    false => asked,
                }))
            }
        }
    }

    /// Whether a failure is to be told here. That the server is away is told of the server, once its frames know it;
    /// but it may be there and only its analyses take too long, or never come through.
    fn is_about_analyses(&self, error: &ApiError, is_news: bool) -> bool {
        let outage = &self.around.outage;
        if !error.is_away() {
            outage.lets_analyses_pass(&self.source.id);
            return is_news;
        }
        if !self.source.location.is_live() || self.source.options.once {
            return is_news && !outage.is_on();
        }
        let sent = self.counters.sent.load(Relaxed);
        outage.stops_analyses_only(&self.source.id, sent, error.is_late())
    }
}
