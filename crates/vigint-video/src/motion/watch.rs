//! What is remembered of one scene since its first frame, and how a frame is judged by it.

mod change;
mod learn;
mod slow;

use std::time::Duration;

use vigint_core::clock::UtcTime;

use super::background::Background;
use super::camera::{Camera, Showing};
use super::chain::Chain;
use super::field::{Picture, Size};
use super::flicker::Flicker;
use super::history::History;
use super::mask::Mask;
use super::noise::Noise;
use super::regions::{Region, Regions};
use super::visit::Visit;
use super::{MotionSample, MotionScratch, MotionSettings, MotionState};
use crate::grey::GreyPlane;

/// Ready after this time and this many frames, or after this time in any case when frames come slowly.
const READY: Duration = Duration::from_millis(350);
const READY_FRAMES: u32 = 3;
const READY_AT_LAST: Duration = Duration::from_millis(800);
/// A lag may be this much shorter, so that a camera's jitter does not double it.
const LAG_SHARE: f32 = 0.75;
/// A picture that shows nothing keeps the gate shut for so long; what moves in it afterwards is believed.
const LOST_SHUTS: Duration = Duration::from_secs(3);
/// The share of the picture that makes a score of 1.
const FULL_SCORE_SHARE: f32 = 0.01;

/// What is remembered of one scene.
#[derive(Debug)]
pub(super) struct Watch {
    size: Size,
    first_at: UtcTime,
    last_at: UtcTime,
    frames: u32,
    history: History,
    background: Background,
    noise: Noise,
    flicker: Flicker,
    fast: Chain,
    slow: Chain,
    visit: Visit,
    camera: Camera,
    last: MotionSample,
}

/// What changed over the short lag.
struct Change {
    /// All pixels that changed, and their areas; none of those when the frame tells nothing.
    mask: Mask,
    areas: Regions,
    /// The areas that may be something that moves.
    evidence: Vec<Region>,
}

/// What differs from the background.
struct Difference {
    mask: Mask,
    regions: Regions,
}

impl Watch {
    pub(super) fn begin(
        at: UtcTime,
        plane: &GreyPlane,
        settings: &MotionSettings,
        scratch: &mut MotionScratch,
    ) -> Self {
        let size = size_of(plane);
        scratch.load(plane.pixels(), size);
        Self {
            size,
            first_at: at,
            last_at: at,
            frames: 1,
            history: History::new(at, plane.clone(), long_enough(settings.slow_lag)),
            background: Background::new(&scratch.level, size),
            noise: Noise::new(size),
            flicker: Flicker::new(size),
            fast: Chain::default(),
            slow: Chain::default(),
            visit: Visit::new(size),
            camera: Camera::new(at, &scratch.level, &scratch.steps, size),
            last: MotionSample::without_motion(MotionState::Starting),
        }
    }

    /// Whether this time is not later than that of the last frame.
    pub(super) fn is_past(&self, at: UtcTime) -> bool {
        at <= self.last_at
    }

    /// What was said last.
    pub(super) fn last(&self) -> &MotionSample {
        &self.last
    }

    /// The newest plane.
    pub(super) fn newest(&self) -> &GreyPlane {
        self.history.newest()
    }

    /// Whether this frame belongs to what was seen so far.
    pub(super) fn goes_on_with(
        &self,
        at: UtcTime,
        plane: &GreyPlane,
        settings: &MotionSettings,
    ) -> bool {
        self.size == size_of(plane) && at.since(self.last_at) <= settings.max_gap
    }

    /// Judges a frame; one from the past changes nothing.
    pub(super) fn judge(
        &mut self,
        at: UtcTime,
        plane: &GreyPlane,
        settings: &MotionSettings,
        scratch: &mut MotionScratch,
    ) -> MotionSample {
        if self.is_past(at) {
            return self.last.clone();
        }
        let dt = at.since(self.last_at).as_secs_f32().clamp(0.001, 2.0);
        self.last_at = at;
        self.frames = self.frames.saturating_add(1);
        scratch.load(plane.pixels(), self.size);
        let is_ready = self.is_ready(at);

        let change = self.change(at, dt, settings, scratch);
        let difference = self.difference(dt, &change, settings, scratch);
        let mut fired = self
            .fast
            .extend(at, change.evidence.clone(), long_enough(settings.lag));
        fired.retain(|area| !self.blinks(at, plane, &change, area, settings));
        let (slow, stirs) = self.slow_change(at, &difference, settings, scratch);
        fired.extend(self.slow.extend(at, slow, long_enough(settings.slow_lag)));
        if !is_ready {
            fired.clear();
        }
        self.visit.touch(&difference.regions, &fired);
        self.visit
            .decide(at, dt, !fired.is_empty(), stirs, settings);
        let lost = self.camera.lost_for(at, &scratch.steps, dt);
        if self.has_another_scene(at, &change, &difference, settings, scratch) {
            *self = Self::begin(at, plane, settings, scratch);
            self.last = MotionSample::without_motion(MotionState::SceneChanged);
            return self.last.clone();
        }
        if self.camera.has_become_dark(lost) {
            self.begin_in_the_dark(at, plane, settings, scratch);
            return self.last.clone();
        }
        if lost.is_some_and(|lost| lost < LOST_SHUTS) {
            self.visit.shut();
        }
        if !self.camera.is_blind() {
            self.learn(at, dt, &change, &difference, settings, scratch);
        }
        self.history.push(at, plane);

        let hold = settings.hold;
        let state = if !is_ready {
            MotionState::Starting
        } else if self.visit.is_on() && !self.visit.is_quiet_for(at, hold) {
            MotionState::Moving
        } else if lost.is_some() && !self.visit.is_on() {
            MotionState::SceneChanged
        } else if self.visit.goes_on(settings) {
            MotionState::Present
        } else {
            MotionState::Quiet
        };
        let shown = match state {
            MotionState::Moving if !change.evidence.is_empty() => change.evidence.clone(),
            MotionState::Moving | MotionState::Present => self.held(&difference.regions),
            _ => Vec::new(),
        };
        self.last = MotionSample {
            on: self.visit.is_on(),
            score: self.score(state, &change.evidence, !fired.is_empty()),
            ..MotionSample::showing(state, shown, self.size)
        };
        self.last.clone()
    }

    /// Begins anew with the picture as it is, but knows what the camera usually shows: it may be covered, or the light
    /// is out and somebody comes with a torch.
    fn begin_in_the_dark(
        &mut self,
        at: UtcTime,
        plane: &GreyPlane,
        settings: &MotionSettings,
        scratch: &mut MotionScratch,
    ) {
        let anew = Self::begin(at, plane, settings, scratch);
        let before = std::mem::replace(self, anew);
        self.camera = before.camera;
        self.first_at = before.first_at;
        self.frames = before.frames;
        self.last = MotionSample::without_motion(MotionState::SceneChanged);
    }

    fn is_ready(&self, at: UtcTime) -> bool {
        let age = at.since(self.first_at);
        age >= READY_AT_LAST || (age >= READY && self.frames >= READY_FRAMES)
    }

    /// What differs from the background.
    fn difference(
        &mut self,
        dt: f32,
        change: &Change,
        settings: &MotionSettings,
        scratch: &mut MotionScratch,
    ) -> Difference {
        let frame = Picture {
            level: &scratch.level,
            steps: &scratch.steps,
        };
        self.background.compare(
            frame,
            &mut scratch.samples,
            &mut scratch.older_rounded,
            &mut scratch.older_steps,
            &mut scratch.other,
        );
        let limit = settings.background();
        let mask = self.noise.above(&scratch.other, limit, self.size);
        self.background.grow_older(&mask, &change.mask, dt);
        let regions = Regions::of(&mask);
        Difference { mask, regions }
    }

    /// Whether the camera looks at something else than before.
    fn has_another_scene(
        &mut self,
        at: UtcTime,
        change: &Change,
        difference: &Difference,
        settings: &MotionSettings,
        scratch: &mut MotionScratch,
    ) -> bool {
        // A visitor who stands before the lens is no other scene.
        let mut elsewhere = difference.mask.clone();
        elsewhere.remove(self.visit.touched());
        let showing = Showing {
            level: &scratch.level,
            noise: self.noise.picture(),
            differing: self.share(&elsewhere),
            changing: self.share(&change.mask),
            is_calm: self.visit.is_quiet_for(at, Camera::CALM),
            is_empty: !self.visit.goes_on(settings),
        };
        self.camera.has_changed(at, showing, &mut scratch.detail)
    }

    /// The areas that belong to the visit.
    fn held(&self, differing: &Regions) -> Vec<Region> {
        let areas = differing.list.iter().enumerate();
        areas
            .filter(|(number, _)| differing.meets(*number, self.visit.touched()))
            .map(|(_, area)| *area)
            .collect()
    }

    fn score(&self, state: MotionState, evidence: &[Region], fired: bool) -> f32 {
        let area = evidence.iter().map(|region| region.area).sum::<usize>() as f32;
        let moving = (area / self.size.pixels() as f32 / FULL_SCORE_SHARE).min(1.0);
        match state {
            MotionState::Starting | MotionState::SceneChanged => 0.0,
            _ if fired => moving,
            _ if evidence.is_empty() && self.visit.is_on() => 0.3,
            _ => moving / 2.0,
        }
    }

    fn share(&self, mask: &Mask) -> f32 {
        mask.count() as f32 / self.size.pixels() as f32
    }
}

/// The shortest time that counts as this lag.
fn long_enough(lag: Duration) -> Duration {
    lag.mul_f32(LAG_SHARE)
}

fn size_of(plane: &GreyPlane) -> Size {
    Size {
        width: usize::from(plane.width()),
        height: usize::from(plane.height()),
    }
}
