//! The contact sheet: one small picture of each time that the gate was open, from its middle.

use vigint_testkit::battery::Span;
use vigint_testkit::footage::FootageFrame;

use super::watch::Seen;

/// Width of a small picture in pixels.
pub(super) const SHOT_WIDTH: u32 = 240;
/// How many small pictures of one opening are kept, before every second one is dropped.
const KEPT: usize = 64;

/// A small picture of an opening.
#[derive(Debug, Clone)]
pub(super) struct Shot {
    /// From when to when the gate was open, in seconds.
    pub(super) open: Span,
    /// When the picture is from, in seconds.
    pub(super) at: f64,
    /// The pixels, [`SHOT_WIDTH`] wide.
    pub(super) rgb: Vec<u8>,
    /// Its height in pixels.
    pub(super) height: u32,
    /// Where it moved: left, top, right and bottom, as shares of width and height.
    pub(super) boxes: Vec<[f32; 4]>,
}

/// The openings of a film, frame by frame.
#[derive(Default)]
pub(super) struct Sheet {
    shots: Vec<Shot>,
    /// Pictures of the opening that lasts, evenly in time.
    current: Vec<Shot>,
    /// One of so many frames is kept of it.
    every: usize,
    seen: usize,
}

impl Sheet {
    /// Takes notice of the next frame.
    pub(super) fn add(&mut self, seen: &Seen, frame: &FootageFrame) {
        if !seen.said.on {
            self.close(seen.said.at);
            return;
        }
        if self.current.is_empty() {
            (self.every, self.seen) = (1, 0);
        }
        if self.seen.is_multiple_of(self.every) {
            self.current.push(shot(seen, frame));
        }
        self.seen += 1;
        if self.current.len() > KEPT {
            let mut number = 0_usize;
            self.current.retain(|_| {
                number += 1;
                number % 2 == 1
            });
            self.every *= 2;
        }
        if let Some(first) = self.current.first_mut() {
            first.open.1 = seen.said.at;
        }
    }

    /// The openings, in order of time.
    pub(super) fn shots(mut self) -> Vec<Shot> {
        if let Some(first) = self.current.first() {
            let end = first.open.1;
            self.close(end);
        }
        self.shots
    }

    fn close(&mut self, at: f64) {
        let Some(start) = self.current.first().map(|first| first.at) else {
            return;
        };
        let middle = (start + at) / 2.0;
        let away = |shot: &Shot| (shot.at - middle).abs();
        let nearest = self
            .current
            .drain(..)
            .min_by(|a, b| away(a).total_cmp(&away(b)));
        self.shots.extend(nearest.map(|shot| Shot {
            open: (start, at),
            ..shot
        }));
    }
}

fn shot(seen: &Seen, frame: &FootageFrame) -> Shot {
    let (rgb, height) = shrunk(frame);
    let boxes = seen.boxes.iter();
    Shot {
        open: (seen.said.at, seen.said.at),
        at: seen.said.at,
        rgb,
        height,
        boxes: boxes
            .map(|part| [part.x, part.y, part.x + part.width, part.y + part.height])
            .collect(),
    }
}

/// The frame at [`SHOT_WIDTH`], each pixel the mean of those it stands for, and its height.
fn shrunk(frame: &FootageFrame) -> (Vec<u8>, u32) {
    let (from_width, from_height) = (u32::from(frame.width), u32::from(frame.height));
    let height = (from_height * SHOT_WIDTH / from_width.max(1)).max(1);
    let within = |at: u32, of: u32, from: u32| {
        let start = at * from / of;
        start..((at + 1) * from / of).max(start + 1)
    };
    let mut rgb = Vec::new();
    for y in 0..height {
        for x in 0..SHOT_WIDTH {
            let (mut sum, mut count) = ([0_u32; 3], 0_u32);
            for row in within(y, height, from_height) {
                for column in within(x, SHOT_WIDTH, from_width) {
                    let first =
                        usize::try_from((row * from_width + column) * 3).unwrap_or(usize::MAX);
                    let pixel = frame.rgb.get(first..).unwrap_or_default();
                    for (sum, level) in sum.iter_mut().zip(pixel) {
                        *sum += u32::from(*level);
                    }
                    count += 1;
                }
            }
            let mean = |sum: u32| u8::try_from(sum / count.max(1)).unwrap_or(u8::MAX);
            rgb.extend(sum.map(mean));
        }
    }
    (rgb, height)
}

#[cfg(test)]
mod tests {
    use vigint_testkit::battery::{Said, State};

    use super::*;

    fn add(sheet: &mut Sheet, second: u32, on: bool) {
        let seen = Seen {
            said: Said {
                at: f64::from(second),
                on,
                state: State::Moving,
            },
            score: 0.0,
            boxes: Vec::new(),
        };
        let level = u8::try_from(second % 256).unwrap();
        let frame = FootageFrame {
            at_millis: 0,
            width: 16,
            height: 9,
            rgb: vec![level; 16 * 9 * 3],
        };
        sheet.add(&seen, &frame);
    }

    #[test]
    fn each_opening_is_shown_from_its_middle() {
        let mut sheet = Sheet::default();
        for second in 0..30 {
            add(
                &mut sheet,
                second,
                (5..10).contains(&second) || second >= 20,
            );
        }
        let shots = sheet.shots();
        let times: Vec<_> = shots.iter().map(|shot| (shot.open, shot.at)).collect();
        assert_eq!(times, [((5.0, 10.0), 7.0), ((20.0, 29.0), 24.0)]);
        assert_eq!((shots[0].height, shots[0].rgb[0]), (135, 7));
        assert_eq!(shots[0].rgb.len(), 240 * 135 * 3);
    }

    #[test]
    fn a_long_opening_keeps_few_pictures_and_still_has_its_middle() {
        let mut sheet = Sheet::default();
        for second in 0..1000 {
            add(&mut sheet, second, true);
            assert!(sheet.current.len() <= KEPT);
        }
        let shots = sheet.shots();
        assert_eq!(shots[0].open, (0.0, 999.0));
        assert!((shots[0].at - 500.0).abs() < 20.0, "{}", shots[0].at);
    }
}
