//! From the queue to the server, in order: a frame that waits alone by itself, several together.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::timeout;
use vigint_core::wire::{BufferResponse, BufferStatus};

use super::retry::LONGEST_PAUSE;
use super::together::Together;
use super::{RunError, Session};
use crate::backoff::Backoff;
use crate::capture::Camera;
use crate::frame::Frame;
use crate::outage::QUIET;
use crate::queue::Bounds;
use crate::schedule::Schedule;
use crate::uplink::{ApiError, most_at_once};

/// So many refusals in a row of a camera's frames mean that the next will fare alike …
const CAMERA_TRIES: u32 = 3;
/// … and of a film's, where nothing is lost while it waits.
const FILM_TRIES: u32 = 20;
/// So many failures in a row, each while the server answered others, are about the source.
const BLOCKED_TRIES: u32 = 3;
/// So many codes are remembered.
const MAX_CODES: usize = 8;
/// A film is not waited for much longer than its frames take to be refused.
const LONGEST_FILM_PAUSE: Duration = Duration::from_secs(1);

/// The code of the error that tells of frames that came too late.
const LATE: &str = "late";

/// What became of frames that the server was offered.
enum Handed {
    /// So many of them came too late to be kept.
    Over { late: usize },
    /// Not together, but perhaps each by itself.
    NotTogether,
}

/// The refusals of a source's frames.
struct Refusals {
    backoff: Backoff,
    longest: Duration,
    /// So many in a row are nothing but bad frames.
    tries: u32,
    in_a_row: u32,
    /// The codes heard last, and when.
    heard: VecDeque<(String, Duration)>,
}

impl Refusals {
    fn of(backoff: Backoff, is_live: bool) -> Self {
        let (tries, longest) = if is_live {
            (CAMERA_TRIES, LONGEST_PAUSE)
        } else {
            (FILM_TRIES, LONGEST_FILM_PAUSE)
        };
        Self {
            backoff,
            longest,
            tries,
            in_a_row: 0,
            heard: VecDeque::new(),
        }
    }

    /// The server took something.
    fn end(&mut self) {
        self.backoff.reset();
        self.in_a_row = 0;
    }

    /// How long to wait after one more, if at all.
    fn pause(&mut self) -> Option<Duration> {
        self.in_a_row = self.in_a_row.saturating_add(1);
        (self.in_a_row >= self.tries).then(|| self.backoff.next().min(self.longest))
    }

    /// Whether this code is a new one, or was not heard for a while. The words may vary with each frame.
    fn is_news(&mut self, code: &str, now: Duration) -> bool {
        let known = self.heard.iter().position(|(heard, _)| heard == code);
        let before = known.and_then(|place| self.heard.remove(place));
        if self.heard.len() >= MAX_CODES {
            self.heard.pop_front();
        }
        self.heard.push_back((code.to_owned(), now));
        before.is_none_or(|(_, at)| now.saturating_sub(at) >= QUIET)
    }
}

impl<C: Camera> Session<C> {
    /// Sends what is in the queue, in order, and says when an analysis is due.
    pub(super) async fn send(&self, due: mpsc::Sender<()>) -> Result<(), RunError> {
        let mut schedule = Schedule::every(self.source.options.interval);
        let mut patience = self.patience();
        let backoff = Backoff::of_server().jittered(Arc::clone(&self.around.random));
        let mut refusals = Refusals::of(backoff, self.source.location.is_live());
        let _user = self.around.outage.begin();
        // So many of those that come next are to go by themselves.
        let mut alone: usize = 0;
        // While the server answers others: its failures in a row.
        let mut blocked: u32 = 0;
        let name = self.source.name.as_deref();
        let mut together = Together::within(most_at_once(&self.source.id, name));
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
                Ok(Handed::Over { late }) => {
                    alone = alone.saturating_sub(1);
                    blocked = 0;
                    self.queue.server_is_busy(false);
                    patience.restore();
                    refusals.end();
                    self.count_late(late, &mut refusals);
                    if !self
                        .after_sending(&frames, late, &mut schedule, &due)
                        .await?
                    {
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
                if frames.len() > 1 {
                    // Something on the way may break batches: a frame by itself shows.
                    alone = alone.max(1);
                }
                // Back to the others: should it take long, newer ones are worth more.
                self.queue.put_back(frames);
                self.note_queue();
                self.queue.server_is_busy(!error.is_away());
                // A run that tries only so often tells nobody of the server but at its end.
                let learns = !self.source.options.once;
                let is_blocked = learns && error.is_away() && !self.around.outage.is_on();
                blocked = if is_blocked { blocked + 1 } else { 0 };
                if blocked >= BLOCKED_TRIES
                    && refusals.is_news(error.code(), self.around.clock.elapsed())
                {
                    let message =
                        format!("{error} (other requests are answered meanwhile); trying again");
                    self.tell_error(error.code(), &message);
                }
                let waited = self.wait_out(error, &mut patience, LONGEST_PAUSE).await;
                if !waited.map_err(RunError::Unreachable)? {
                    return Ok(());
                }
                continue;
            }
            alone = alone.saturating_sub(1);
            let error = self.unless_fatal(error)?;
            self.counters.refused.fetch_add(count_of(&frames), Relaxed);
            if refusals.is_news(error.code(), self.around.clock.elapsed()) {
                self.tell_error(error.code(), &error.to_string());
            }
            if let Some(pause) = refusals.pause() {
                let stopped = timeout(pause, self.around.stop.cancelled()).await;
                if stopped.is_ok() {
                    return Ok(());
                }
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
            let answer = self.ask(uplink.buffer(frame)).await;
            if answer.is_err() {
                together.single_failed();
            }
            let late = |answer: BufferResponse| usize::from(answer.status == BufferStatus::Late);
            return answer.map(late).map(|late| Handed::Over { late });
        }
        let clock = &self.around.clock;
        let (began, since) = (self.around.outage.request_begins(), clock.elapsed());
        match uplink.buffer_batch(frames).await {
            // Whether there is a server at all is shown by the first that goes by itself.
            Ok(None) => {
                together.failed();
                Ok(Handed::NotTogether)
            }
            answer => {
                match &answer {
                    Ok(_) => together.took(clock.elapsed().saturating_sub(since)),
                    // One that is refused for a while is no broken one: single frames would burden the server more.
                    Err(error) if !error.is_away() => together.failed(),
                    Err(_) if together.broke() => uplink.leave_batches(),
                    Err(_) => {}
                }
                self.learn(began, answer.as_ref().err());
                let added = answer?.map_or(0, |answer| answer.frames_added);
                Ok(Handed::Over {
                    late: frames.len().saturating_sub(added),
                })
            }
        }
    }

    /// Frames that the server did not keep: it has newer ones of this source.
    fn count_late(&self, late: usize, refusals: &mut Refusals) {
        if late == 0 {
            return;
        }
        let late = u64::try_from(late).unwrap_or(u64::MAX);
        self.counters.refused.fetch_add(late, Relaxed);
        if refusals.is_news(LATE, self.around.clock.elapsed()) {
            self.tell_error(
                LATE,
                "the server has newer pictures of this source and keeps none that are older: this machine's clock was \
                 set back (then it is over in a moment), or another program sends under the same name (each camera \
                 needs one of its own)",
            );
        }
    }

    /// What follows from frames that the server has. `false`: enough was seen.
    async fn after_sending(
        &self,
        frames: &[Frame],
        late: usize,
        schedule: &mut Schedule,
        due: &mpsc::Sender<()>,
    ) -> Result<bool, RunError> {
        let kept = u64::try_from(frames.len() - late).unwrap_or(u64::MAX);
        self.counters.sent.fetch_add(kept, Relaxed);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_some_refusals_in_a_row_each_is_waited_for_until_something_is_taken() {
        let millis = |refusals: &mut Refusals| refusals.pause().map(|pause| pause.as_millis());
        let mut camera = Refusals::of(Backoff::of_server(), true);
        for _ in 0..2 {
            let pauses = [0; 4].map(|_| millis(&mut camera));
            assert_eq!(pauses, [None, None, Some(250), Some(500)]);
            camera.end();
        }
        let mut film = Refusals::of(Backoff::of_server(), false);
        let pauses: Vec<_> = (0..24).map(|_| millis(&mut film)).collect();
        assert_eq!(pauses[..19], [None; 19]);
        let last = [250, 500, 1000, 1000, 1000].map(Some);
        assert_eq!(pauses[19..], last);
    }

    #[test]
    fn a_refusal_is_news_when_its_code_changes_or_was_not_heard_for_a_while() {
        let mut refusals = Refusals::of(Backoff::of_server(), true);
        let mut is_news = |code, seconds| refusals.is_news(code, Duration::from_secs(seconds));
        assert!(is_news("too_large", 0));
        assert!(!is_news("too_large", 50) && !is_news("too_large", 100));
        assert!(is_news("not_a_jpeg", 101));
        assert!(
            !is_news("too_large", 110) && !is_news("not_a_jpeg", 120),
            "in turns"
        );
        assert!(is_news("not_a_jpeg", 180));
        for code in 0..100 {
            refusals.is_news(&code.to_string(), Duration::from_secs(200));
        }
        assert_eq!(refusals.heard.len(), MAX_CODES);
    }
}
