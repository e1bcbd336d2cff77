//! What is remembered of one scene since its first frame, and how a frame is judged by it.

use std::time::Duration;

use vigint_core::clock::UtcTime;

use super::background::Background;
use super::camera::{Camera, Showing};
use super::chain::Chain;
use super::exposure::Exposure;
use super::field::{Picture, Size, steepest_steps};
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
/// A picture that should be a lag old and is older than this many has missed what happened between.
const MOST_LAG: f32 = 2.5;
/// A frame tells nothing when this share of the picture changes, or less than this share is as predicted.
const MAX_CHANGE: f32 = 0.5;
const MIN_INLIERS: f32 = 0.4;
/// A thing has a core: this share of it has stood for so long, in milliseconds.
const CORE: f32 = 0.4;
const CORE_MILLIS: u16 = 1_000;
/// A thing that this share of has stood for long belongs to the background. Longer than this, in milliseconds, no
/// pixel's age is known.
const STANDING: f32 = 0.5;
const MOST_AGE: u16 = 65_000;
/// A still area is asked whether it is a hole when half of it has stood for so long, in milliseconds.
const HOLE_MILLIS: u16 = 1_500;
/// What flickers for this share of the time is no sign of life; nor are fewer pixels than this, or a share of
/// what stands there that is not this many times what stirs elsewhere, and a hundredth more.
const LIFE_FLICKER: f32 = 0.4;
const LIFE_PIXELS: usize = 6;
const LIFE_FACTOR: f32 = 4.0;
/// A picture that shows nothing keeps the gate shut for so long; what moves in it afterwards is believed.
const LOST_SHUTS: Duration = Duration::from_secs(3);
/// An area that looks as it did a moment before in this share of its pixels has blinked.
const SAME_AGAIN: f32 = 0.9;
/// Only so many areas of a frame are looked at, the largest.
const MAX_AREAS: usize = 64;
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

    /// What changed since the newest frame that is at least the lag old.
    fn change(
        &mut self,
        at: UtcTime,
        dt: f32,
        settings: &MotionSettings,
        scratch: &mut MotionScratch,
    ) -> Change {
        let size = self.size;
        let older = self.history.older(at, long_enough(settings.lag));
        scratch.load_older(older.pixels(), size);
        let (frame, older) = (&scratch.level, &scratch.older_level);
        let fit = Exposure::fit(older, frame, None, size, &mut scratch.samples);
        scratch.change.make(
            Picture {
                level: frame,
                steps: &scratch.steps,
            },
            Picture {
                level: older,
                steps: &scratch.older_steps,
            },
            &fit,
            size,
        );
        if let Some(spread) = fit.spread {
            self.noise.learn_spread(spread, dt);
        }
        let foreground = self.background.foreground();
        self.noise.learn_shake(&scratch.change, foreground, dt);
        let limit = settings.change();
        let mask = self.noise.above(&scratch.change, limit, size);
        // What a pixel's noise has come to excuse flickers all the same.
        let flickering = self.noise.plainly_above(&scratch.change, limit, size);
        self.flicker.learn(&flickering, dt);
        let tells = self.share(&mask) <= MAX_CHANGE && fit.inliers >= MIN_INLIERS;
        let areas = if tells {
            Regions::of(&mask)
        } else {
            Regions::default()
        };
        let evidence = self.evidence(&areas, settings);
        Change {
            mask,
            areas,
            evidence,
        }
    }

    /// The areas of change that may be something that moves.
    fn evidence(&self, areas: &Regions, settings: &MotionSettings) -> Vec<Region> {
        if areas.list.is_empty() {
            return Vec::new();
        }
        let places = self.flicker.places();
        let numbers = areas.largest(MAX_AREAS).into_iter();
        numbers
            .filter(|number| !self.flicker.is_in_place(areas, *number, &places))
            .filter_map(|number| areas.list.get(number).copied())
            .filter(|area| area.area >= settings.min_area)
            .collect()
    }

    /// Whether an area of change looks as it did before it changed: what blinks comes back to what it was, what moves
    /// does not, for it covers a place and uncovers another.
    fn blinks(
        &self,
        at: UtcTime,
        plane: &GreyPlane,
        change: &Change,
        area: &Region,
        settings: &MotionSettings,
    ) -> bool {
        let floor = self.noise.floor(settings.change());
        let Some(number) = change.areas.list.iter().position(|other| other == area) else {
            return false;
        };
        let lag = settings.lag;
        let mut older = self
            .history
            .before(at, long_enough(lag), lag.mul_f32(MOST_LAG));
        older.any(|older| {
            let pixels = change.areas.pixels(number, self.size.width);
            let same = pixels.filter(|at| {
                let levels = plane.pixels().get(*at).zip(older.pixels().get(*at));
                levels.is_some_and(|(now, then)| f32::from(now.abs_diff(*then)) <= floor)
            });
            same.count() as f32 >= SAME_AGAIN * area.area as f32
        })
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

    /// The areas that change slowly inside things that stand, and whether something that belongs to the visit
    /// stirs.
    fn slow_change(
        &mut self,
        at: UtcTime,
        difference: &Difference,
        settings: &MotionSettings,
        scratch: &mut MotionScratch,
    ) -> (Vec<Region>, bool) {
        let size = self.size;
        let mut things = Mask::new(size);
        let list = &difference.regions.list;
        for number in (0..list.len()).filter(|number| {
            self.background
                .has_stood(&difference.regions, *number, CORE, CORE_MILLIS)
        }) {
            difference.regions.draw(number, &mut things);
        }
        if things.is_empty() {
            return (Vec::new(), false);
        }
        let older = self.history.older(at, long_enough(settings.slow_lag));
        scratch.load_older(older.pixels(), size);
        let (frame, older) = (&scratch.level, &scratch.older_level);
        let fit = Exposure::fit(older, frame, None, size, &mut scratch.samples);
        scratch.other.make(
            Picture {
                level: frame,
                steps: &scratch.steps,
            },
            Picture {
                level: older,
                steps: &scratch.older_steps,
            },
            &fit,
            size,
        );
        let around = things.grown();
        let limit = settings.change();
        let mut slow = self.noise.above(&scratch.other, limit, size);
        slow.keep(&around);
        let areas = Regions::of(&slow);
        let slow = areas.list.iter().enumerate().filter(|(number, area)| {
            area.area >= settings.min_area_slow && self.flicker.is_calm(&areas, *number)
        });
        let slow = slow.map(|(_, area)| *area).collect();

        let mut stirring = self.noise.above(&scratch.other, settings.life(), size);
        stirring.remove(&self.flicker.above(LIFE_FLICKER));
        let mut visitor = things;
        visitor.keep(self.visit.touched());
        (slow, is_life(&stirring, &visitor.grown()))
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

    /// Learns background and noise from the frame, and takes in what does not belong to a visit any more.
    fn learn(
        &mut self,
        at: UtcTime,
        dt: f32,
        change: &Change,
        difference: &Difference,
        settings: &MotionSettings,
        scratch: &mut MotionScratch,
    ) {
        let mut gone = Mask::new(self.size);
        if self.visit.is_still_for(at, settings.static_after) {
            gone.add(self.visit.touched());
        } else if !self.visit.lives(at, settings) {
            self.draw_standing(difference, settings, &mut gone);
        }
        if gone.is_empty()
            && !self.visit.touched().is_empty()
            && self
                .visit
                .is_quiet_for(at, Duration::from_millis(u64::from(HOLE_MILLIS)))
        {
            self.draw_holes(difference, scratch, &mut gone);
        }
        let masks = (&difference.mask, self.visit.touched(), &change.mask);
        let tau = settings.background_tau.as_secs_f32();
        self.background.learn(&scratch.level, masks, dt, tau);
        let mut busy = self.background.foreground().clone();
        busy.remove(&self.flicker.mask());
        self.noise.learn_pixels(&scratch.change, &busy, dt);
        if !gone.is_empty() {
            self.background.absorb(&scratch.level, &gone);
            self.visit.release(&gone);
        }
    }

    /// Draws the areas of the visit that have stood for so long that they belong to the background, whatever moves
    /// elsewhere.
    fn draw_standing(
        &self,
        difference: &Difference,
        settings: &MotionSettings,
        standing: &mut Mask,
    ) {
        let regions = &difference.regions;
        let millis = settings.static_after.as_millis().min(u128::from(MOST_AGE));
        let millis = u16::try_from(millis).unwrap_or(MOST_AGE);
        for number in 0..regions.list.len() {
            if self.background.has_stood(regions, number, STANDING, millis)
                && regions.meets(number, self.visit.touched())
            {
                regions.draw(number, standing);
            }
        }
    }

    /// Draws the areas of the visit where a thing was taken away.
    fn draw_holes(&self, difference: &Difference, scratch: &mut MotionScratch, holes: &mut Mask) {
        let regions = &difference.regions;
        self.background.round(&mut scratch.older_rounded);
        steepest_steps(&scratch.older_rounded, self.size, &mut scratch.older_steps);
        for number in 0..regions.list.len() {
            let stands = self.background.has_stood(regions, number, 0.5, HOLE_MILLIS);
            if stands
                && regions.meets(number, self.visit.touched())
                && self
                    .background
                    .is_hole(regions, number, &scratch.steps, &scratch.older_steps)
            {
                regions.draw(number, holes);
            }
        }
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

/// Whether what stirs is in the visitor rather than anywhere.
fn is_life(stirring: &Mask, visitor: &Mask) -> bool {
    let mut within = stirring.clone();
    within.keep(visitor);
    let inside = within.count();
    if inside < LIFE_PIXELS {
        return false;
    }
    let (area, all) = (visitor.count(), stirring.size().pixels());
    let outside = (stirring.count() - inside) as f32 / (all - area).max(1) as f32;
    inside as f32 / area as f32 > LIFE_FACTOR * outside + 0.01
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
