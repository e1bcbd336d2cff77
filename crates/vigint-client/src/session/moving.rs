//! Whether something moves in a source, for whoever looks at its status. Nothing that is sent depends on it.

use bytes::Bytes;
use tokio::sync::watch;
use vigint_core::clock::UtcTime;

use super::Session;
use crate::capture::{Camera, Picture};
use crate::event::Event;
use crate::gate::{DetectorGate, MotionGate as _};

/// The newest picture of a source, for a gate that takes one whenever it is free.
#[derive(Debug, Default)]
pub(super) struct Newest(watch::Sender<Option<(UtcTime, Bytes)>>);

impl Newest {
    /// Takes the place of the one before.
    pub(super) fn show(&self, picture: &Picture) {
        let picture = (picture.captured_at, picture.jpeg.clone());
        self.0.send_replace(Some(picture));
    }
}

impl<C: Camera> Session<C> {
    /// Shows the newest picture to a motion gate, again and again; never ends by itself.
    pub(super) async fn look_for_motion(&self) {
        let Some(Newest(sender)) = &self.newest else {
            return std::future::pending().await;
        };
        let mut newest = sender.subscribe();
        let (mut gate, mut told) = (DetectorGate::default(), None);
        while newest.changed().await.is_ok() {
            let Some((at, jpeg)) = newest.borrow_and_update().clone() else {
                continue;
            };
            // Decoding takes milliseconds, which the async threads do not have.
            let looked = tokio::task::spawn_blocking(move || {
                let sample = gate.look(at, &jpeg);
                (gate, sample)
            });
            let Ok((returned, sample)) = looked.await else {
                // One bad picture has made the decoder panic: another gate goes on.
                gate = DetectorGate::default();
                continue;
            };
            gate = returned;
            self.counters
                .note_motion(sample.as_ref().ok().map(|sample| sample.on));
            if let Ok(sample) = sample {
                let word = (sample.state, sample.on);
                if told.replace(word) != Some(word) {
                    (self.around.events)(Event::motion(at, self.source.id.clone(), &sample));
                }
            }
        }
    }
}
