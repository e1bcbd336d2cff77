//! The door of this room: what the rest of the server may do with frames, and by whose clock.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

use vigint_core::clock::{Clock, UtcTime};
use vigint_core::ids::{ClientId, SourceId};
use vigint_core::wire::BufferStatus;
use vigint_db::Tenant;

use super::error::{BatchError, BufferError, NoFrames};
use super::frame::IncomingFrame;
use super::gate::{Gate, GateCounts};
use super::ledger::Outcome;
use super::snapshot::Snapshot;
use super::source::{Arrival, Now, Source, SourceStatus};
use super::table::Table;

/// A source that was silent for so long leaves memory.
const SILENT: Duration = Duration::from_secs(600);

/// The bounds of the rings.
#[derive(Clone, Debug)]
pub struct RingSettings {
    /// What a screen looks at, at least.
    pub short_window: Duration,
    /// What a ring keeps.
    pub long_window: Duration,
    /// Frames a second that a ring keeps of one source, at least 1; more are thinned evenly.
    pub fps: u32,
    /// Sources of one client in memory.
    pub max_sources_per_client: usize,
    /// Bytes of one client's frames.
    pub max_bytes_per_client: usize,
    /// Bytes of all frames.
    pub max_bytes_total: usize,
}

/// What became of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pushed {
    /// Buffered, or late and dropped.
    pub status: BufferStatus,
    /// Frames in this source's ring now.
    pub buffer_size: usize,
    /// Whether this source was not in memory before.
    pub is_new_source: bool,
}

/// What became of a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PushedBatch {
    /// Late only when every frame was.
    pub status: BufferStatus,
    /// Frames that were not late.
    pub frames_added: usize,
    /// Frames in the rings of all sources of the batch now.
    pub buffer_size: usize,
    /// Sources that were not in memory before.
    pub new_sources: Vec<SourceId>,
}

/// What is in memory, for metrics.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Sources.
    pub sources: usize,
    /// Frames.
    pub frames: usize,
    /// Bytes that count against the bounds: the JPEGs, and a little for each frame.
    pub bytes: usize,
    /// What the motion gate did.
    pub gate: GateCounts,
}

/// The frames of all sources of all tenants. A clone is another handle on the same rings.
#[derive(Clone, Debug)]
pub struct Rings {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    settings: RingSettings,
    clock: Arc<dyn Clock>,
    gate: Gate,
    table: Table,
}

impl Rings {
    /// Empty rings, and the gate that watches them.
    #[must_use]
    pub fn new(settings: RingSettings, clock: Arc<dyn Clock>, gate: Gate) -> Self {
        Self {
            inner: Arc::new(Inner {
                settings,
                clock,
                gate,
                table: Table::default(),
            }),
        }
    }

    /// Takes a frame in. Never waits for the motion gate.
    ///
    /// # Errors
    /// When the source is new and the client has as many as it may.
    pub fn push(
        &self,
        tenant: &Tenant,
        source: &SourceId,
        incoming: IncomingFrame,
    ) -> Result<Pushed, BufferError> {
        let inner = &*self.inner;
        let incoming = incoming.detached();
        let arrival = inner.arrival(tenant);
        let max = inner.settings.max_sources_per_client;
        let taken = inner.table.change(arrival.client, |cameras| {
            cameras
                .admit(std::iter::once(source), max)
                .map_err(|_| BufferError::TooManySources { max })?;
            Ok(cameras.push(source, incoming, &arrival))
        })?;
        inner
            .table
            .make_room(inner.settings.max_bytes_total, arrival.client);
        Ok(Pushed {
            status: status(taken.is_late),
            buffer_size: taken.buffer_size,
            is_new_source: taken.is_new_source,
        })
    }

    /// Takes all of these frames in, or none.
    ///
    /// # Errors
    /// As [`Self::push`], with the index of the frame.
    pub fn push_batch(
        &self,
        tenant: &Tenant,
        frames: Vec<(SourceId, IncomingFrame)>,
    ) -> Result<PushedBatch, BatchError> {
        let inner = &*self.inner;
        let frames: Vec<_> = frames
            .into_iter()
            .map(|(source, incoming)| (source, incoming.detached()))
            .collect();
        let arrival = inner.arrival(tenant);
        let max = inner.settings.max_sources_per_client;
        let pushed = inner.table.change(arrival.client, |cameras| {
            let error = BufferError::TooManySources { max };
            cameras
                .admit(frames.iter().map(|(source, _)| source), max)
                .map_err(|index| BatchError { index, error })?;
            let (mut frames_added, mut new_sources, mut sources) = (0, Vec::new(), BTreeSet::new());
            for (source, incoming) in frames {
                let taken = cameras.push(&source, incoming, &arrival);
                frames_added += usize::from(!taken.is_late);
                if taken.is_new_source {
                    new_sources.push(source.clone());
                }
                sources.insert(source);
            }
            let size = |source| cameras.get(source).map_or(0, Source::frames);
            Ok(PushedBatch {
                status: status(frames_added == 0 && !sources.is_empty()),
                frames_added,
                buffer_size: sources.iter().map(size).sum(),
                new_sources,
            })
        })?;
        inner
            .table
            .make_room(inner.settings.max_bytes_total, arrival.client);
        Ok(pushed)
    }

    /// What is buffered of a source now. Copies no picture.
    ///
    /// # Errors
    /// When that is nothing, or nothing has arrived for longer than the long window.
    pub fn snapshot(&self, tenant: &Tenant, source: &SourceId) -> Result<Snapshot, NoFrames> {
        let inner = &*self.inner;
        let now = inner.now();
        inner
            .table
            .find(tenant.client_id())
            .and_then(|cell| cell.lock().get(source)?.snapshot(&inner.settings, now))
            .ok_or_else(|| NoFrames(source.clone()))
    }

    /// Says that a screen has looked at this source up to this frame's time: the next one looks on from
    /// there. Not for a screen that failed; what it was to look at must be looked at again.
    pub fn mark_screened(&self, tenant: &Tenant, source: &SourceId, newest_at: UtcTime) {
        if let Some(cell) = self.inner.table.find(tenant.client_id())
            && let Some(source) = cell.lock().get_mut(source)
        {
            source.mark_screened(newest_at);
        }
    }

    /// Says what came of a window of this source, in times of its ring. What overlaps a window counted
    /// before is not counted again.
    pub fn account(
        &self,
        tenant: &Tenant,
        source: &SourceId,
        outcome: Outcome,
        window: RangeInclusive<UtcTime>,
    ) {
        if let Some(cell) = self.inner.table.find(tenant.client_id())
            && let Some(source) = cell.lock().get_mut(source)
        {
            source.account(outcome, window);
        }
    }

    /// Waits until the motion gate is done with every frame it was offered of this source before the call.
    /// Has no time limit: its caller does.
    pub async fn settled(&self, tenant: &Tenant, source: &SourceId) {
        let cell = self.inner.table.find(tenant.client_id());
        let backlog = cell.and_then(|cell| Some(cell.lock().get(source)?.backlog()));
        if let Some((mut progress, offered)) = backlog {
            // An error says that the source is gone, and with it what there was to wait for.
            let _ = progress.wait_for(|done| *done >= offered).await;
        }
    }

    /// The client's sources in memory, by id.
    #[must_use]
    pub fn sources(&self, tenant: &Tenant) -> Vec<SourceStatus> {
        let now = self.inner.now();
        let Some(cell) = self.inner.table.find(tenant.client_id()) else {
            return Vec::new();
        };
        let mut sources: Vec<_> = cell
            .lock()
            .iter()
            .map(|source| source.status(now))
            .collect();
        sources.sort_by(|a, b| a.source_id.cmp(&b.source_id));
        sources
    }

    /// Empties one source; false when it was not in memory.
    pub fn clear_source(&self, tenant: &Tenant, source: &SourceId) -> bool {
        let table = &self.inner.table;
        table
            .find(tenant.client_id())
            .is_some_and(|cell| table.remove_sources(&cell, |id, _| id == source) > 0)
    }

    /// Empties all sources of a client: it was suspended, revoked or deleted.
    pub fn drop_client(&self, client: ClientId) {
        self.inner.table.remove(client);
    }

    /// The clients who have anything in memory, in no order.
    #[must_use]
    pub fn clients(&self) -> Vec<ClientId> {
        let cells = self.inner.table.all();
        cells.iter().map(|cell| cell.id).collect()
    }

    /// Lets go of sources that were silent for 10 minutes. Returns how many.
    pub fn expire_silent(&self) -> usize {
        let table = &self.inner.table;
        let now = self.inner.now();
        let is_silent = |_: &SourceId, source: &Source| source.silent_for(now) >= SILENT;
        let expired = table
            .all()
            .iter()
            .map(|cell| table.remove_sources(cell, is_silent))
            .sum();
        table.sweep();
        expired
    }

    /// What is in memory.
    #[must_use]
    pub fn totals(&self) -> Totals {
        let mut totals = Totals {
            bytes: self.inner.table.held_bytes(),
            gate: self.inner.gate.counts(),
            ..Totals::default()
        };
        for cell in self.inner.table.all() {
            let cameras = cell.lock();
            totals.sources += cameras.len();
            totals.frames += cameras.iter().map(Source::frames).sum::<usize>();
        }
        totals
    }
}

impl Inner {
    fn now(&self) -> Now {
        Now::of(&*self.clock)
    }

    fn arrival(&self, tenant: &Tenant) -> Arrival<'_> {
        Arrival {
            client: tenant.client_id(),
            now: self.now(),
            settings: &self.settings,
            gate: &self.gate,
        }
    }
}

const fn status(is_late: bool) -> BufferStatus {
    if is_late {
        BufferStatus::Late
    } else {
        BufferStatus::Buffered
    }
}
