//! A bounded queue in which clients take turns: whoever has most waiting gives first, and nobody's work stands
//! behind all of another's. It knows nothing of what the work is.

use std::collections::{HashMap, VecDeque};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use vigint_core::ids::ClientId;

/// What became of an offer.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Offered<T> {
    /// It waits for its turn.
    Queued,
    /// It waits for its turn, and this makes room for it: the oldest of whoever had most waiting.
    InPlaceOf(T),
    /// The queue is closed.
    Refused(T),
}

/// The queue; shared by reference.
#[derive(Debug)]
pub(super) struct FairQueue<T> {
    bound: usize,
    waiting: Mutex<Waiting<T>>,
    changed: Condvar,
}

#[derive(Debug)]
struct Waiting<T> {
    of_client: HashMap<ClientId, VecDeque<T>>,
    /// Every client with something waiting, once.
    turns: VecDeque<ClientId>,
    count: usize,
    is_closed: bool,
}

impl<T> FairQueue<T> {
    /// An empty queue with room for `bound` (at least 1).
    pub(super) fn new(bound: usize) -> Self {
        Self {
            bound: bound.max(1),
            waiting: Mutex::new(Waiting {
                of_client: HashMap::new(),
                turns: VecDeque::new(),
                count: 0,
                is_closed: false,
            }),
            changed: Condvar::new(),
        }
    }

    /// Puts something behind what this client has waiting. Never waits.
    pub(super) fn offer(&self, client: ClientId, item: T) -> Offered<T> {
        let mut waiting = self.lock();
        if waiting.is_closed {
            return Offered::Refused(item);
        }
        waiting.push(client, item);
        let given = if waiting.count > self.bound {
            waiting.take_from_the_largest()
        } else {
            None
        };
        drop(waiting);
        self.changed.notify_one();
        given.map_or(Offered::Queued, Offered::InPlaceOf)
    }

    /// The next, in turn; waits for one. `None` once the queue is closed.
    pub(super) fn next(&self) -> Option<T> {
        let mut waiting = self.lock();
        loop {
            if waiting.is_closed {
                return None;
            }
            if let Some(item) = waiting.next_in_turn() {
                return Some(item);
            }
            waiting = self
                .changed
                .wait(waiting)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Ends the queue; what still waits is given back.
    pub(super) fn close(&self) -> Vec<T> {
        let mut waiting = self.lock();
        waiting.is_closed = true;
        let left = std::iter::from_fn(|| waiting.next_in_turn()).collect();
        drop(waiting);
        self.changed.notify_all();
        left
    }

    fn lock(&self) -> MutexGuard<'_, Waiting<T>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Waiting<T> {
    fn push(&mut self, client: ClientId, item: T) {
        let items = self.of_client.entry(client).or_default();
        if items.is_empty() {
            self.turns.push_back(client);
        }
        items.push_back(item);
        self.count += 1;
    }

    fn next_in_turn(&mut self) -> Option<T> {
        let client = self.turns.pop_front()?;
        let (item, is_last) = self.take_of(client)?;
        if !is_last {
            self.turns.push_back(client);
        }
        Some(item)
    }

    fn take_from_the_largest(&mut self) -> Option<T> {
        let (client, _) = self
            .of_client
            .iter()
            .max_by_key(|(client, items)| (items.len(), **client))?;
        let client = *client;
        let (item, is_last) = self.take_of(client)?;
        if is_last {
            self.turns.retain(|other| *other != client);
        }
        Some(item)
    }

    /// The client's oldest, and whether that was its last.
    fn take_of(&mut self, client: ClientId) -> Option<(T, bool)> {
        let items = self.of_client.get_mut(&client)?;
        let item = items.pop_front()?;
        let is_last = items.is_empty();
        if is_last {
            self.of_client.remove(&client);
        }
        self.count -= 1;
        Some((item, is_last))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: ClientId = ClientId(1);
    const B: ClientId = ClientId(2);

    #[test]
    fn clients_take_turns_and_each_ones_own_stays_in_order() {
        let queue = FairQueue::new(10);
        for item in ["a1", "a2", "a3"] {
            assert_eq!(queue.offer(A, item), Offered::Queued);
        }
        queue.offer(B, "b1");
        let order: Vec<_> = (0..4).map(|_| queue.next().unwrap()).collect();
        assert_eq!(order, ["a1", "b1", "a2", "a3"]);
    }

    #[test]
    fn whoever_has_most_gives_the_oldest() {
        let queue = FairQueue::new(3);
        for item in ["a1", "a2", "a3"] {
            queue.offer(A, item);
        }
        assert_eq!(queue.offer(B, "b1"), Offered::InPlaceOf("a1"));
        assert_eq!(queue.offer(A, "a4"), Offered::InPlaceOf("a2"));
        let order: Vec<_> = (0..3).map(|_| queue.next().unwrap()).collect();
        assert_eq!(order, ["a3", "b1", "a4"]);
    }

    #[test]
    fn a_full_queue_of_one_place_keeps_the_newest() {
        let queue = FairQueue::new(1);
        queue.offer(A, "a1");
        assert_eq!(queue.offer(A, "a2"), Offered::InPlaceOf("a1"));
        assert_eq!(queue.next(), Some("a2"));
    }

    #[test]
    fn who_waits_hears_of_an_offer_and_of_the_end() {
        let queue = FairQueue::new(3);
        std::thread::scope(|scope| {
            let taker = scope.spawn(|| std::iter::from_fn(|| queue.next()).collect::<Vec<_>>());
            queue.offer(A, "a1");
            queue.offer(B, "b1");
            let left = queue.close();
            let mut all = taker.join().unwrap();
            all.extend(left);
            assert_eq!(all, ["a1", "b1"]);
        });
        assert_eq!(queue.offer(A, "late"), Offered::Refused("late"));
        assert_eq!(queue.next(), None);
    }
}
