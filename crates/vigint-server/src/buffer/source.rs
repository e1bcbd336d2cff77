//! One camera in memory: its ring, its clock, what was looked at, and the gate's watch over it.
//!
//! It has no lock and asks no clock; its client does both for it.

use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use vigint_core::clock::{Clock, UtcTime};
use vigint_core::ids::{ClientId, SourceId};
use vigint_core::wire::SourceSeconds;

use super::frame::{Frame, IncomingFrame};
use super::gate::{Gate, Watch};
use super::ledger::{Ledger, Outcome};
use super::offset::ClockOffset;
use super::ring::{Inserted, Ring};
use super::rings::RingSettings;
use super::snapshot::Snapshot;

/// A moment by both of the server's clocks: the wall's, and the one that never goes back.
#[derive(Clone, Copy, Debug)]
pub(super) struct Now {
    pub(super) at: UtcTime,
    pub(super) elapsed: Duration,
}

impl Now {
    pub(super) fn of(clock: &dyn Clock) -> Self {
        Self {
            at: clock.now(),
            elapsed: clock.elapsed(),
        }
    }
}

/// Under which circumstances frames arrive: whose, when, within which bounds, before which gate.
#[derive(Clone, Copy, Debug)]
pub(super) struct Arrival<'a> {
    pub(super) client: ClientId,
    pub(super) now: Now,
    pub(super) settings: &'a RingSettings,
    pub(super) gate: &'a Gate,
}

/// One source as `GET …/sources` shows it.
#[derive(Clone, Debug, PartialEq)]
pub struct SourceStatus {
    /// Which camera.
    pub source_id: SourceId,
    /// What people call it.
    pub source_name: Option<String>,
    /// Frames in its ring.
    pub frames: usize,
    /// Bytes of their JPEGs.
    pub bytes: usize,
    /// The oldest frame's time.
    pub oldest_at: Option<UtcTime>,
    /// The newest frame's time.
    pub newest_at: Option<UtcTime>,
    /// Arrival minus capture, in milliseconds: how far the camera's clock is behind the server's.
    pub clock_offset_ms: i64,
    /// How long ago the last frame was taken in.
    pub silent_for: Duration,
    /// For how long the very same picture has come at least, by capture time; zero unless the motion gate calls
    /// the stream frozen, which takes 5 s and ten looks.
    pub unchanged_for: Duration,
    /// What was looked at.
    pub seconds: SourceSeconds,
}

/// One camera of one client.
#[derive(Debug)]
pub(super) struct Source {
    id: SourceId,
    name: Option<String>,
    ring: Ring,
    offset: ClockOffset,
    ledger: Ledger,
    watch: Watch,
    /// The newest frame of the last screen.
    screened_to: Option<UtcTime>,
    /// When a frame was last taken in, as [`Clock::elapsed`].
    heard: Duration,
}

impl Source {
    /// A camera that has sent nothing yet.
    pub(super) fn new(id: SourceId, arrival: &Arrival<'_>) -> Self {
        let settings = arrival.settings;
        Self {
            name: None,
            ring: Ring::new(settings.long_window, settings.fps),
            offset: ClockOffset::default(),
            ledger: Ledger::default(),
            watch: Watch::new(arrival.gate, arrival.client, &id, settings.fps),
            screened_to: None,
            heard: Duration::ZERO,
            id,
        }
    }

    /// Takes a frame in; false when it came too late.
    pub(super) fn push(&mut self, incoming: IncomingFrame, arrival: &Arrival<'_>) -> bool {
        let now = arrival.now;
        let at = self.ring.place(incoming.captured_at, now.at);
        if self.has(at, &incoming) {
            // An upload tried again: what the gate made of that frame still holds.
            self.heard = now.elapsed;
            return true;
        }
        let captured_at = incoming.captured_at;
        let name = incoming.source_name.clone();
        let frame = Arc::new(Frame::new(incoming, at, now.at));

        let inserted = self.ring.insert(&frame);
        match inserted {
            Inserted::Late => return false,
            Inserted::Restarted => self.start_anew(),
            Inserted::Newest | Inserted::Placed | Inserted::Replaced { .. } => {}
        }
        self.watch.see(arrival.gate, &frame, inserted);
        self.heard = now.elapsed;
        if let Some(captured_at) = captured_at {
            self.offset.learn(captured_at, now.at, captured_at == at);
        }
        if name.is_some() {
            self.name = name;
        }
        true
    }

    /// What an analysis looks at, unless nothing has arrived for longer than the long window.
    pub(super) fn snapshot(&self, settings: &RingSettings, now: Now) -> Option<Snapshot> {
        let newest = self.ring.newest()?;
        if self.silent_for(now) > settings.long_window {
            return None;
        }
        let earliest = newest.at - settings.long_window;
        let latest = newest.at - settings.short_window;
        Some(Snapshot {
            source_id: self.id.clone(),
            source_name: self.name.clone(),
            frames: self.ring.snapshot(),
            newest_frame_count: newest.frame_count,
            newest_at: newest.at,
            clock_offset_ms: self.offset.correction_ms(),
            screen_from: self
                .screened_to
                .unwrap_or(earliest)
                .min(latest)
                .max(earliest),
        })
    }

    pub(super) fn mark_screened(&mut self, newest_at: UtcTime) {
        if self.is_of_this_ring(newest_at) {
            self.screened_to = Some(newest_at);
        }
    }

    pub(super) fn account(&mut self, outcome: Outcome, window: RangeInclusive<UtcTime>) {
        let is_of_this_ring = self.is_of_this_ring(*window.end());
        self.ledger.account(outcome, window);
        if !is_of_this_ring {
            self.ledger.forget_times();
        }
    }

    /// What must be waited for until the gate has judged what it was offered so far.
    pub(super) fn backlog(&self) -> (watch::Receiver<u64>, u64) {
        self.watch.backlog()
    }

    pub(super) fn status(&self, now: Now) -> SourceStatus {
        SourceStatus {
            source_id: self.id.clone(),
            source_name: self.name.clone(),
            frames: self.ring.len(),
            bytes: self.ring.jpeg_bytes(),
            oldest_at: self.ring.oldest().map(|frame| frame.at),
            newest_at: self.ring.newest().map(|frame| frame.at),
            clock_offset_ms: self.offset.shown_ms(),
            silent_for: self.silent_for(now),
            unchanged_for: self.watch.unchanged_for(),
            seconds: self.ledger.seconds(),
        }
    }

    pub(super) fn silent_for(&self, now: Now) -> Duration {
        now.elapsed.saturating_sub(self.heard)
    }

    /// Lets go of the oldest frame; false when there is none.
    pub(super) fn give_oldest(&mut self) -> bool {
        self.ring.pop_oldest().is_some()
    }

    pub(super) fn frames(&self) -> usize {
        self.ring.len()
    }

    pub(super) fn held_bytes(&self) -> usize {
        self.ring.held_bytes()
    }

    fn has(&self, at: UtcTime, incoming: &IncomingFrame) -> bool {
        let is_same = |frame: &Arc<Frame>| {
            frame.frame_count == incoming.frame_count && frame.jpeg == incoming.jpeg
        };
        self.ring.get(at).is_some_and(is_same)
    }

    /// The camera's clock was set back: what was known by its times holds no more.
    fn start_anew(&mut self) {
        self.offset = ClockOffset::default();
        self.ledger.forget_times();
        self.watch.start_anew();
        self.screened_to = None;
    }

    /// Whether this time is one of the ring that is there now, not of one before the clock was set back.
    fn is_of_this_ring(&self, at: UtcTime) -> bool {
        self.ring.newest().is_some_and(|newest| at <= newest.at)
    }
}
