//! One at a time for each client: so that two that make room at once do not both take the same.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{Mutex as AsyncMutex, OwnedMutexGuard};
use vigint_core::ids::ClientId;

/// A lock for each client that anybody waits for.
#[derive(Default)]
pub(super) struct ClientLocks(Mutex<HashMap<ClientId, Arc<AsyncMutex<()>>>>);

impl ClientLocks {
    /// Waits until nobody else has this client's.
    pub(super) async fn lock(&self, client: ClientId) -> OwnedMutexGuard<()> {
        let lock = {
            let mut locks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            // Who holds one, or waits for it, has a count of it.
            locks.retain(|_, lock| Arc::strong_count(lock) > 1);
            Arc::clone(locks.entry(client).or_default())
        };
        lock.lock_owned().await
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    #[tokio::test]
    async fn clients_wait_for_themselves_only_and_leave_nothing_behind() {
        let locks = ClientLocks::default();
        let first = locks.lock(ClientId(1)).await;
        assert!(locks.lock(ClientId(1)).now_or_never().is_none());
        let other = locks.lock(ClientId(2)).now_or_never();
        assert!(other.is_some());
        drop((first, other));
        assert!(locks.lock(ClientId(1)).now_or_never().is_some());
        drop(locks.lock(ClientId(3)).await);
        assert_eq!(locks.0.lock().unwrap().len(), 1);
    }
}
