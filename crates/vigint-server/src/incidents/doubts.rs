//! Incidents that nobody could confirm: the confirmation is tried again until somebody can say.
//!
//! Each detection that went out unconfirmed is looked at by itself: one "yes" confirms its incident, and only when all
//! of its detections were looked at again and were none is it vetoed.
//!
//! What is needed for it is kept in memory only, and bounded. The incident and its mail, which say that it is
//! unconfirmed, are kept already; a restart loses no more than the second opinion.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use vigint_core::clock::Clock;
use vigint_core::ids::{ClientId, IncidentId};
use vigint_db::auth::Caller;

use crate::analysis::{AnalyzerError, Look};

/// The first try comes after this; each wait is twice the one before…
const FIRST_WAIT: Duration = Duration::from_secs(5);
/// …and this at most.
const LONGEST_WAIT: Duration = Duration::from_secs(600);
/// After this the word of a person is worth more.
const GIVEN_UP_AFTER: Duration = Duration::from_secs(3 * 3600);
/// How often an answer may come that cannot be read: each was paid for.
const MOST_UNREADABLE: u32 = 3;
/// The most that are tried at once: whoever is let in with new frames finds turns left.
const MOST_TRIALS: usize = 16;
/// The most detections that wait: of an incident, of a client, and of all…
const MOST_OF_AN_INCIDENT: usize = 4;
const MOST_OF_A_CLIENT: usize = 8;
const MOST: usize = 64;
/// …and the most that their pictures may take, in bytes.
const MOST_BYTES_OF_A_CLIENT: usize = 32 << 20;
const MOST_BYTES: usize = 128 << 20;

/// One detection in doubt.
pub(super) struct Doubt {
    /// Whose it is, and whose key pays.
    pub(super) caller: Caller,
    pub(super) incident: IncidentId,
    /// What the confirmation looks at.
    pub(super) whole: Look,
}

/// All that wait, and those that are being tried.
pub(super) struct Doubts {
    clock: Arc<dyn Clock>,
    list: Mutex<Vec<Waiting>>,
}

/// An incident whose detections wait.
struct Waiting {
    caller: Caller,
    incident: IncidentId,
    /// Its detections, oldest first.
    looks: Vec<Look>,
    /// How many others were looked at again, and were none.
    refuted: i64,
    /// How often the one that is tried had an answer that cannot be read.
    unreadable: u32,
    since: Duration,
    due: Duration,
    wait: Duration,
    /// One of its detections is: the one at this place.
    being_tried: Option<usize>,
}

impl Waiting {
    fn client(&self) -> ClientId {
        self.caller.tenant.client_id()
    }

    fn bytes(&self) -> usize {
        self.looks.iter().map(Look::bytes).sum()
    }
}

/// A detection that is being tried. It stays where it is until somebody says what came of it: dropped without a word,
/// it is tried again.
pub(super) struct Trial {
    doubts: Arc<Doubts>,
    pub(super) caller: Caller,
    pub(super) incident: IncidentId,
    pub(super) whole: Look,
    is_over: bool,
}

impl Trial {
    /// There is nothing left to do for its incident.
    pub(super) fn settled(mut self) {
        self.is_over = true;
        let incident = self.incident;
        self.doubts.lock().retain(|one| one.incident != incident);
    }

    /// How many detections were none, if this one is not either and no other one waits.
    pub(super) fn refuted_with_it(&self) -> Option<i64> {
        let list = self.doubts.lock();
        let one = list.iter().find(|one| one.incident == self.incident)?;
        (one.looks.len() == 1).then_some(one.refuted + 1)
    }

    /// This one was none.
    pub(super) fn refuted(self) {
        self.end(|one| one.refuted += 1);
    }

    /// Nobody can say now. Whether somebody may later is in the error.
    pub(super) fn failed(self, error: &AnalyzerError) {
        let is_unreadable = matches!(error, AnalyzerError::Failed(_));
        let is_given_up = self.doubts.with(self.incident, |one| {
            one.unreadable += u32::from(is_unreadable);
            is_unreadable && one.unreadable >= MOST_UNREADABLE
        });
        if !error.may_pass() || is_given_up == Some(true) {
            tracing::warn!(incident = %self.incident, %error, "this detection stays unconfirmed");
            self.end(|_| {});
        }
    }

    /// Takes this detection out. The next of its incident is due at once.
    fn end(mut self, note: impl FnOnce(&mut Waiting)) {
        self.is_over = true;
        let now = self.doubts.clock.elapsed();
        let mut list = self.doubts.lock();
        let is_it = |one: &&mut Waiting| one.incident == self.incident && one.being_tried.is_some();
        if let Some(one) = list.iter_mut().find(is_it) {
            if let Some(place) = one.being_tried.take()
                && place < one.looks.len()
            {
                one.looks.remove(place);
            }
            one.due = now;
            one.unreadable = 0;
            note(one);
        }
        list.retain(|one| !one.looks.is_empty());
    }
}

impl Drop for Trial {
    fn drop(&mut self) {
        if !self.is_over {
            self.doubts.wait_longer(self.incident);
        }
    }
}

impl Doubts {
    pub(super) fn new(clock: &Arc<dyn Clock>) -> Self {
        Self {
            clock: Arc::clone(clock),
            list: Mutex::default(),
        }
    }

    /// Adds one, unless too many are there. Without it its incident cannot be vetoed any more, only confirmed.
    pub(super) fn add(&self, doubt: Doubt) {
        let now = self.clock.elapsed();
        let Doubt {
            caller,
            incident,
            whole,
        } = doubt;
        let mut list = self.lock();
        if !has_room(&list, &caller, incident, &whole) {
            tracing::info!(%incident, "a confirmation is not tried again: others wait already");
            return;
        }
        if let Some(one) = list.iter_mut().find(|one| one.incident == incident) {
            one.looks.push(whole);
            return;
        }
        list.push(Waiting {
            caller,
            incident,
            looks: vec![whole],
            refuted: 0,
            unreadable: 0,
            since: now,
            due: now + FIRST_WAIT,
            wait: FIRST_WAIT,
            being_tried: None,
        });
    }

    /// The newest detection of each incident whose time has come, the longest due first. One of a client at a time:
    /// its new frames must not wait for its old ones.
    pub(super) fn due(self: &Arc<Self>) -> Vec<Trial> {
        let now = self.clock.elapsed();
        let mut list = self.lock();
        list.sort_by_key(|one| one.due);
        let is_tried = |one: &&Waiting| one.being_tried.is_some();
        let mut busy: HashSet<ClientId> =
            list.iter().filter(is_tried).map(Waiting::client).collect();
        let room = MOST_TRIALS.saturating_sub(busy.len());
        let begin = |one: &mut Waiting| {
            if one.due > now || !busy.insert(one.client()) {
                return None;
            }
            let whole = one.looks.last()?.clone();
            one.being_tried = Some(one.looks.len() - 1);
            Some(Trial {
                doubts: Arc::clone(self),
                caller: one.caller.clone(),
                incident: one.incident,
                whole,
                is_over: false,
            })
        };
        list.iter_mut().filter_map(begin).take(room).collect()
    }

    /// The clients of whom any wait.
    pub(super) fn clients(&self) -> Vec<ClientId> {
        let clients: HashSet<ClientId> = self.lock().iter().map(Waiting::client).collect();
        clients.into_iter().collect()
    }

    /// Forgets a client's, with their pictures. One that is being tried does not come back.
    pub(super) fn forget(&self, client: ClientId) {
        self.lock().retain(|one| one.client() != client);
    }

    /// It is still in doubt. Given up when it has been for too long.
    fn wait_longer(&self, incident: IncidentId) {
        let now = self.clock.elapsed();
        self.lock().retain_mut(|one| {
            let Some(place) = one.being_tried.filter(|_| one.incident == incident) else {
                return true;
            };
            one.being_tried = None;
            if let Some(look) = one.looks.get_mut(place) {
                // Its pictures may have been made small meanwhile.
                *look = look.clone().shown_at_most(usize::MAX);
            }
            one.wait = (one.wait * 2).min(LONGEST_WAIT);
            one.due = now + one.wait;
            let is_given_up = one.due.saturating_sub(one.since) > GIVEN_UP_AFTER;
            if is_given_up {
                tracing::warn!(%incident, "nobody could confirm it; it stays unconfirmed");
            }
            !is_given_up
        });
    }

    /// Changes an incident that is being tried; none when it was forgotten meanwhile.
    fn with<T>(&self, incident: IncidentId, change: impl FnOnce(&mut Waiting) -> T) -> Option<T> {
        let mut list = self.lock();
        let is_it = |one: &&mut Waiting| one.incident == incident && one.being_tried.is_some();
        list.iter_mut().find(is_it).map(change)
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Waiting>> {
        self.list.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn has_room(list: &[Waiting], caller: &Caller, incident: IncidentId, whole: &Look) -> bool {
    let client = caller.tenant.client_id();
    let sums = |is_of: &dyn Fn(&Waiting) -> bool| {
        let of = list.iter().filter(|one| is_of(one));
        of.fold((0, whole.bytes()), |(looks, bytes), one| {
            (looks + one.looks.len(), bytes + one.bytes())
        })
    };
    let (of_incident, _) = sums(&|one| one.incident == incident);
    let (of_client, bytes_of_client) = sums(&|one| one.client() == client);
    let (of_all, bytes_of_all) = sums(&|_| true);
    of_incident < MOST_OF_AN_INCIDENT
        && of_client < MOST_OF_A_CLIENT
        && of_all < MOST
        && bytes_of_client <= MOST_BYTES_OF_A_CLIENT
        && bytes_of_all <= MOST_BYTES
}

#[cfg(test)]
mod tests;
