//! Things that move: where they are when, what they look like, and what is true of them.

#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "rows are clamped to the picture first"
)]

use super::picture::{HEIGHT, Picture, WIDTH};
use super::truth::{Span, Truth};

/// How much of a figure has to be in the picture to count as seen, in pixels of its width.
const SEEN: f32 = 4.0;
/// How exactly it is known when a figure enters, in steps a second.
const STEPS_A_SECOND: f64 = 100.0;

/// Somebody, or something: an upright shape with stripes that moves sideways.
#[derive(Debug, Clone, Copy)]
pub(super) struct Figure {
    /// Width and height in pixels.
    pub(super) size: (f32, f32),
    /// Where it stands: the row under it.
    pub(super) foot: f32,
    /// Its level.
    pub(super) tone: f32,
    /// How much its stripes differ from it, in levels.
    pub(super) stripes: f32,
    /// Where its middle is when: seconds and columns, straight in between. It is there from the first to the
    /// last of them.
    pub(super) path: &'static [(f64, f32)],
    /// How far it sways to both sides while it stands, in pixels; one sway takes 2 s.
    pub(super) sway: f32,
}

/// A grown-up in the middle of the room, who is nowhere yet.
pub(super) const PERSON: Figure = Figure {
    size: (56.0, 150.0),
    foot: 310.0,
    tone: 42.0,
    stripes: 10.0,
    path: &[],
    sway: 0.0,
};

impl Figure {
    /// Where its middle is, while it is there.
    pub(super) fn middle(&self, now: f64) -> Option<f32> {
        let pairs = self.path.iter().zip(self.path.iter().skip(1));
        let (from, to) = pairs
            .into_iter()
            .find(|(from, to)| (from.0..to.0).contains(&now))?;
        let share = ((now - from.0) / (to.0 - from.0)) as f32;
        let sways = if from.1 == to.1 { self.sway } else { 0.0 };
        let sway = sways * (now as f32 * std::f32::consts::PI).sin();
        Some(from.1 + (to.1 - from.1) * share + sway)
    }

    /// Draws it where it is now.
    pub(super) fn draw(&self, picture: &mut Picture, now: f64) {
        let Some(middle) = self.middle(now) else {
            return;
        };
        let (width, height) = self.size;
        let top = self.foot - height;
        for row in top.max(0.0) as u16..(self.foot.max(0.0) as u16).min(HEIGHT) {
            let down = f32::from(row) - top;
            let half = width / 2.0 * outline(down / height);
            let stripe = if ((down / height * 16.0) as u16).is_multiple_of(2) {
                self.stripes
            } else {
                0.0
            };
            picture.paint_row(usize::from(row), middle - half, middle + half, |x| {
                // Darker towards one side, as what is round is.
                self.tone + stripe + self.stripes * x / width
            });
        }
    }

    /// How many pixels of its width are in the picture.
    fn seen(&self, now: f64) -> f32 {
        let half = self.size.0 / 2.0;
        self.middle(now).map_or(0.0, |middle| {
            (middle + half).min(f32::from(WIDTH)) - (middle - half).max(0.0)
        })
    }

    /// When more than this much of it is in the picture, first and last.
    fn seen_span(&self, more_than: f32) -> Option<Span> {
        let (first, last) = (self.path.first()?.0.max(0.0), self.path.last()?.0);
        let steps = ((last - first) * STEPS_A_SECOND) as u32;
        let mut seen = (0..=steps)
            .map(|step| first + f64::from(step) / STEPS_A_SECOND)
            .filter(|at| self.seen(*at) > more_than);
        let start = seen.next()?;
        Some((start, seen.next_back().unwrap_or(start)))
    }

    /// What is true of a recording in which it is seen.
    pub(super) fn truth(&self) -> Truth {
        let (Some(any), Some(visit)) = (self.seen_span(0.0), self.seen_span(SEEN)) else {
            return Truth::default();
        };
        let pairs = self.path.iter().zip(self.path.iter().skip(1));
        let moves = pairs.into_iter().filter(|(from, to)| from.1 != to.1);
        let moving = moves.map(|(from, to)| (from.0.max(visit.0), to.0.min(visit.1)));
        let mut joined: Vec<Span> = Vec::new();
        for span in moving.into_iter().filter(|span| span.0 < span.1) {
            match joined.last_mut() {
                Some(last) if last.1 >= span.0 => last.1 = span.1,
                _ => joined.push(span),
            }
        }
        let edges = [(any.0, visit.0), (visit.1, any.1)];
        Truth {
            moving: joined,
            visits: vec![visit],
            ignore: edges.into_iter().filter(|edge| edge.0 < edge.1).collect(),
            ..Truth::default()
        }
    }
}

/// The share of its width that a figure has, so far down: a head, a neck, shoulders and the rest.
fn outline(down: f32) -> f32 {
    match down {
        0.0..0.15 => 0.45 - 8.0 * (down - 0.075) * (down - 0.075) * 5.0,
        0.15..0.19 => 0.3,
        0.19..0.6 => 1.0,
        _ => 0.72,
    }
}
