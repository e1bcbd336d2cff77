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
        self.note(Mark::Network(network), what, true);
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
