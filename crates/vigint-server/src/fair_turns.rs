//! Turns at what is costly: a client has few at a time, and all together not many more, so that nobody who asks
//! without pause keeps others waiting.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, SemaphorePermit};
use vigint_core::ids::ClientId;

/// How many turns there are.
#[derive(Clone, Copy, Debug)]
pub struct TurnLimits {
    /// At once for one client.
    pub of_a_client: usize,
    /// At once for all together.
    pub of_all: usize,
    /// Who has waited for so long gets none.
    pub patience: Duration,
}

type Queues = HashMap<ClientId, Arc<Semaphore>>;

/// Who is at it.
pub struct FairTurns {
    limits: TurnLimits,
    all: Semaphore,
    /// One for each client that has a turn or waits for one.
    queues: Mutex<Queues>,
}

/// A turn: it lasts until this is dropped.
#[derive(Debug)]
pub struct Turn<'a> {
    _own: Option<OwnTurn<'a>>,
    _all: SemaphorePermit<'a>,
}

struct OwnTurn<'a> {
    turns: &'a FairTurns,
    client: ClientId,
    held: Option<OwnedSemaphorePermit>,
}

impl fmt::Debug for OwnTurn<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.client.fmt(f)
    }
}

impl FairTurns {
    /// Nobody is at it yet.
    #[must_use]
    pub fn new(limits: TurnLimits) -> Self {
        Self {
            limits,
            all: Semaphore::new(limits.of_all),
            queues: Mutex::default(),
        }
    }

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
        tokio::time::timeout(self.limits.patience, turn)
            .await
            .ok()
            .flatten()
    }

    async fn own_turn(&self, client: ClientId) -> OwnTurn<'_> {
        let mut own = OwnTurn {
            turns: self,
            client,
            held: None,
        };
        let at_once = self.limits.of_a_client;
        let new_queue = || Arc::new(Semaphore::new(at_once));
        let queue = Arc::clone(self.queues().entry(client).or_insert_with(new_queue));
        // Never closed.
        own.held = queue.acquire_owned().await.ok();
        own
    }

    fn queues(&self) -> MutexGuard<'_, Queues> {
        self.queues.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for OwnTurn<'_> {
    fn drop(&mut self) {
        self.held = None;
        let mut queues = self.turns.queues();
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

    fn turns(of_a_client: usize, of_all: usize) -> FairTurns {
        FairTurns::new(TurnLimits {
            of_a_client,
            of_all,
            patience: Duration::from_secs(10),
        })
    }

    #[tokio::test]
    async fn a_client_has_its_turns_at_a_time_and_takes_nobody_elses() {
        let turns = turns(2, 4);
        let first = turns.turn(Some(ClientId(1))).await.unwrap();
        let second = turns.turn(Some(ClientId(1))).await.unwrap();
        let mut waiting: Vec<_> = (0..50)
            .map(|_| Box::pin(turns.turn(Some(ClientId(1)))))
            .collect();
        for next in &mut waiting {
            assert!(next.as_mut().now_or_never().is_none());
        }
        let other = turns.turn(Some(ClientId(2))).now_or_never();
        assert!(other.flatten().is_some(), "whatever one client asks for");
        drop(first);
        let next = waiting.remove(0).now_or_never();
        assert!(next.flatten().is_some());
        drop(second);
    }

    #[tokio::test]
    async fn all_together_have_few_and_nothing_is_left_behind() {
        let turns = turns(1, 2);
        let both = [
            turns.turn(Some(ClientId(1))).await.unwrap(),
            turns.turn(None).await.unwrap(),
        ];
        assert!(turns.turn(Some(ClientId(3))).now_or_never().is_none());
        drop(both);
        let third = turns.turn(Some(ClientId(3))).now_or_never().flatten();
        assert!(third.is_some());
        drop(third);
        assert!(turns.queues().is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn who_has_waited_too_long_gets_none() {
        let turns = turns(1, 2);
        let held = turns.turn(Some(ClientId(1))).await;
        assert!(turns.turn(Some(ClientId(1))).await.is_none());
        drop(held);
        assert!(turns.turn(Some(ClientId(1))).await.is_some());
    }
}
