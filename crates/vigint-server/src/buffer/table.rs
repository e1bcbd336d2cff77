//! Who is in memory, and who gives when all of them together hold too much.
//!
//! Locks are taken in this order and never the other way round: the turn to make room, the table, one
//! client.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard};

use vigint_core::ids::{ClientId, SourceId};

use super::client::{Cameras, ClientCell};
use super::source::Source;

type Clients = HashMap<ClientId, Arc<ClientCell>>;

/// All clients in memory.
#[derive(Debug, Default)]
pub(super) struct Table {
    clients: RwLock<Clients>,
    held_bytes: AtomicUsize,
    /// Held by whoever makes room, so that one decides at a time who gives.
    making_room: Mutex<()>,
}

impl Table {
    /// What all frames hold.
    pub(super) fn held_bytes(&self) -> usize {
        self.held_bytes.load(Ordering::Relaxed)
    }

    pub(super) fn find(&self, client: ClientId) -> Option<Arc<ClientCell>> {
        self.read().get(&client).cloned()
    }

    pub(super) fn all(&self) -> Vec<Arc<ClientCell>> {
        self.read().values().cloned().collect()
    }

    /// Changes the cameras of a client, who gets a place when it has none.
    pub(super) fn change<T>(&self, client: ClientId, act: impl FnOnce(&mut Cameras) -> T) -> T {
        loop {
            let cell = self.find(client).unwrap_or_else(|| self.place_of(client));
            let mut cameras = cell.lock();
            if !cameras.is_gone {
                return cell.change(&mut cameras, &self.held_bytes, act);
            }
        }
    }

    /// Takes a client out, with all it holds.
    pub(super) fn remove(&self, client: ClientId) {
        let Some(cell) = self.write(|clients| clients.remove(&client)) else {
            return;
        };
        cell.lock().is_gone = true;
        self.remove_sources(&cell, |_, _| true);
    }

    /// Takes those sources of a client out for which this holds. Returns how many.
    pub(super) fn remove_sources(
        &self,
        cell: &ClientCell,
        which: impl Fn(&SourceId, &Source) -> bool,
    ) -> usize {
        let mut cameras = cell.lock();
        let removed = cell.change(&mut cameras, &self.held_bytes, |cameras| {
            cameras.remove(which)
        });
        // The pictures are given back without the lock.
        drop(cameras);
        removed.len()
    }

    /// Takes out the clients that have no source left.
    pub(super) fn sweep(&self) {
        self.write(|clients| {
            clients.retain(|_, cell| {
                let mut cameras = cell.lock();
                cameras.is_gone = cameras.len() == 0;
                !cameras.is_gone
            });
        });
    }

    /// Brings all rings under their common bound. Whoever holds most gives first, and among equals the one
    /// who pushed: nobody can push out the frames of one who holds less.
    pub(super) fn make_room(&self, max_bytes: usize, pusher: ClientId) {
        if self.held_bytes() <= max_bytes {
            return;
        }
        let _turn = self
            .making_room
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        while self.held_bytes() > max_bytes
            && let Some(biggest) = self.biggest(pusher)
        {
            let mut cameras = biggest.lock();
            let give = |cameras: &mut Cameras| cameras.give_oldest(None);
            if !biggest.change(&mut cameras, &self.held_bytes, give) {
                return;
            }
        }
    }

    /// Who holds most; among equals, the one named.
    fn biggest(&self, first_among_equals: ClientId) -> Option<Arc<ClientCell>> {
        let size = |cell: &&Arc<ClientCell>| (cell.held_bytes(), cell.id == first_among_equals);
        self.read().values().max_by_key(size).cloned()
    }

    fn place_of(&self, client: ClientId) -> Arc<ClientCell> {
        let new = || Arc::new(ClientCell::new(client));
        self.write(|clients| Arc::clone(clients.entry(client).or_insert_with(new)))
    }

    fn read(&self) -> RwLockReadGuard<'_, Clients> {
        self.clients.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write<T>(&self, act: impl FnOnce(&mut Clients) -> T) -> T {
        act(&mut self.clients.write().unwrap_or_else(PoisonError::into_inner))
    }
}
