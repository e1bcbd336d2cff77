//! What is told of a session: events, and counters that somebody may look at.

use std::sync::atomic::Ordering::Relaxed;

use vigint_core::clock::UtcTime;
use vigint_video::jpeg;

use super::Session;
use crate::capture::{Camera, Picture};
use crate::event::Event;

impl<C: Camera> Session<C> {
    pub(super) fn tell_opened(&self, picture: &Picture) {
        let (width, height) = match jpeg::inspect(&picture.jpeg, u64::MAX) {
            Ok(info) => (info.width, info.height),
            Err(_) => (0, 0),
        };
        self.tell(|at| Event::SourceOpened {
            at,
            source_id: self.source.id.clone(),
            location: self.source.location.to_string(),
            width,
            height,
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
        self.counters.dropped.store(self.queue.dropped(), Relaxed);
    }
}
