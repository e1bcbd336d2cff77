//! What happens to the camera rather than before it: covered, turned, switched to another light.

#![allow(
    clippy::indexing_slicing,
    reason = "tiles lie inside the planes they divide"
)]

use std::time::Duration;

use vigint_core::clock::UtcTime;

use super::field::{Size, without_mean};
use super::noise::step;

/// A picture that has less than this share of its usual edges shows nothing.
const LOST: f32 = 0.3;
/// Time constant of what is usual, in seconds.
const USUAL_TAU: f32 = 20.0;
/// What is to be believed must last so long, and nothing may move meanwhile.
const LASTING: Duration = Duration::from_secs(1);
/// What is usual is known after so many seconds.
const SETTLED: f32 = 3.0;
/// A picture that has shown nothing for so long may be a room without light.
const DARK: Duration = Duration::from_secs(60);
/// How often the picture is compared with what the camera usually looks at.
const CHECK: Duration = Duration::from_millis(250);
/// Tiles across and down; a tile has a say when its structure is this many times the noise, and so many must.
const TILES: usize = 4;
const STRUCTURE: f32 = 2.5;
const MIN_TILES: usize = 5;
/// Below this correlation, in the median tile, the camera looks elsewhere.
const MIN_CORRELATION: f32 = 0.25;
/// When more than this share of the picture differs from the background and less than that changes, it is
/// another scene.
const OTHER_SCENE: f32 = 0.5;
const STANDS: f32 = 0.1;

/// What is usual for one camera.
#[derive(Debug)]
pub(super) struct Camera {
    size: Size,
    /// Mean steepness in grey levels, of how many seconds.
    structure: f32,
    seen: f32,
    /// Every second pixel across and down, without the mean around it.
    reference: Vec<f32>,
    checked_at: UtcTime,
    lost_since: Option<UtcTime>,
    /// Whether it has shown nothing for so long that this is what is looked at now.
    is_dark: bool,
    turned_since: Option<UtcTime>,
    other_since: Option<UtcTime>,
}

/// What a frame shows, as far as the camera is concerned.
#[derive(Debug, Clone, Copy)]
pub(super) struct Showing<'a> {
    pub(super) level: &'a [f32],
    /// Noise of the picture in grey levels.
    pub(super) noise: f32,
    /// Shares of the picture that differ from the background and that change.
    pub(super) differing: f32,
    pub(super) changing: f32,
    /// Whether nothing has moved for [`LASTING`], and whether nobody is there.
    pub(super) is_calm: bool,
    pub(super) is_empty: bool,
}

impl Camera {
    pub(super) const CALM: Duration = LASTING;

    pub(super) fn new(at: UtcTime, level: &[f32], steps: &[u8], size: Size) -> Self {
        let mut detail = Vec::new();
        without_mean(level, size, &mut detail);
        Self {
            size,
            structure: mean(steps),
            seen: 0.0,
            reference: halved(&detail, size)
                .flat_map(|row| row.iter().copied().step_by(2))
                .collect(),
            checked_at: at,
            lost_since: None,
            is_dark: false,
            turned_since: None,
            other_since: None,
        }
    }

    /// For how long the picture has shown nothing, once that is believed.
    pub(super) fn lost_for(&mut self, at: UtcTime, steps: &[u8], dt: f32) -> Option<Duration> {
        let structure = mean(steps);
        // A camera that has just begun to send may send anything first.
        if self.seen >= SETTLED && structure < LOST * self.structure {
            let since = *self.lost_since.get_or_insert(at);
            return Some(at.since(since)).filter(|lost| *lost >= LASTING);
        }
        self.lost_since = None;
        self.is_dark = false;
        self.seen += dt;
        let share = step(dt, USUAL_TAU).max((dt / self.seen).min(1.0));
        self.structure += (structure - self.structure) * share;
        None
    }

    /// Whether the picture shows nothing, for now: it teaches nothing either.
    pub(super) fn is_blind(&self) -> bool {
        self.lost_since.is_some() && !self.is_dark
    }

    /// Whether the picture has shown nothing for so long that what moves in the dark is to be looked for: once.
    pub(super) fn has_become_dark(&mut self, lost: Option<Duration>) -> bool {
        let is_new = !self.is_dark && lost.is_some_and(|lost| lost >= DARK);
        self.is_dark |= is_new;
        is_new
    }

    /// Whether the camera has come to look at something else.
    pub(super) fn has_changed(
        &mut self,
        at: UtcTime,
        now: Showing<'_>,
        detail: &mut Vec<f32>,
    ) -> bool {
        if self.lost_since.is_some() {
            // It looks at nothing: what it will look at afterwards is not known yet.
            (self.turned_since, self.other_since) = (None, None);
            return false;
        }
        let is_other = now.differing > OTHER_SCENE && now.changing < STANDS;
        let other = lasts(&mut self.other_since, is_other && now.is_calm, at);
        let since_check = at.since(self.checked_at);
        if since_check < CHECK {
            return other;
        }
        self.checked_at = at;
        without_mean(now.level, self.size, detail);
        let correlation = self.correlation(detail, now.noise);
        let is_turned = correlation.is_some_and(|median| median < MIN_CORRELATION);
        if !is_turned && now.is_empty {
            let share = step(since_check.as_secs_f32(), USUAL_TAU);
            let rows = self.reference.chunks_exact_mut(self.size.width.div_ceil(2));
            for (usual, now) in rows.zip(halved(detail, self.size)) {
                for (usual, now) in usual.iter_mut().zip(now.iter().step_by(2)) {
                    *usual += (now - *usual) * share;
                }
            }
        }
        lasts(&mut self.turned_since, is_turned && now.is_calm, at) || other
    }

    /// How like the usual this detail is, in the median of the tiles; `None` when too few have any structure.
    fn correlation(&self, detail: &[f32], noise: f32) -> Option<f32> {
        let mut sums = [[Sums::default(); TILES]; TILES];
        let (width, height) = (self.size.width.div_ceil(2), self.size.height.div_ceil(2));
        let rows = self
            .reference
            .chunks_exact(width)
            .zip(halved(detail, self.size));
        for (y, (usual, now)) in rows.enumerate() {
            let tiles = usual
                .chunks(width.div_ceil(TILES))
                .zip(now.chunks(2 * width.div_ceil(TILES)));
            for (sums, (usual, now)) in sums[y * TILES / height].iter_mut().zip(tiles) {
                let pixels = usual.iter().zip(now.iter().step_by(2));
                pixels.for_each(|(usual, now)| sums.add(*usual, *now));
            }
        }
        let tiles = sums.as_flattened().iter();
        let mut found: Vec<f32> = tiles
            .filter_map(|sums| sums.correlation(STRUCTURE * noise))
            .collect();
        if found.len() < MIN_TILES {
            return None;
        }
        found.sort_by(f32::total_cmp);
        found.get(found.len() / 2).copied()
    }
}

/// Sums over one tile, to correlate two pictures by.
#[derive(Debug, Clone, Copy, Default)]
struct Sums {
    n: f32,
    a: f32,
    b: f32,
    aa: f32,
    bb: f32,
    ab: f32,
}

impl Sums {
    fn add(&mut self, a: f32, b: f32) {
        self.n += 1.0;
        self.a += a;
        self.b += b;
        self.aa += a * a;
        self.bb += b * b;
        self.ab += a * b;
    }

    /// The correlation, where the first picture's deviation is at least `structure`.
    fn correlation(&self, structure: f32) -> Option<f32> {
        if self.n < 2.0 {
            return None;
        }
        let variance = |sum: f32, squares: f32| (squares - sum * sum / self.n) / self.n;
        let (first, second) = (variance(self.a, self.aa), variance(self.b, self.bb));
        let common = (self.ab - self.a * self.b / self.n) / self.n;
        let has_structure = first > structure * structure;
        has_structure.then(|| common / (first * second).sqrt().max(1e-3))
    }
}

/// Whether something has been so for [`LASTING`].
fn lasts(since: &mut Option<UtcTime>, is_so: bool, at: UtcTime) -> bool {
    if !is_so {
        *since = None;
        return false;
    }
    at.since(*since.get_or_insert(at)) >= LASTING
}

/// Every second row; of each, every second pixel counts.
fn halved(plane: &[f32], size: Size) -> impl Iterator<Item = &[f32]> {
    plane.chunks_exact(size.width).step_by(2)
}

fn mean(steps: &[u8]) -> f32 {
    let sum: u64 = steps.iter().map(|step| u64::from(*step)).sum();
    sum as f32 / steps.len().max(1) as f32
}
