//! What the gate says of a frame.

use super::field::Size;
use super::regions::Region;

const MAX_BOXES: usize = 16;

/// What the gate thinks of a source at one frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum MotionState {
    /// Too few frames seen to say anything: at most the first second.
    Starting,
    /// Nothing moves, and nothing stands where something moved.
    Quiet,
    /// Something moves, or did a moment ago.
    Moving,
    /// What moved stands still, or left something behind or took something away.
    Present,
    /// The camera was covered or blinded, or looks at another scene than before. Said as long as it shows nothing,
    /// and once when it was turned or switched to another light: then the gate starts anew.
    SceneChanged,
    /// The very same picture has come for at least 5 s: nobody knows what happens there.
    Frozen,
}

/// A part of the picture, in fractions 0..=1 of its width and height, from the top left.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MotionBox {
    /// Left edge.
    pub x: f32,
    /// Upper edge.
    pub y: f32,
    /// Width.
    pub width: f32,
    /// Height.
    pub height: f32,
}

/// What one frame showed.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct MotionSample {
    /// What the gate thinks.
    pub state: MotionState,
    /// Whether the gate is open: something moves, or stopped at most about two seconds ago. This is what
    /// spending hangs on.
    pub on: bool,
    /// How much moves: 0 nothing, 1 one hundredth of the picture or more. Half of that when it has not lasted.
    pub score: f32,
    /// Share of the picture that `boxes` stand for, 0..=1, counted in pixels that changed.
    pub share: f32,
    /// Where it moves, or what stands there since, largest first, at most 16.
    pub boxes: Vec<MotionBox>,
}

impl MotionSample {
    /// A sample that shows nothing but this state.
    pub(super) fn without_motion(state: MotionState) -> Self {
        Self {
            state,
            on: false,
            score: 0.0,
            share: 0.0,
            boxes: Vec::new(),
        }
    }

    /// A sample of these areas, largest first.
    pub(super) fn showing(state: MotionState, mut areas: Vec<Region>, size: Size) -> Self {
        let pixels: usize = areas.iter().map(|area| area.area).sum();
        areas.sort_by_key(|area| std::cmp::Reverse(area.area));
        areas.truncate(MAX_BOXES);
        Self {
            share: pixels as f32 / size.pixels() as f32,
            boxes: areas.iter().map(|area| fractions(area, size)).collect(),
            ..Self::without_motion(state)
        }
    }
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
