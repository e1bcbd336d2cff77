//! When the gate opens and shuts, and how long somebody is there.
//!
//! Only surely moving areas open the gate and keep it open. What they touch belongs to the visit for as long as
//! it differs from the background: a visitor who stands still, a thing left behind.

use std::time::Duration;

use vigint_core::clock::UtcTime;

use super::field::Size;
use super::mask::Mask;
use super::regions::{Region, Regions};
use super::settings::MotionSettings;

/// Motion touches what lies less than this many pixels beside it.
const TOUCH_MARGIN: usize = 3;
/// What is left of a visitor is crumbs below this share of what was there, which is forgotten with this time
/// constant in seconds.
const CRUMBS: f32 = 0.3;
const PEAK_TAU: f32 = 4.0;

/// The older picture that shows signs of life must be free of motion for so long.
const AFTER_MOTION: Duration = Duration::from_millis(700);

/// The gate of one source.
#[derive(Debug)]
pub(super) struct Visit {
    on: bool,
    /// The pixels that belong to it.
    touched: Mask,
    /// How many they are, and how many they were at most lately.
    held: usize,
    peak: f32,
    last_motion: Option<UtcTime>,
    /// When what stands there last stirred, once that has shown that it lives.
    last_life: Option<UtcTime>,
}

impl Visit {
    pub(super) fn new(size: Size) -> Self {
        Self {
            on: false,
            touched: Mask::new(size),
            held: 0,
            peak: 0.0,
            last_motion: None,
            last_life: None,
        }
    }

    /// Whether the gate is open.
    pub(super) fn is_on(&self) -> bool {
        self.on
    }

    /// Whether somebody or something is there that came by moving.
    pub(super) fn goes_on(&self, settings: &MotionSettings) -> bool {
        self.on || self.held >= settings.min_area
    }

    /// The pixels that belong to it.
    pub(super) fn touched(&self) -> &Mask {
        &self.touched
    }

    /// How long nothing has moved; `None` when nothing ever did.
    pub(super) fn quiet(&self, at: UtcTime) -> Option<Duration> {
        self.last_motion.map(|last| at.since(last))
    }

    /// Whether nothing has moved for so long.
    pub(super) fn is_quiet_for(&self, at: UtcTime, long: Duration) -> bool {
        self.quiet(at).is_none_or(|quiet| quiet >= long)
    }

    /// Finds out what belongs to the visit: of the areas that differ from the background those that `fired` ones
    /// touch, or that were touched before.
    pub(super) fn touch(&mut self, differing: &Regions, fired: &[Region]) {
        let before = self.touched.grown().grown();
        self.touched.clear();
        self.held = 0;
        for (number, region) in differing.list.iter().enumerate() {
            let fires = |span: &Region| fired.iter().any(|area| area.is_near(span, TOUCH_MARGIN));
            let is_touched = differing.meets(number, &before)
                || differing.spans(number).any(|span| fires(&span.region()));
            if is_touched {
                differing.draw(number, &mut self.touched);
                self.held += region.area;
            }
        }
    }

    /// Opens, keeps open or shuts the gate, after [`Self::touch`]. `stirs` says that what stands there moved a
    /// little.
    pub(super) fn decide(
        &mut self,
        at: UtcTime,
        dt: f32,
        fired: bool,
        stirs: bool,
        settings: &MotionSettings,
    ) {
        // What moves was not there before, and is large enough to count: faint shade passing over an empty
        // scene is not.
        if fired && (self.on || self.held >= settings.min_area) {
            self.on = true;
            self.last_motion = Some(at);
        }
        self.peak = (self.held as f32).max(self.peak * (-dt / PEAK_TAU).exp());
        let least = (settings.min_area as f32).max(CRUMBS * self.peak);
        let are_crumbs = (self.held as f32) < least;
        let quiet = self.quiet(at).unwrap_or(Duration::MAX);
        if are_crumbs {
            self.last_life = None;
        } else if self.on && stirs && quiet >= settings.slow_lag + AFTER_MOTION {
            self.last_life = Some(at);
        }
        let lives = self.lives(at, settings);
        let is_over = if are_crumbs {
            quiet >= settings.hold
        } else {
            quiet >= settings.hold_present && !lives
        };
        if is_over {
            self.on = false;
        }
    }

    /// Whether what stands there has stirred lately.
    pub(super) fn lives(&self, at: UtcTime, settings: &MotionSettings) -> bool {
        let life = self.last_life;
        life.is_some_and(|last| at.since(last) < settings.life_keep)
    }

    /// Whether what stands there has neither moved nor stirred for so long.
    pub(super) fn is_still_for(&self, at: UtcTime, long: Duration) -> bool {
        let stirred = self.last_life.is_none_or(|last| at.since(last) >= long);
        self.last_motion.is_some() && self.is_quiet_for(at, long) && stirred
    }

    /// These pixels do not belong to it any more.
    pub(super) fn release(&mut self, gone: &Mask) {
        self.touched.remove(&gone.grown());
    }

    /// Shuts the gate.
    pub(super) fn shut(&mut self) {
        self.on = false;
    }
}
