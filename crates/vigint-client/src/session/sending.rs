//! From the queue to the server, in order.

use std::sync::atomic::Ordering::Relaxed;

use tokio::sync::mpsc;

use super::{RunError, Session};
use crate::capture::Camera;
use crate::schedule::Schedule;
use crate::uplink::ApiError;

impl<C: Camera> Session<C> {
    /// Sends what is in the queue, in order, and says when an analysis is due.
    pub(super) async fn send(&self, due: mpsc::Sender<()>) -> Result<(), RunError> {
        let options = self.source.options;
        let mut schedule = Schedule::every(options.interval);
        let mut refusal = String::new();
        while let Some(frame) = self.queue.pop().await {
            self.note_queue();
            let sent = self
                .insist(ApiError::may_pass, || self.around.uplink.buffer(&frame))
                .await;
            match sent {
                Ok(_) => {
                    self.counters.sent.fetch_add(1, Relaxed);
                    self.counters.note_sent_bytes(frame.jpeg.len());
                    refusal.clear();
                }
                Err(_) if self.around.stop.is_cancelled() => return Ok(()),
                Err(error) if options.once && error.may_pass() => {
                    return Err(RunError::Unreachable(error));
                }
                Err(error) => {
                    let error = self.unless_fatal(error)?;
                    self.counters.refused.fetch_add(1, Relaxed);
                    let message = error.to_string();
                    if message != refusal {
                        self.tell_error(error.code(), &message);
                        refusal = message;
                    }
                    continue;
                }
            }
            let Some(captured_at) = frame.captured_at else {
                continue;
            };
            if !schedule.is_due(captured_at) {
                continue;
            }
            match (options.once, self.source.location.is_live()) {
                (true, true) => {
                    self.enough.cancel();
                    return Ok(());
                }
                (true, false) => {}
                (false, false) if options.fast => {
                    self.analyse().await?;
                }
                // One may wait while another runs; more would ask about the same frames.
                (false, _) => {
                    let _ = due.try_send(());
                }
            }
        }
        Ok(())
    }
}
