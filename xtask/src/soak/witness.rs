//! Who sees each frame that the server has acknowledged, and judges by what is in it; and hears what else is said.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use std::time::Duration;

use vigint_core::clock::{Clock as _, SystemClock, UtcTime};
use vigint_testkit::camera::{Camera, counter};
use vigint_testkit::fault_proxy::{Passed, PassedFrame};

use super::complaints::Complaints;
use super::fleet::{FILM_PICTURES, Fleet, Post};
use super::order::{Order, Seen, nearest};
use super::rate::{Count, Recent};
use super::secrets::Secrets;
use super::unreadable::{FEW, Unreadable};

/// A picture reaches the client within this time, by its own word: while a camera is opened some wait, up to seven seconds
/// where the machine is busy. Where two cameras change places, those of one are older.
const FRESH: Duration = Duration::from_secs(15);

/// Frames of all cameras.
pub(super) struct Witness {
    fleet: Arc<Fleet>,
    complaints: Arc<Complaints>,
    clock: SystemClock,
    watched: Vec<Mutex<Watched>>,
    secrets: Arc<Secrets>,
    /// Names of secrets that were said between client and server; each is told once.
    heard: Mutex<BTreeSet<String>>,
}

#[derive(Default)]
struct Watched {
    order: Order,
    newest: Option<Newest>,
    /// When a picture came that none had shown before.
    last_new: Option<UtcTime>,
    recent: Recent,
    unreadable: Unreadable,
    /// Bytes of the largest picture.
    largest: usize,
    oldest: Duration,
    is_stale: bool,
    out_of_order: u64,
}

#[derive(Clone, Copy)]
struct Newest {
    acknowledged_at: UtcTime,
    seen: Seen,
}

/// All frames together.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Totals {
    pub(super) frames: u64,
    pub(super) unreadable: u64,
    pub(super) out_of_order: u64,
    /// Bytes of the largest picture.
    pub(super) largest: usize,
    /// The longest from when a camera took a picture to when the client had it.
    pub(super) oldest: Duration,
}

impl Witness {
    pub(super) fn new(
        fleet: Arc<Fleet>,
        complaints: Arc<Complaints>,
        secrets: Arc<Secrets>,
    ) -> Self {
        let watched = fleet.posts.iter().map(|_| Mutex::default()).collect();
        Self {
            fleet,
            complaints,
            clock: SystemClock::new(),
            watched,
            secrets,
            heard: Mutex::default(),
        }
    }

    /// What passes between client and server.
    pub(super) fn observe(&self, passed: Passed) {
        match passed {
            Passed::Frame(frame) => self.see(&frame),
            Passed::Said(said) => {
                let mut heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
                for name in self.secrets.in_bytes(&said) {
                    if heard.insert(name.clone()) {
                        self.complaints
                            .add(&format!("{name} is said between client and server"));
                    }
                }
            }
            Passed::NotFollowed(why) => {
                self.complaints.add(&format!(
                    "the proxy could not follow client and server, and cut them: {why}"
                ));
            }
        }
    }

    /// How many secrets were said between client and server.
    pub(super) fn secrets_heard(&self) -> usize {
        self.heard
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .len()
    }

    /// The next frame that was acknowledged.
    fn see(&self, frame: &PassedFrame) {
        let posts = self.fleet.posts.iter().zip(&self.watched);
        let Some((post, watched)) = posts
            .into_iter()
            .find(|(post, _)| post.id == frame.source_id)
        else {
            let unknown = &frame.source_id;
            self.complaints
                .add(&format!("a frame of a camera that is not there: {unknown}"));
            return;
        };
        let acknowledged_at = self.clock.now();
        let at = frame.captured_at.unwrap_or(acknowledged_at);
        let number = counter::read_jpeg(&frame.jpeg);
        let mut watched = watched.lock().unwrap_or_else(PoisonError::into_inner);
        watched.largest = watched.largest.max(frame.jpeg.len());
        let picture = number.and_then(|number| match &post.camera {
            Some(camera) => {
                camera.running_number(number, frame.captured_at.unwrap_or(acknowledged_at))
            }
            // A film waits and loses nothing.
            None => Some(nearest(
                number,
                FILM_PICTURES,
                watched.order.last_picture().unwrap_or(0),
            )),
        });
        let seen = Seen {
            picture,
            captured_at: frame.captured_at,
            frame_count: frame.frame_count,
        };
        watched.newest = Some(Newest {
            acknowledged_at,
            seen,
        });
        if picture > watched.order.last_picture() {
            watched.last_new = Some(acknowledged_at);
        }
        let picture_at = post.camera.as_ref().zip(picture);
        let picture_at = picture_at.and_then(|(camera, picture)| camera.taken_at(picture));
        let age = picture_at.map_or(Duration::ZERO, |taken| at.since(taken));
        watched.oldest = watched.oldest.max(age);
        if age > FRESH && !watched.is_stale {
            watched.is_stale = true;
            self.complaints.add(&format!(
                "{} ({}) shows a picture that it took {:.1} s before: is it another camera's?",
                post.id,
                post.kind,
                age.as_secs_f32()
            ));
        }
        // A film's times are its own.
        let taken_at = post.camera.as_ref().and(frame.captured_at);
        watched.recent.add(taken_at.unwrap_or(acknowledged_at));
        let most = if post.camera.is_some() { FEW } else { 0 };
        if watched.unreadable.is_too_many(picture.is_some(), at, most) {
            self.complaints.add(&format!(
                "{} ({}): in more than {most} frames in a row no number can be read, and it sends no garbage",
                post.id, post.kind
            ));
        }
        if let Err(wrong) = watched.order.next(seen) {
            watched.out_of_order += 1;
            self.complaints
                .add(&format!("{} ({}): {wrong}", post.id, post.kind));
        }
    }

    /// Whether the camera of this place has shown a picture that was taken after this time.
    pub(super) fn has_seen(&self, place: usize, after: UtcTime) -> bool {
        let (Some(post), Some(watched)) = (self.fleet.posts.get(place), self.watched.get(place))
        else {
            return false;
        };
        let watched = watched.lock().unwrap_or_else(PoisonError::into_inner);
        watched
            .newest
            .is_some_and(|newest| is_after(post, newest, after))
    }

    /// When the camera of this place last showed a picture that it had not shown before.
    pub(super) fn last_new(&self, place: usize) -> Option<UtcTime> {
        let watched = self.watched.get(place)?;
        watched
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .last_new
    }

    /// What came of the camera of this place in the newest window that began after this time.
    pub(super) fn recent(&self, place: usize, since: UtcTime) -> Option<Count> {
        let camera = self.fleet.posts.get(place)?.camera.as_ref();
        let watched = self.watched.get(place)?;
        let watched = watched.lock().unwrap_or_else(PoisonError::into_inner);
        watched.recent.count(camera, since, self.clock.now())
    }

    /// The camera of this place begins or ends to send garbage.
    pub(super) fn is_garbage(&self, place: usize, is_garbage: bool) {
        if let Some(watched) = self.watched.get(place) {
            let mut watched = watched.lock().unwrap_or_else(PoisonError::into_inner);
            let now = self.clock.now();
            match is_garbage {
                true => watched.unreadable.garbage_begins(now),
                false => watched.unreadable.garbage_ends(now),
            }
        }
    }

    pub(super) fn totals(&self) -> Totals {
        let mut totals = Totals::default();
        for watched in &self.watched {
            let watched = watched.lock().unwrap_or_else(PoisonError::into_inner);
            totals.frames += watched.order.frames;
            totals.unreadable += watched.unreadable.frames;
            totals.out_of_order += watched.out_of_order;
            totals.oldest = totals.oldest.max(watched.oldest);
            totals.largest = totals.largest.max(watched.largest);
        }
        totals
    }
}

/// By the number in the picture and by the client's word. A film's times are its own: of it counts when it came.
fn is_after(post: &Post, newest: Newest, after: UtcTime) -> bool {
    let by_number = |camera: &Camera| newest.seen.picture > camera.number_at(after);
    match &post.camera {
        Some(camera) => newest.seen.captured_at > Some(after) && by_number(camera),
        None => newest.acknowledged_at > after,
    }
}
