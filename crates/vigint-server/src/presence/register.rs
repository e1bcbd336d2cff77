//! Which keys have connections here, and which connections those are.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use vigint_core::ids::{ClientId, KeyId};

use super::connection::Connection;

/// Every connection on which a good key was shown, under the key that was shown last. Clones share it.
///
/// Touched when a connection shows another key than before: for nearly all connections once in their life.
#[derive(Clone, Default)]
pub(super) struct Register(Arc<Inner>);

#[derive(Default)]
struct Inner {
    connections: AtomicU64,
    keys: Mutex<HashMap<KeyId, Here>>,
}

struct Here {
    client: ClientId,
    connections: HashMap<u64, Arc<Connection>>,
}

impl Register {
    /// A number that no connection has had.
    pub(super) fn next_number(&self) -> u64 {
        self.0.connections.fetch_add(1, Ordering::Relaxed)
    }

    pub(super) fn add(&self, key: KeyId, client: ClientId, connection: &Arc<Connection>) {
        let mut keys = self.keys();
        let here = keys.entry(key).or_insert_with(|| Here {
            client,
            connections: HashMap::new(),
        });
        here.connections
            .insert(connection.number(), Arc::clone(connection));
    }

    pub(super) fn remove(&self, key: KeyId, number: u64) {
        let mut keys = self.keys();
        if let Some(here) = keys.get_mut(&key) {
            here.connections.remove(&number);
            if here.connections.is_empty() {
                keys.remove(&key);
            }
        }
    }

    /// The keys that are here, each with its client.
    pub(super) fn present(&self) -> Vec<(KeyId, ClientId)> {
        let keys = self.keys();
        keys.iter().map(|(key, here)| (*key, here.client)).collect()
    }

    /// Takes the connections of a key off the list.
    pub(super) fn take(&self, key: KeyId) -> Vec<Arc<Connection>> {
        let here = self.keys().remove(&key);
        here.map(|here| here.connections.into_values().collect())
            .unwrap_or_default()
    }

    fn keys(&self) -> MutexGuard<'_, HashMap<KeyId, Here>> {
        self.0.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
