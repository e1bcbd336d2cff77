//! What a camera is like at this moment, what its pictures' clock says, and who may look: what all of its connections
//! share.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::interval;
use vigint_core::clock::{Clock as _, SystemClock, UtcTime};

use super::film::FRAMES_PER_SECOND;
use super::login::Login;
use super::picture::PictureSize;
use super::request::Request;

/// So many times too many pictures are a flood.
const FLOOD: u32 = 8;
/// For so many pictures it is remembered when they were taken: more than half an hour.
const REMEMBERED: usize = 20_000;

/// How a camera is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition {
    /// It does what it should.
    Well,
    /// Its port is closed.
    Down,
    /// Connections stay, and no byte comes; new ones are taken and not answered.
    Frozen,
    /// In place of pictures it sends random bytes.
    Garbage,
    /// It sends far too many pictures.
    Flooding,
    /// It knows no such stream.
    NotFound,
}

/// A camera's state, to be watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CameraState {
    /// How it is.
    pub condition: Condition,
    /// The size of its pictures.
    pub size: PictureSize,
    /// Whether it can be connected to.
    pub listens: bool,
    /// To how many it shows pictures now.
    pub viewers: usize,
    /// With each of these all connections are cut.
    pub(crate) cuts: u64,
    /// After which time it comes up again by itself.
    pub(crate) down_for: Option<Duration>,
}

#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) state: watch::Sender<CameraState>,
    /// The number of the newest picture, from the camera's first on.
    pub(crate) numbers: watch::Sender<u32>,
    pub(crate) nonce: String,
    login: Mutex<Option<Login>>,
    taken: Mutex<VecDeque<(UtcTime, u32)>>,
    shown: Mutex<VecDeque<UtcTime>>,
    clock: SystemClock,
}

impl Shared {
    pub(crate) fn new(login: Option<Login>, nonce: String) -> Self {
        Self {
            state: watch::Sender::new(CameraState {
                condition: Condition::Well,
                size: PictureSize::USUAL,
                listens: true,
                viewers: 0,
                cuts: 0,
                down_for: None,
            }),
            numbers: watch::Sender::new(0),
            nonce,
            login: Mutex::new(login),
            taken: Mutex::default(),
            shown: Mutex::default(),
            clock: SystemClock::new(),
        }
    }

    /// Takes pictures, for ever.
    pub(crate) async fn take_pictures(&self) {
        let period = Duration::from_secs(1) / FRAMES_PER_SECOND;
        let mut state = self.state.subscribe();
        loop {
            let is_flooding = state.borrow_and_update().condition == Condition::Flooding;
            let factor = if is_flooding { FLOOD } else { 1 };
            let mut ticks = interval(period / factor);
            // The first tick comes at once.
            ticks.tick().await;
            let was = is_flooding;
            while (state.borrow().condition == Condition::Flooding) == was {
                ticks.tick().await;
                self.take_picture();
            }
        }
    }

    fn take_picture(&self) {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let number = self.numbers.borrow().wrapping_add(1);
        if taken.len() == REMEMBERED {
            taken.pop_front();
        }
        taken.push_back((self.clock.now(), number));
        self.numbers.send_replace(number);
    }

    /// The number of the newest picture at this time; `None` before the first, or when that is forgotten.
    pub(crate) fn number_at(&self, at: UtcTime) -> Option<u32> {
        let taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let later = taken.partition_point(|(when, _)| *when <= at);
        taken.get(later.checked_sub(1)?).map(|(_, number)| *number)
    }

    /// The next picture has the number after this one.
    pub(crate) fn count_from(&self, number: u32) {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        taken.clear();
        self.numbers.send_replace(number);
    }

    /// When the picture of this number was taken; `None` when that is to come, or forgotten.
    pub(crate) fn taken_at(&self, number: u32) -> Option<UtcTime> {
        let taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let at = taken.binary_search_by_key(&number, |(_, number)| *number);
        taken.get(at.ok()?).map(|(when, _)| *when)
    }

    /// Takes note that a viewer is shown one more picture.
    pub(crate) fn note_shown(&self) {
        let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        if shown.len() == REMEMBERED {
            shown.pop_front();
        }
        shown.push_back(self.clock.now());
    }

    /// How many were shown after the one time and up to the other.
    pub(crate) fn shown(&self, after: UtcTime, until: UtcTime) -> usize {
        let shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        let is_within = |at: &&UtcTime| after < **at && **at <= until;
        shown.iter().filter(is_within).count()
    }

    pub(crate) fn login(&self) -> MutexGuard<'_, Option<Login>> {
        self.login.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a request may be answered; else what is demanded.
    pub(crate) fn admits(&self, request: &Request) -> Result<(), String> {
        match &*self.login() {
            Some(login) if !login.is_shown_by(request, &self.nonce) => {
                Err(login.challenge(&self.nonce))
            }
            _ => Ok(()),
        }
    }

    pub(crate) fn now(&self) -> CameraState {
        *self.state.borrow()
    }

    /// Waits for as long as it is frozen.
    pub(crate) async fn thawed(&self) {
        let mut state = self.state.subscribe();
        // The sender is ours: it cannot be gone.
        let _ = state
            .wait_for(|state| state.condition != Condition::Frozen)
            .await;
    }

    pub(crate) fn cut(&self, change: impl FnOnce(&mut CameraState)) {
        self.state.send_modify(|state| {
            state.cuts += 1;
            state.down_for = None;
            change(state);
        });
    }
}

/// Somebody who is shown pictures, for as long as this is kept.
#[derive(Debug)]
pub(crate) struct Viewer<'a>(&'a Shared);

impl<'a> Viewer<'a> {
    pub(crate) fn new(shared: &'a Shared) -> Self {
        shared.state.send_modify(|state| state.viewers += 1);
        Self(shared)
    }
}

impl Drop for Viewer<'_> {
    fn drop(&mut self) {
        self.0.state.send_modify(|state| state.viewers -= 1);
    }
}
