//! One analysis of a source at a time: who asks while one runs waits for it and gets the same answer.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;
use vigint_core::ids::{ClientId, SourceId};

type Key = (ClientId, SourceId);
type Answers<T> = HashMap<Key, watch::Receiver<Option<T>>>;

/// The analyses that run now, by source.
pub(super) struct Flights<T> {
    running: Arc<Mutex<Answers<T>>>,
}

/// What a flight came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Landed<T> {
    pub(super) answer: T,
    /// Whether it flew already when this caller came.
    pub(super) is_shared: bool,
}

impl<T> Clone for Flights<T> {
    fn clone(&self) -> Self {
        Self {
            running: Arc::clone(&self.running),
        }
    }
}

impl<T> Default for Flights<T> {
    fn default() -> Self {
        Self {
            running: Arc::default(),
        }
    }
}

impl<T: Clone + Send + Sync + 'static> Flights<T> {
    /// The answer of the flight that runs for this source, or of a new one. The work goes on when its
    /// caller goes away: what it records must not be half done. `None` when the work panicked.
    pub(super) async fn join<F>(
        &self,
        client: ClientId,
        source: SourceId,
        work: impl FnOnce() -> F,
    ) -> Option<Landed<T>>
    where
        F: Future<Output = T> + Send + 'static,
    {
        let key = (client, source);
        let (mut answer, is_shared) = {
            let mut running = self.lock();
            match running.get(&key) {
                Some(answer) => (answer.clone(), true),
                None => {
                    let (landed, answer) = watch::channel(None);
                    running.insert(key.clone(), answer.clone());
                    let landing = Landing {
                        running: Arc::clone(&self.running),
                        key,
                    };
                    let work = work();
                    tokio::spawn(async move {
                        let result = work.await;
                        // Gone from the list before it is known: a later caller gets a later look.
                        drop(landing);
                        landed.send_replace(Some(result));
                    });
                    (answer, false)
                }
            }
        };
        let landed = answer.wait_for(Option::is_some).await.ok()?;
        landed.clone().map(|answer| Landed { answer, is_shared })
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Answers<T>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Takes a flight off the list when it lands, or crashes.
struct Landing<T> {
    running: Arc<Mutex<Answers<T>>>,
    key: Key,
}

impl<T> Drop for Landing<T> {
    fn drop(&mut self) {
        self.running
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&self.key);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use tokio::sync::Notify;

    use super::*;

    #[tokio::test]
    async fn callers_at_the_same_time_share_one_flight() {
        let flights: Flights<u32> = Flights::default();
        let (runs, gate) = (Arc::new(AtomicU32::new(0)), Arc::new(Notify::new()));
        let call = |client: i64| {
            let (runs, gate) = (Arc::clone(&runs), Arc::clone(&gate));
            flights.join(
                ClientId(client),
                SourceId::default_source(),
                move || async move {
                    let run = runs.fetch_add(1, Ordering::SeqCst) + 1;
                    gate.notified().await;
                    run
                },
            )
        };
        let open_gates = async {
            // Both flights have begun once both wait: each permit lets one land.
            while runs.load(Ordering::SeqCst) < 2 {
                tokio::task::yield_now().await;
            }
            gate.notify_one();
            tokio::task::yield_now().await;
            gate.notify_one();
        };
        let (first, second, other, ()) = tokio::join!(call(1), call(1), call(2), open_gates);
        let [first, second, other] = [first, second, other].map(Option::unwrap);
        assert_eq!(first.answer, second.answer);
        assert_eq!((first.is_shared, second.is_shared), (false, true));
        assert_ne!(first.answer, other.answer);
        assert!(!other.is_shared);
        assert_eq!(runs.load(Ordering::SeqCst), 2);
        assert!(flights.lock().is_empty());
    }

    #[tokio::test]
    async fn a_flight_that_panics_does_not_block_the_next() {
        let flights: Flights<u32> = Flights::default();
        let source = SourceId::default_source();
        let crashed = flights
            .join(ClientId(1), source.clone(), || async { panic!("injected") })
            .await;
        assert_eq!(crashed, None);
        let next = flights.join(ClientId(1), source, || async { 7 }).await;
        assert_eq!(next.unwrap().answer, 7);
    }
}
