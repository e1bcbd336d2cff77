//! Turns at reports of usage: each sums up all that a client ever used. A client has one at a time, and all together
//! few, so that nobody who asks without pause keeps others from the database.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedMutexGuard, Semaphore, SemaphorePermit};
use vigint_core::ids::ClientId;

/// Of all clients at once: fewer than there are connections to the database.
const AT_ONCE: usize = 2;
/// Who waited for so long is asked to come again.
const PATIENCE: Duration = Duration::from_secs(10);

type Queues = HashMap<ClientId, Arc<tokio::sync::Mutex<()>>>;

/// Who is at it.
pub struct Reports {
    all: Semaphore,
    /// One for each client that has a turn or waits for one.
    queues: Mutex<Queues>,
}

impl Default for Reports {
    fn default() -> Self {
        Self {
            all: Semaphore::new(AT_ONCE),
            queues: Mutex::default(),
        }
    }
}

/// A turn: it lasts until this is dropped.
#[derive(Debug)]
pub struct Turn<'a> {
    _own: Option<OwnTurn<'a>>,
    _all: SemaphorePermit<'a>,
}

struct OwnTurn<'a> {
    reports: &'a Reports,
    client: ClientId,
    held: Option<OwnedMutexGuard<()>>,
}

impl std::fmt::Debug for OwnTurn<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.client.fmt(f)
    }
}

impl Reports {
    /// A turn of this client, or of the operator; `None` when none was to be had in time.
    pub async fn turn(&self, client: Option<ClientId>) -> Option<Turn<'_>> {
        let turn = async {
            // One's own turn first: who waits for it takes none of the others'.
            let own = match client {
                Some(client) => Some(self.own_turn(client).await),
                None => None,
            };
            let all = self.all.acquire().await.ok()?;
            Some(Turn {
                _own: own,
                _all: all,
            })
        };
        tokio::time::timeout(PATIENCE, turn).await.ok().flatten()
    }

    async fn own_turn(&self, client: ClientId) -> OwnTurn<'_> {
        let mut own = OwnTurn {
            reports: self,
            client,
            held: None,
        };
        let queue = Arc::clone(self.queues().entry(client).or_default());
        own.held = Some(queue.lock_owned().await);
        own
    }

    fn queues(&self) -> MutexGuard<'_, Queues> {
        self.queues.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for OwnTurn<'_> {
    fn drop(&mut self) {
        self.held = None;
        let mut queues = self.reports.queues();
        // Nobody else has it or waits for it: the only handle left is the list's.
        if queues
            .get(&self.client)
            .is_some_and(|queue| Arc::strong_count(queue) == 1)
        {
            queues.remove(&self.client);
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    #[tokio::test]
    async fn a_client_has_one_turn_at_a_time_and_takes_nobody_elses() {
        let reports = Reports::default();
        let first = reports.turn(Some(ClientId(1))).await.unwrap();
        let waiting: Vec<_> = (0..50)
            .map(|_| Box::pin(reports.turn(Some(ClientId(1)))))
            .collect();
        let mut waiting = waiting.into_iter();
        let mut next = waiting.next().unwrap();
        assert!(next.as_mut().now_or_never().is_none());
        let other = reports.turn(Some(ClientId(2))).now_or_never();
        assert!(other.flatten().is_some(), "whatever one client asks for");
        drop(first);
        assert!(next.now_or_never().flatten().is_some());
    }

    #[tokio::test]
    async fn all_together_have_few_and_nothing_is_left_behind() {
        let reports = Reports::default();
        let turns = [
            reports.turn(Some(ClientId(1))).await.unwrap(),
            reports.turn(None).await.unwrap(),
        ];
        assert!(reports.turn(Some(ClientId(3))).now_or_never().is_none());
        drop(turns);
        assert!(
            reports
                .turn(Some(ClientId(3)))
                .now_or_never()
                .flatten()
                .is_some()
        );
        assert!(reports.queues().is_empty());
    }
}
