//! What is told of a session: events, and counters that somebody may look at.

use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use vigint_core::clock::UtcTime;
use vigint_video::jpeg;

use super::restarts::Loss;
use super::{RunError, Session};
use crate::capture::{Camera, CaptureError, Picture};
use crate::event::Event;
use crate::uplink::ApiError;

impl<C: Camera> Session<C> {
    /// Its first picture is there `now`, on [`vigint_core::clock::Clock::elapsed`].
    pub(super) fn tell_opened(&self, picture: &Picture, lost: Option<Loss>, now: Duration) {
        let (width, height) = match jpeg::inspect(&picture.jpeg, u64::MAX) {
            Ok(info) => (info.width, info.height),
            Err(_) => (0, 0),
        };
        if let Some(seat) = &self.seat {
            seat.opened();
        }
        self.tell(|at| Event::SourceOpened {
            at,
            source_id: self.source.id.clone(),
            location: self.source.location.to_string(),
            width,
            height,
            away_seconds: lost.map(|lost| now.saturating_sub(lost.since).as_secs()),
            tries: lost.map_or(1, |lost| lost.tries),
        });
    }

    /// That a source shows nothing: since now, or still. `untold` failures were like it and not told. Whether it
    /// `goes_on` must be known: who is not told so takes it for given up.
    pub(super) fn tell_failure(&self, reason: &str, untold: u32, was_open: bool, goes_on: bool) {
        let cannot = if was_open { "" } else { " cannot be opened" };
        let mut message = format!("{}{cannot}: {reason}", self.source.location);
        if untold > 0 {
            message.push_str(&format!(
                " (and {untold} more failures since the last one told)"
            ));
        }
        if goes_on {
            message.push_str("; trying again");
        }
        self.tell_error("source_failed", &message);
    }

    /// That a source cannot be opened, and is not tried again.
    pub(super) fn tell_cannot_open(&self, error: &CaptureError) {
        self.tell_failure(&error.to_string(), 0, false, false);
    }

    /// That no more comes of it.
    pub(super) fn tell_ended(&self) {
        self.note_queue();
        self.tell(|at| Event::SourceEnded {
            at,
            source_id: self.source.id.clone(),
            frames_sent: self.counters.sent.load(Relaxed),
            frames_dropped: self.counters.dropped.load(Relaxed),
            frames_thinned: self.counters.thinned.load(Relaxed),
            frames_refused: self.counters.refused.load(Relaxed),
        });
    }

    /// What ended the run, and what became of its frames.
    pub(super) fn tell_end(&self, result: &Result<(), RunError>) {
        match result {
            Err(RunError::CannotOpen(_)) => return,
            Err(RunError::KeyRefused(error)) if self.around.outage.is_first_refusal_of_key() => {
                self.tell_of_server(error);
            }
            Err(RunError::Unreachable(error)) => self.tell_of_server(error),
            _ => {}
        }
        self.tell_ended();
    }

    /// What is about the server and not about this source.
    fn tell_of_server(&self, error: &ApiError) {
        self.tell(|at| Event::Error {
            at,
            source_id: None,
            code: error.code().to_owned(),
            message: error.to_string(),
        });
    }

    pub(super) fn tell_error(&self, code: &str, message: &str) {
        self.tell(|at| Event::Error {
            at,
            source_id: Some(self.source.id.clone()),
            code: code.to_owned(),
            message: message.to_owned(),
        });
    }

    pub(super) fn tell(&self, event: impl FnOnce(UtcTime) -> Event) {
        (self.around.events)(event(self.around.clock.now()));
    }

    pub(super) fn note_queue(&self) {
        self.counters.queued.store(self.queue.len(), Relaxed);
        self.counters.thinned.store(self.queue.thinned(), Relaxed);
        let dropped = self.queue.dropped();
        let before = self.counters.dropped.swap(dropped, Relaxed);
        if dropped > before {
            self.around
                .outage
                .count_lost(&self.source.id, dropped - before);
        }
    }
}
