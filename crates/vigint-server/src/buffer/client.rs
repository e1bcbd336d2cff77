//! All cameras of one tenant, under one lock: no tenant waits for another's.

use std::collections::{BTreeSet, HashMap};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use vigint_core::ids::{ClientId, SourceId};

use super::frame::IncomingFrame;
use super::source::{Arrival, Source};

/// One tenant's place in [`Rings`](super::Rings).
#[derive(Debug)]
pub(super) struct ClientCell {
    pub(super) id: ClientId,
    cameras: Mutex<Cameras>,
    /// What its cameras hold, to be compared with others' without their locks.
    held_bytes: AtomicUsize,
}

impl ClientCell {
    pub(super) fn new(id: ClientId) -> Self {
        Self {
            id,
            cameras: Mutex::default(),
            held_bytes: AtomicUsize::new(0),
        }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Cameras> {
        self.cameras.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn held_bytes(&self) -> usize {
        self.held_bytes.load(Ordering::Relaxed)
    }

    /// Lets `act` change the cameras and carries what that changes of the bytes held into `total`.
    pub(super) fn change<T>(
        &self,
        cameras: &mut Cameras,
        total: &AtomicUsize,
        act: impl FnOnce(&mut Cameras) -> T,
    ) -> T {
        let before = cameras.held_bytes;
        let result = act(cameras);
        self.held_bytes.store(cameras.held_bytes, Ordering::Relaxed);
        // In this order: the total never falls below what is held.
        total.fetch_add(cameras.held_bytes, Ordering::Relaxed);
        total.fetch_sub(before, Ordering::Relaxed);
        result
    }
}

/// The cameras of one client.
#[derive(Debug, Default)]
pub(super) struct Cameras {
    sources: HashMap<SourceId, Source>,
    held_bytes: usize,
    /// Set when this client left memory: whoever waited for the lock must look it up again.
    pub(super) is_gone: bool,
}

/// What became of one frame.
#[derive(Clone, Copy, Debug)]
pub(super) struct Taken {
    pub(super) is_late: bool,
    pub(super) is_new_source: bool,
    pub(super) buffer_size: usize,
}

impl Cameras {
    /// Whether frames of these sources may be taken in; else the index of the first that may not.
    pub(super) fn admit<'a>(
        &self,
        wanted: impl Iterator<Item = &'a SourceId>,
        max_sources: usize,
    ) -> Result<(), usize> {
        let mut new = BTreeSet::new();
        for (index, id) in wanted.enumerate() {
            if self.sources.contains_key(id) {
                continue;
            }
            new.insert(id);
            if self.sources.len() + new.len() > max_sources {
                return Err(index);
            }
        }
        Ok(())
    }

    /// Takes a frame in. Over the client's bytes, its biggest source gives its oldest frames.
    pub(super) fn push(
        &mut self,
        id: &SourceId,
        incoming: IncomingFrame,
        arrival: &Arrival<'_>,
    ) -> Taken {
        let is_new_source = !self.sources.contains_key(id);
        let source = self
            .sources
            .entry(id.clone())
            .or_insert_with(|| Source::new(id.clone(), arrival));
        let before = source.held_bytes();
        let is_late = !source.push(incoming, arrival);
        self.held_bytes = self.held_bytes + source.held_bytes() - before;
        let most = arrival.settings.max_bytes_per_client;
        while self.held_bytes > most && self.give_oldest(Some(id)) {}
        Taken {
            is_late,
            is_new_source,
            buffer_size: self.get(id).map_or(0, Source::frames),
        }
    }

    /// The biggest source lets go of its oldest frame; among equals, the one named. False when there is
    /// nothing left to let go of.
    pub(super) fn give_oldest(&mut self, first_among_equals: Option<&SourceId>) -> bool {
        let size = |(id, source): &(&SourceId, &mut Source)| {
            (source.held_bytes(), Some(*id) == first_among_equals)
        };
        let Some((_, biggest)) = self.sources.iter_mut().max_by_key(size) else {
            return false;
        };
        let before = biggest.held_bytes();
        let gave = biggest.give_oldest();
        self.held_bytes = self.held_bytes + biggest.held_bytes() - before;
        gave
    }

    pub(super) fn get(&self, id: &SourceId) -> Option<&Source> {
        self.sources.get(id)
    }

    pub(super) fn get_mut(&mut self, id: &SourceId) -> Option<&mut Source> {
        self.sources.get_mut(id)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Source> {
        self.sources.values()
    }

    pub(super) fn len(&self) -> usize {
        self.sources.len()
    }

    /// Lets go of the sources for which this holds, frames and all.
    pub(super) fn remove(&mut self, which: impl Fn(&SourceId, &Source) -> bool) -> Vec<Source> {
        let removed: Vec<Source> = self
            .sources
            .extract_if(|id, source| which(id, source))
            .map(|(_, source)| source)
            .collect();
        let freed: usize = removed.iter().map(Source::held_bytes).sum();
        self.held_bytes -= freed;
        removed
    }
}
