//! One source's gate: takes frames in order of time and says what it thinks after each.

use std::collections::VecDeque;
use std::time::Duration;

use vigint_core::clock::UtcTime;

use super::background::{Background, Difference};
use super::chain::Chain;
use super::exposure::Exposure;
use super::field::{Size, common_edges, sharp_difference};
use super::noise::Noise;
use super::regions::{self, Region};
use super::{MotionBox, MotionSample, MotionSettings, MotionState};
use crate::grey::GreyPlane;

/// Ready after this time and this many frames, or after this time in any case when frames come slowly.
const READY: Duration = Duration::from_millis(350);
const READY_FRAMES: u32 = 3;
const READY_AT_LAST: Duration = Duration::from_millis(800);
/// A frame tells nothing when this share of the picture changes, or less than this share is as predicted.
const MAX_CHANGE: f32 = 0.5;
const MIN_INLIERS: f32 = 0.4;
/// What is left after motion is crumbs below this share of what was there, which is forgotten with this
/// time constant in seconds.
const CRUMBS: f32 = 0.3;
const PEAK_TAU: f32 = 4.0;
/// A still area is asked whether it is a hole this long after the last motion.
const HOLE_AFTER: Duration = Duration::from_millis(1500);
/// The share of the picture that makes a score of 1.
const FULL_SCORE_SHARE: f32 = 0.01;
const MAX_BOXES: usize = 16;

/// The motion gate of one source.
#[derive(Debug)]
pub struct MotionDetector {
    settings: MotionSettings,
    watch: Option<Watch>,
}

impl MotionDetector {
    /// A gate that has seen nothing yet.
    #[must_use]
    pub fn new(settings: MotionSettings) -> Self {
        Self {
            settings,
            watch: None,
        }
    }

    /// Judges the next frame, taken `at` this time.
    ///
    /// A frame not later than the one before is ignored: the answer is the last one again. A gap longer
    /// than [`MotionSettings::max_gap`] or another size of the plane starts anew.
    pub fn push(&mut self, at: UtcTime, plane: &GreyPlane) -> MotionSample {
        let size = Size {
            width: usize::from(plane.width()),
            height: usize::from(plane.height()),
        };
        let frame: Vec<f32> = plane
            .pixels()
            .iter()
            .map(|&pixel| f32::from(pixel))
            .collect();
        match &mut self.watch {
            Some(watch)
                if watch.size == size && at.since(watch.last_at) <= self.settings.max_gap =>
            {
                if at > watch.last_at {
                    watch.judge(at, frame, &self.settings);
                }
                watch.last.clone()
            }
            stale => stale.insert(Watch::begin(at, frame, size)).last.clone(),
        }
    }
}

/// What is remembered of one source since its first frame.
#[derive(Debug)]
struct Watch {
    size: Size,
    first_at: UtcTime,
    last_at: UtcTime,
    frames: u32,
    /// Frames back to the lag, oldest first.
    recent: VecDeque<(UtcTime, Vec<f32>)>,
    background: Background,
    noise: Noise,
    chain: Chain,
    on: bool,
    last_motion: Option<UtcTime>,
    /// The largest area held lately, in pixels.
    peak: f32,
    last: MotionSample,
}

impl Watch {
    fn begin(at: UtcTime, frame: Vec<f32>, size: Size) -> Self {
        Self {
            size,
            first_at: at,
            last_at: at,
            frames: 1,
            recent: VecDeque::from([(at, frame.clone())]),
            background: Background::new(frame),
            noise: Noise::new(size),
            chain: Chain::default(),
            on: false,
            last_motion: None,
            peak: 0.0,
            last: MotionSample {
                state: MotionState::Starting,
                on: false,
                score: 0.0,
                share: 0.0,
                boxes: Vec::new(),
            },
        }
    }

    fn judge(&mut self, at: UtcTime, frame: Vec<f32>, settings: &MotionSettings) {
        let dt = at.since(self.last_at).as_secs_f32().clamp(0.001, 2.0);
        let chain_length = settings.lag.mul_f32(0.75);
        self.last_at = at;
        self.frames = self.frames.saturating_add(1);

        let change = self.change(at, &frame, chain_length, settings, dt);
        let fired = self.chain.extend(at, change.evidence.clone(), chain_length);
        let fired = if self.is_ready(at) { fired } else { Vec::new() };
        let limits = (settings.background_levels, settings.background_noise);
        let difference = self
            .background
            .compare(&frame, &self.noise, limits, &fired, self.size);
        let held: usize = difference.held().map(|region| region.area).sum();
        // What moves was not there before, and is large enough to count: faint shade passing over an
        // empty scene is not.
        if !fired.is_empty() && (self.on || held >= settings.min_area) {
            self.on = true;
            self.last_motion = Some(at);
        }
        self.background.learn(
            &frame,
            &change.mask,
            &difference,
            dt,
            settings.background_tau.as_secs_f32(),
        );
        self.noise
            .learn_pixels(&change.difference, self.background.foreground(), dt);

        let quiet = self.last_motion.map(|last| at.since(last));
        self.peak = (held as f32).max(self.peak * (-dt / PEAK_TAU).exp());
        let crumbs = (held as f32) < (settings.min_area as f32).max(CRUMBS * self.peak);
        if quiet.is_none_or(|quiet| {
            quiet >= settings.hold_present || (crumbs && quiet >= settings.hold)
        }) {
            self.on = false;
        }
        if let Some(quiet) = quiet.filter(|quiet| *quiet >= HOLE_AFTER) {
            let all = quiet >= settings.static_after;
            self.background.absorb(&frame, &difference, all, self.size);
        }
        let state = match quiet {
            _ if !self.is_ready(at) => MotionState::Starting,
            Some(quiet) if self.on && quiet < settings.hold => MotionState::Moving,
            _ if self.on || held >= settings.min_area => MotionState::Present,
            _ => MotionState::Quiet,
        };
        self.last = self.sample(state, &change.evidence, &fired, &difference);
        // Frames nearer together than this add nothing but memory.
        let apart = |(then, _): &(UtcTime, Vec<f32>)| at.since(*then) >= chain_length / 8;
        if self.recent.back().is_none_or(apart) {
            self.recent.push_back((at, frame));
        }
    }

    fn is_ready(&self, at: UtcTime) -> bool {
        let age = at.since(self.first_at);
        age >= READY_AT_LAST || (age >= READY && self.frames >= READY_FRAMES)
    }

    /// What changed since the newest frame that is at least `lag` old.
    fn change(
        &mut self,
        at: UtcTime,
        frame: &[f32],
        lag: Duration,
        settings: &MotionSettings,
        dt: f32,
    ) -> Change {
        while self
            .recent
            .get(1)
            .is_some_and(|(then, _)| at.since(*then) >= lag)
        {
            self.recent.pop_front();
        }
        let size = self.size;
        let older = self.recent.front().map_or(frame, |(_, older)| older);
        let fit = Exposure::fit(older, frame, None, size);
        let predicted = fit.predict(older, size);
        let difference = sharp_difference(frame, &predicted, size);
        let edges = common_edges(frame, &predicted, size);
        if let Some(spread) = fit.spread {
            self.noise.learn_spread(spread, dt);
        }
        self.noise
            .learn_shake(&difference, &edges, self.background.foreground(), dt);
        let mask = self.noise.above(
            &difference,
            &edges,
            settings.change_levels,
            settings.change_noise,
        );
        let mask = regions::clean(&mask, size);
        let changed = mask.iter().filter(|set| **set).count() as f32 / size.pixels() as f32;
        let mut evidence = Vec::new();
        if changed <= MAX_CHANGE && fit.inliers >= MIN_INLIERS {
            evidence = regions::find(&mask, size).list;
            evidence.retain(|area| area.area >= settings.min_area);
        }
        Change {
            difference,
            mask,
            evidence,
        }
    }

    fn sample(
        &self,
        state: MotionState,
        evidence: &[Region],
        fired: &[Region],
        difference: &Difference,
    ) -> MotionSample {
        let pixels = self.size.pixels() as f32;
        let area =
            |regions: &[Region]| regions.iter().map(|region| region.area).sum::<usize>() as f32;
        let moving = (area(evidence) / pixels / FULL_SCORE_SHARE).min(1.0);
        let score = match state {
            MotionState::Starting => 0.0,
            _ if !fired.is_empty() => moving,
            _ if evidence.is_empty() && self.on => 0.3,
            _ => moving / 2.0,
        };
        let mut shown: Vec<Region> = match state {
            MotionState::Moving if !evidence.is_empty() => evidence.to_vec(),
            MotionState::Moving | MotionState::Present => difference.held().copied().collect(),
            MotionState::Starting | MotionState::Quiet => Vec::new(),
        };
        let share = area(&shown) / pixels;
        shown.sort_by_key(|region| std::cmp::Reverse(region.area));
        shown.truncate(MAX_BOXES);
        MotionSample {
            state,
            on: self.on,
            score,
            share,
            boxes: shown
                .iter()
                .map(|region| fractions(region, self.size))
                .collect(),
        }
    }
}

/// How a frame differs from one a lag ago.
struct Change {
    difference: Vec<f32>,
    mask: Vec<bool>,
    /// The areas large enough to count; none when the frame tells nothing.
    evidence: Vec<Region>,
}

fn fractions(region: &Region, size: Size) -> MotionBox {
    let (width, height) = (size.width as f32, size.height as f32);
    MotionBox {
        x: region.left as f32 / width,
        y: region.top as f32 / height,
        width: (region.right - region.left) as f32 / width,
        height: (region.bottom - region.top) as f32 / height,
    }
}
