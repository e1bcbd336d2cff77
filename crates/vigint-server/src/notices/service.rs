//! The service as requests know it: sightings come in without making them wait.

use std::net::IpAddr;
use std::sync::Arc;

use tokio::sync::{Mutex, mpsc};
use vigint_core::clock::{Clock, UtcTime};
use vigint_core::key::KeyHash;
use vigint_core::random::Random;

use super::memory::{Mark, Memory, Recall};
use super::notice::NoticeKind;
use crate::database::Database;
use crate::metrics::Metrics;

/// Sightings that wait; more are counted and not looked at.
const QUEUE: usize = 256;

/// What the service is made of.
pub struct NoticesOptions {
    /// Rows.
    pub database: Database,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Where the ids of mails come from.
    pub random: Arc<dyn Random>,
    /// Where each is counted.
    pub metrics: Arc<Metrics>,
    /// The mail address of the operator, who need not have one.
    pub operator: Option<String>,
}

/// Something a request did, not yet looked at.
#[derive(Debug)]
pub struct Sighting {
    pub(super) mark: Mark,
    pub(super) what: What,
    pub(super) at: UtcTime,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum What {
    Key {
        hash: KeyHash,
        in_url: bool,
        address: IpAddr,
    },
    Burst {
        network: IpAddr,
        allowed: u32,
        is_admin: bool,
    },
}

/// Takes note of unusual use, and tells it.
pub struct Notices {
    pub(super) options: NoticesOptions,
    pub(super) memory: Memory,
    queue: mpsc::Sender<Sighting>,
    waiting: Mutex<mpsc::Receiver<Sighting>>,
}

impl Notices {
    /// The service. Whoever calls [`Notices::next`] and [`Notices::look_at`] makes it work.
    #[must_use]
    pub fn new(options: NoticesOptions) -> Self {
        let (queue, waiting) = mpsc::channel(QUEUE);
        Self {
            options,
            memory: Memory::default(),
            queue,
            waiting: Mutex::new(waiting),
        }
    }

    /// A request from this address was refused for its key. Whether there is such a key is found out later, by the
    /// same way for each: neither the answer nor its time tells.
    ///
    /// `is_over`: so many were refused from there that this one only counts, if it is known already. Who floods
    /// can neither keep the database busy nor hide among the flood what others do.
    pub fn key_refused(&self, hash: KeyHash, address: IpAddr, is_over: bool) {
        let what = What::Key {
            hash,
            in_url: false,
            address,
        };
        self.note(Mark::Refused(hash), what, !is_over);
    }

    /// A request from this address carried this key in its URL, and was refused. `is_over` as in
    /// [`Notices::key_refused`].
    pub fn key_in_url(&self, hash: KeyHash, address: IpAddr, is_over: bool) {
        let what = What::Key {
            hash,
            in_url: true,
            address,
        };
        self.note(Mark::InUrl(hash), what, !is_over);
    }

    /// More than the `allowed` keys a minute were refused from this network (an IPv4 address, or the first of an
    /// IPv6 /64).
    pub fn too_many_refused(&self, network: IpAddr, allowed: u32, is_admin: bool) {
        let what = What::Burst {
            network,
            allowed,
            is_admin,
        };
        let mark = Mark::Network {
            address: network,
            is_admin,
        };
        self.note(mark, what, true);
    }

    /// The next sighting, once there is one. For one caller at a time.
    pub async fn next(&self) -> Option<Sighting> {
        self.waiting.lock().await.recv().await
    }

    /// The next sighting, if there is one now.
    pub async fn next_waiting(&self) -> Option<Sighting> {
        self.waiting.lock().await.try_recv().ok()
    }

    pub(super) fn count(&self, kind: NoticeKind, times: u64) {
        let metrics = &self.options.metrics;
        metrics.count_unusual_uses(kind.as_str(), times);
    }

    pub(super) fn now(&self) -> UtcTime {
        self.options.clock.now()
    }

    pub(super) const fn database(&self) -> &Database {
        &self.options.database
    }

    fn note(&self, mark: Mark, what: What, may_be_new: bool) {
        let at = self.options.clock.now();
        match self.memory.note(mark, at, may_be_new) {
            Recall::Known(Some(kind)) => self.count(kind, 1),
            Recall::Known(None) | Recall::Passed => {}
            Recall::Full => self.options.metrics.count_unseen_use(),
            Recall::New => {
                if self.queue.try_send(Sighting { mark, what, at }).is_err() {
                    self.memory.forget(mark);
                    self.options.metrics.count_unseen_use();
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use vigint_core::clock::{ManualClock, UtcTime};
    use vigint_core::key::ApiKey;
    use vigint_core::random::SystemRandom;
    use vigint_db::Db;

    use super::*;

    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

    /// The service with nobody at work, on a database without a single table.
    fn notices() -> Notices {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:///{}/vigint.db", folder.path().display());
        let db = Db::open(&url.parse().unwrap(), 1).unwrap();
        Notices::new(NoticesOptions {
            database: Database::new(db, 1).unwrap(),
            clock: Arc::new(ManualClock::new(UtcTime::UNIX_EPOCH)),
            random: Arc::new(SystemRandom),
            metrics: Arc::default(),
            operator: None,
        })
    }

    fn any_key() -> KeyHash {
        ApiKey::generate(&SystemRandom).hash()
    }

    async fn waiting(notices: &Notices) -> usize {
        let mut waiting = 0;
        while notices.next_waiting().await.is_some() {
            waiting += 1;
        }
        waiting
    }

    #[tokio::test]
    async fn what_does_not_fit_into_the_queue_is_counted_and_may_come_again() {
        let notices = notices();
        for _ in 0..QUEUE {
            notices.key_refused(any_key(), HERE, false);
        }
        let late = any_key();
        notices.key_refused(late, HERE, false);
        notices.key_in_url(late, HERE, false);
        assert_eq!(notices.options.metrics.unseen_uses(), 2);
        assert_eq!(waiting(&notices).await, QUEUE);
        notices.key_refused(late, HERE, false);
        assert_eq!(waiting(&notices).await, 1);
    }

    #[tokio::test]
    async fn an_address_that_has_had_too_many_refused_brings_nothing_new() {
        let notices = notices();
        notices.key_refused(any_key(), HERE, true);
        notices.key_in_url(any_key(), HERE, true);
        assert_eq!(waiting(&notices).await, 0);
        for _ in 0..9 {
            notices.too_many_refused(HERE, 60, false);
        }
        assert_eq!(waiting(&notices).await, 1);
    }

    #[tokio::test]
    async fn what_the_database_failed_to_look_at_is_looked_at_when_it_comes_again() {
        let notices = notices();
        let key = any_key();
        notices.key_refused(key, HERE, false);
        notices.key_refused(key, HERE, false);
        let sighting = notices.next_waiting().await.unwrap();
        assert_eq!(waiting(&notices).await, 0, "the same waits once");
        notices.look_at(sighting).await;
        notices.key_refused(key, HERE, false);
        assert_eq!(waiting(&notices).await, 1);
    }
}
