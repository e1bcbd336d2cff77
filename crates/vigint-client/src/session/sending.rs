//! From the queue to the server, in order: a frame that waits alone by itself, several together.

use std::sync::atomic::Ordering::Relaxed;

use tokio::sync::mpsc;

use super::together::Together;
use super::{RunError, Session};
use crate::capture::Camera;
use crate::frame::Frame;
use crate::queue::Bounds;
use crate::schedule::Schedule;
use crate::uplink::ApiError;

/// What became of frames that the server was offered.
enum Handed {
    Over,
    /// Not together, but perhaps each by itself.
    NotTogether,
}

impl<C: Camera> Session<C> {
    /// Sends what is in the queue, in order, and says when an analysis is due.
    pub(super) async fn send(&self, due: mpsc::Sender<()>) -> Result<(), RunError> {
        let mut schedule = Schedule::every(self.source.options.interval);
        let mut patience = self.patience();
        let mut refusal = String::new();
        // So many of those that come next are to go by themselves.
        let mut alone: usize = 0;
        let mut together = Together::default();
        loop {
            let most = if alone > 0 || !self.around.uplink.takes_batches() {
                Bounds::ONE
            } else {
                together.most()
            };
            let Some(frames) = self.next_frames(most, &schedule).await else {
                return Ok(());
            };
            self.note_queue();
            let error = match self.hand_over(&frames, &mut together).await {
                Ok(Handed::Over) => {
                    alone = alone.saturating_sub(1);
                    self.queue.server_is_busy(false);
                    patience.restore();
                    refusal.clear();
                    if !self.after_sending(&frames, &mut schedule, &due).await? {
                        return Ok(());
                    }
                    continue;
                }
                Ok(Handed::NotTogether) => {
                    alone = frames.len();
                    self.queue.put_back(frames);
                    continue;
                }
                Err(error) => error,
            };
            if error.may_pass() {
                // Back to the others: should it take long, newer ones are worth more.
                self.queue.put_back(frames);
                self.note_queue();
                self.queue.server_is_busy(!error.is_away());
                let waited = self.wait_out(error, &mut patience).await;
                if !waited.map_err(RunError::Unreachable)? {
                    return Ok(());
                }
                continue;
            }
            alone = alone.saturating_sub(1);
            let error = self.unless_fatal(error)?;
            self.counters.refused.fetch_add(count_of(&frames), Relaxed);
            let message = error.to_string();
            if message != refusal {
                self.tell_error(error.code(), &message);
                refusal = message;
            }
        }
    }

    /// What is sent next: no more together than up to the first frame that completes an interval between analyses.
    async fn next_frames(&self, most: Bounds, schedule: &Schedule) -> Option<Vec<Frame>> {
        let mut ahead = schedule.clone();
        let completes = |frame: &Frame| frame.captured_at.is_some_and(|at| ahead.is_due(at));
        self.queue.pop_several(most, completes).await
    }

    async fn hand_over(
        &self,
        frames: &[Frame],
        together: &mut Together,
    ) -> Result<Handed, ApiError> {
        let uplink = &self.around.uplink;
        if let [frame] = frames {
            return self.ask(uplink.buffer(frame)).await.map(|_| Handed::Over);
        }
        let clock = &self.around.clock;
        let (began, since) = (clock.now(), clock.elapsed());
        match uplink.buffer_batch(frames).await {
            // Whether there is a server at all is shown by the first that goes by itself.
            Ok(None) => {
                together.failed();
                Ok(Handed::NotTogether)
            }
            answer => {
                match &answer {
                    Ok(_) => together.took(clock.elapsed().saturating_sub(since)),
                    Err(_) => together.failed(),
                }
                self.learn(began, answer.as_ref().err());
                answer.map(|_| Handed::Over)
            }
        }
    }

    /// What follows from frames that the server has. `false`: enough was seen.
    async fn after_sending(
        &self,
        frames: &[Frame],
        schedule: &mut Schedule,
        due: &mpsc::Sender<()>,
    ) -> Result<bool, RunError> {
        self.counters.sent.fetch_add(count_of(frames), Relaxed);
        let bytes = frames.iter().map(|frame| frame.jpeg.len()).sum();
        self.counters.note_sent_bytes(bytes);
        let options = self.source.options;
        let times = frames.iter().filter_map(|frame| frame.captured_at);
        // Each has to be shown to the schedule.
        let completed = times.filter(|at| schedule.is_due(*at)).count();
        if completed == 0 {
            return Ok(true);
        }
        match (options.once, self.source.location.is_live()) {
            (true, true) => {
                self.enough.cancel();
                return Ok(false);
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
        Ok(true)
    }
}

fn count_of(frames: &[Frame]) -> u64 {
    u64::try_from(frames.len()).unwrap_or(u64::MAX)
}
