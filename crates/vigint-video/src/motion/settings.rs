//! The constants of the gate, with what they mean and in which unit.

use std::time::Duration;

use super::noise::Limit;

/// How the gate judges. The defaults were found on real footage; change them with footage at hand.
///
/// Grey levels are 0..=255; areas are pixels of the small picture (about 160x90).
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct MotionSettings {
    /// Change is looked for over this time. Longer sees slower things, later. Default 0.2 s.
    pub lag: Duration,
    /// Slow change, and whether what stands still stirs, is looked for over this time. Default 0.8 s.
    pub slow_lag: Duration,
    /// A change counts above this many grey levels... Default 6.
    pub change_levels: f32,
    /// ...and above this many times the noise. Default 5.
    pub change_noise: f32,
    /// A difference to the background counts above this many grey levels... Default 9.
    pub background_levels: f32,
    /// ...and above this many times the noise. Default 5.
    pub background_noise: f32,
    /// What stands still stirs above this many grey levels... Default 4.5.
    pub life_levels: f32,
    /// ...and above this many times the noise. Default 4.
    pub life_noise: f32,
    /// Connected areas below this are ignored, in pixels. Default 10.
    pub min_area: usize,
    /// The same for slow change. Default 14.
    pub min_area_slow: usize,
    /// The gate shuts this long after the last motion when nothing is left where it was... Default 1.2 s.
    pub hold: Duration,
    /// ...this long after it when something is... Default 2 s.
    pub hold_present: Duration,
    /// ...and, when that was seen to stir, this long after it last did. Default 15 s.
    pub life_keep: Duration,
    /// What was left behind or taken away belongs to the background after this. Default 60 s.
    pub static_after: Duration,
    /// Time constant with which quiet parts of the background follow the picture. Default 4 s.
    pub background_tau: Duration,
    /// A gap between frames above this starts anew. Default 5 s.
    pub max_gap: Duration,
}

impl Default for MotionSettings {
    fn default() -> Self {
        Self {
            lag: Duration::from_millis(200),
            slow_lag: Duration::from_millis(800),
            change_levels: 6.0,
            change_noise: 5.0,
            background_levels: 9.0,
            background_noise: 5.0,
            life_levels: 4.5,
            life_noise: 4.0,
            min_area: 10,
            min_area_slow: 14,
            hold: Duration::from_millis(1200),
            hold_present: Duration::from_secs(2),
            life_keep: Duration::from_secs(15),
            static_after: Duration::from_secs(60),
            background_tau: Duration::from_secs(4),
            max_gap: Duration::from_secs(5),
        }
    }
}

impl MotionSettings {
    /// From where on a change counts.
    pub(super) fn change(&self) -> Limit {
        Limit {
            levels: self.change_levels,
            noise: self.change_noise,
        }
    }

    /// From where on a difference to the background counts.
    pub(super) fn background(&self) -> Limit {
        Limit {
            levels: self.background_levels,
            noise: self.background_noise,
        }
    }

    /// From where on what stands still stirs.
    pub(super) fn life(&self) -> Limit {
        Limit {
            levels: self.life_levels,
            noise: self.life_noise,
        }
    }
}
