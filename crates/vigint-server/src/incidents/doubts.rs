//! Incidents that nobody could confirm: the confirmation is tried again until somebody can say.
//!
//! What is needed for it is kept in memory only, and bounded. The incident and its mail, which say that it is
//! unconfirmed, are kept already; a restart loses no more than the second opinion.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use vigint_core::clock::Clock;
use vigint_core::ids::{ClientId, IncidentId};
use vigint_db::auth::Caller;
use vigint_db::incidents::IncidentRow;

use crate::analysis::Look;

/// The first try comes after this; each wait is twice the one before…
const FIRST_WAIT: Duration = Duration::from_secs(5);
/// …and this at most.
const LONGEST_WAIT: Duration = Duration::from_secs(600);
/// After this the word of a person is worth more.
const GIVEN_UP_AFTER: Duration = Duration::from_secs(3 * 3600);
/// The most that wait, each with the pictures of one look: a client's, and all clients'.
const MOST_OF_A_CLIENT: usize = 4;
const MOST: usize = 32;

/// One incident in doubt.
#[derive(Clone)]
pub(super) struct Doubt {
    /// Whose it is, and whose key pays.
    pub(super) caller: Caller,
    pub(super) incident: IncidentId,
    /// How many detections it had: what is said of this one is not said of later ones.
    pub(super) occurrences: i64,
    /// What the confirmation looks at.
    pub(super) whole: Look,
    since: Duration,
    due: Duration,
    wait: Duration,
}

/// All that wait.
pub(super) struct Doubts {
    clock: Arc<dyn Clock>,
    list: Mutex<Vec<Doubt>>,
}

impl Doubts {
    pub(super) fn new(clock: &Arc<dyn Clock>) -> Self {
        Self {
            clock: Arc::clone(clock),
            list: Mutex::default(),
        }
    }

    /// Adds one, unless it is there or too many are.
    pub(super) fn add(&self, caller: &Caller, row: &IncidentRow, whole: Look) {
        let incident = row.id;
        let now = self.clock.elapsed();
        let client = caller.tenant.client_id();
        let mut list = self.lock();
        let of_client = list.iter().filter(|doubt| doubt.client() == client).count();
        let is_there = list.iter().any(|doubt| doubt.incident == incident);
        if is_there || of_client >= MOST_OF_A_CLIENT || list.len() >= MOST {
            tracing::info!(%incident, "its confirmation is not tried again: others wait already");
            return;
        }
        list.push(Doubt {
            caller: caller.clone(),
            incident,
            occurrences: row.occurrences,
            whole,
            since: now,
            due: now + FIRST_WAIT,
            wait: FIRST_WAIT,
        });
    }

    /// Takes out the one that waits the longest of those whose time has come.
    pub(super) fn take_due(&self) -> Option<Doubt> {
        let now = self.clock.elapsed();
        let mut list = self.lock();
        let due = list
            .iter()
            .enumerate()
            .filter(|(_, doubt)| doubt.due <= now);
        let (place, _) = due.min_by_key(|(_, doubt)| doubt.due)?;
        Some(list.swap_remove(place))
    }

    /// One of each client and key.
    pub(super) fn callers(&self) -> Vec<Caller> {
        let list = self.lock();
        let mut callers: Vec<Caller> = list.iter().map(|doubt| doubt.caller.clone()).collect();
        callers.sort_by_key(|caller| (caller.tenant.client_id(), caller.key_id));
        callers.dedup_by_key(|caller| (caller.tenant.client_id(), caller.key_id));
        callers
    }

    /// Forgets what a key asked for, with its pictures.
    pub(super) fn forget_key(&self, caller: &Caller) {
        let is_of = |doubt: &Doubt| {
            doubt.client() == caller.tenant.client_id() && doubt.caller.key_id == caller.key_id
        };
        self.lock().retain(|doubt| !is_of(doubt));
    }

    /// Puts one back that is still in doubt, unless it has been for too long.
    pub(super) fn put_back(&self, mut doubt: Doubt) {
        let now = self.clock.elapsed();
        doubt.wait = (doubt.wait * 2).min(LONGEST_WAIT);
        doubt.due = now + doubt.wait;
        if doubt.due.saturating_sub(doubt.since) > GIVEN_UP_AFTER {
            let incident = doubt.incident;
            tracing::warn!(%incident, "nobody could confirm it; it stays unconfirmed");
            return;
        }
        self.lock().push(doubt);
    }

    /// Forgets a client's, with their pictures.
    pub(super) fn forget(&self, client: ClientId) {
        self.lock().retain(|doubt| doubt.client() != client);
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Doubt>> {
        self.list.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Doubt {
    fn client(&self) -> ClientId {
        self.caller.tenant.client_id()
    }
}
