//! What changes slowly inside things that stand: slow movers, and signs of life.

use vigint_core::clock::UtcTime;

use super::super::mask::Mask;
use super::super::regions::{Region, Regions};
use super::super::{MotionScratch, MotionSettings};
use super::{Difference, Watch, long_enough};

/// A thing has a core: this share of it has stood for so long, in milliseconds.
const CORE: f32 = 0.4;
const CORE_MILLIS: u16 = 1_000;
/// What flickers for this share of the time is no sign of life; nor are fewer pixels than this, or a share of
/// what stands there that is not this many times what stirs elsewhere, and a hundredth more.
const LIFE_FLICKER: f32 = 0.4;
const LIFE_PIXELS: usize = 6;
const LIFE_FACTOR: f32 = 4.0;

impl Watch {
    /// The areas that change slowly inside things that stand, and whether something that belongs to the visit
    /// stirs.
    pub(super) fn slow_change(
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
        let mut compared = std::mem::take(&mut scratch.other);
        scratch.compare(older.pixels(), size, &mut compared);
        scratch.other = compared;
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
