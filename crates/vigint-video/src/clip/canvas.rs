//! The picture area of a clip, and how frames of any size and colour are laid onto it as I420 (4:2:0).
//!
//! The first frame decides the size. A frame of another size is scaled to fit, with black bars.
//!
//! JPEGs use all of 0..=255, and H.264 can say so, but not every player listens, and ffprobe calls it
//! yuvj420p: what is laid here is video range, luma 16..=235 and chroma 16..=240, plain yuv420p.

use crate::decode::Picture;
use crate::scale::Scaler;

/// The smallest side the encoder is given: one macroblock.
const MIN_SIDE: usize = 16;
/// A clip fits into 1920x1080, or 1080x1920 when it stands.
const MAX_LONG: usize = 1920;
const MAX_SHORT: usize = 1080;
/// Black and colourless in video range.
const BLACK: u8 = 16;
const COLOURLESS: u8 = 128;

/// The planes of the clip, filled anew by each frame.
pub(super) struct Canvas {
    width: usize,
    height: usize,
    /// Size of the frame that decided ours, and where such a frame lies.
    first: (usize, usize),
    first_place: Place,
    /// Where the last frame lay: the bars around it are black already.
    last_place: Option<Place>,
    y: Vec<u8>,
    u: Vec<u8>,
    v: Vec<u8>,
}

/// A rectangle on the canvas; all four are even.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Place {
    left: usize,
    top: usize,
    width: usize,
    height: usize,
}

impl Canvas {
    /// A canvas for clips whose first frame has this size in pixels.
    pub(super) fn for_first(width: usize, height: usize) -> Self {
        let (max_width, max_height) = if width >= height {
            (MAX_LONG, MAX_SHORT)
        } else {
            (MAX_SHORT, MAX_LONG)
        };
        let inner = if width <= max_width && height <= max_height {
            (even(width), even(height))
        } else {
            fit((width, height), (max_width, max_height))
        };
        let (canvas_width, canvas_height) = (inner.0.max(MIN_SIDE), inner.1.max(MIN_SIDE));
        Self {
            width: canvas_width,
            height: canvas_height,
            first: (width, height),
            first_place: Place::centred(inner, (canvas_width, canvas_height)),
            last_place: None,
            y: vec![BLACK; canvas_width * canvas_height],
            u: vec![COLOURLESS; canvas_width * canvas_height / 4],
            v: vec![COLOURLESS; canvas_width * canvas_height / 4],
        }
    }

    /// Width and height in pixels, both even.
    pub(super) fn size(&self) -> (usize, usize) {
        (self.width, self.height)
    }

    /// The planes Y, U and V; their strides are the width, and half of it.
    pub(super) fn planes(&self) -> (&[u8], &[u8], &[u8]) {
        (&self.y, &self.u, &self.v)
    }

    /// Lays a picture onto the canvas in place of the one before.
    pub(super) fn draw(&mut self, picture: &Picture) {
        let size = (picture.width, picture.height);
        let place = if size == self.first {
            self.first_place
        } else {
            let inner = fit(size, (self.width, self.height));
            Place::centred(inner, (self.width, self.height))
        };
        if self.last_place.replace(place) != Some(place) {
            self.y.fill(BLACK);
            self.u.fill(COLOURLESS);
            self.v.fill(COLOURLESS);
        }
        if (size.0 & !1, size.1 & !1) == (place.width, place.height) {
            self.copy(picture, place);
        } else {
            self.scale(picture, place);
        }
        if picture.channels == 1 {
            self.u.fill(COLOURLESS);
            self.v.fill(COLOURLESS);
        }
    }

    /// The usual case: nothing to scale. An odd last column or row is cut off.
    fn copy(&mut self, picture: &Picture, place: Place) {
        let (stride, half) = (picture.width * picture.channels, place.halved());
        let line = |y: usize| row(&picture.samples, stride, y);
        if picture.channels == 1 {
            lay(&mut self.y, self.width, place, luma, |y| {
                line(y).iter().copied()
            });
            return;
        }
        lay(&mut self.y, self.width, place, luma, |y| {
            line(y).as_chunks().0.iter().map(|[y, _, _]| *y)
        });
        lay(&mut self.u, self.width / 2, half, chroma, |y| {
            mean_of_fours::<1>(line(2 * y), line(2 * y + 1))
        });
        lay(&mut self.v, self.width / 2, half, chroma, |y| {
            mean_of_fours::<2>(line(2 * y), line(2 * y + 1))
        });
    }

    fn scale(&mut self, picture: &Picture, place: Place) {
        let from = (picture.width, picture.height);
        let scaled = |channel: usize, to: Place| {
            let samples = picture.samples.iter().skip(channel);
            let plane: Vec<u8> = samples.step_by(picture.channels).copied().collect();
            let mut scaled = Vec::new();
            Scaler::default().scale(&plane, from, (to.width, to.height), &mut scaled);
            scaled
        };
        let brightness = scaled(0, place);
        lay(&mut self.y, self.width, place, luma, |y| {
            row(&brightness, place.width, y).iter().copied()
        });
        if picture.channels == 3 {
            let half = place.halved();
            for (channel, plane) in [(1, &mut self.u), (2, &mut self.v)] {
                let colour = scaled(channel, half);
                lay(plane, self.width / 2, half, chroma, |y| {
                    row(&colour, half.width, y).iter().copied()
                });
            }
        }
    }
}

impl Place {
    /// A rectangle of this size in the middle of the canvas.
    fn centred(size: (usize, usize), canvas: (usize, usize)) -> Self {
        let margin = |size: usize, canvas: usize| canvas.saturating_sub(size) / 4 * 2;
        Self {
            left: margin(size.0, canvas.0),
            top: margin(size.1, canvas.1),
            width: size.0,
            height: size.1,
        }
    }

    fn halved(self) -> Self {
        Self {
            left: self.left / 2,
            top: self.top / 2,
            width: self.width / 2,
            height: self.height / 2,
        }
    }
}

/// The largest even number up to this one, at least 2.
fn even(side: usize) -> usize {
    (side & !1).max(2)
}

/// The largest even size of this shape within these bounds.
fn fit(size: (usize, usize), bounds: (usize, usize)) -> (usize, usize) {
    let (width, height) = (size.0.max(1), size.1.max(1));
    let nearest_even = |value: usize, by: usize, over: usize| (value * by + over) / (2 * over) * 2;
    let (w, h) = if width * bounds.1 >= height * bounds.0 {
        (bounds.0, nearest_even(height, bounds.0, width))
    } else {
        (nearest_even(width, bounds.1, height), bounds.1)
    };
    (even(w.min(bounds.0)), even(h.min(bounds.1)))
}

/// Brightness in video range.
fn luma(full: u8) -> u8 {
    let video = (u16::from(full) * 219 + 127) / 255 + 16;
    u8::try_from(video).unwrap_or(u8::MAX)
}

/// A colour difference in video range.
fn chroma(full: u8) -> u8 {
    let video = (u32::from(full) * 224 + 128 * 31 + 127) / 255;
    u8::try_from(video).unwrap_or(u8::MAX)
}

/// Writes rows into a rectangle of a plane, in video range.
fn lay<R: Iterator<Item = u8>>(
    plane: &mut [u8],
    stride: usize,
    place: Place,
    range: impl Fn(u8) -> u8,
    row: impl Fn(usize) -> R,
) {
    let lines = plane
        .chunks_exact_mut(stride)
        .skip(place.top)
        .take(place.height);
    for (y, line) in lines.enumerate() {
        let target = line.iter_mut().skip(place.left).take(place.width);
        for (to, from) in target.zip(row(y)) {
            *to = range(from);
        }
    }
}

/// A row of a plane; empty below it.
fn row(plane: &[u8], stride: usize, y: usize) -> &[u8] {
    plane.get(y * stride..(y + 1) * stride).unwrap_or_default()
}

/// A colour difference (1 Cb, 2 Cr) of two lines of Y'CbCr samples, averaged over squares of 2x2 pixels.
fn mean_of_fours<const CHANNEL: usize>(upper: &[u8], lower: &[u8]) -> impl Iterator<Item = u8> {
    let squares = upper
        .as_chunks::<6>()
        .0
        .iter()
        .zip(lower.as_chunks::<6>().0);
    squares.map(|(upper, lower)| {
        let sum = |[_, u, v, _, u2, v2]: [u8; 6]| match CHANNEL {
            1 => u16::from(u) + u16::from(u2),
            _ => u16::from(v) + u16::from(v2),
        };
        u8::try_from((sum(*upper) + sum(*lower) + 2) / 4).unwrap_or(u8::MAX)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flat(width: usize, height: usize, colour: [u8; 3]) -> Picture {
        Picture {
            width,
            height,
            channels: 3,
            samples: colour.repeat(width * height),
        }
    }

    #[test]
    fn the_first_frame_decides_an_even_size_up_to_1080p() {
        let size = |w, h| Canvas::for_first(w, h).size();
        assert_eq!(size(1280, 720), (1280, 720));
        assert_eq!(size(641, 361), (640, 360));
        assert_eq!(size(3840, 2160), (1920, 1080));
        assert_eq!(size(2160, 3840), (1080, 1920));
        assert_eq!(size(2560, 1920), (1440, 1080));
        assert_eq!(size(65_535, 1), (1920, 16));
        assert_eq!(size(1, 1), (16, 16));
    }

    #[test]
    fn a_frame_of_the_first_size_fills_the_canvas() {
        for (w, h) in [(64, 48), (101, 33), (3841, 2161)] {
            let mut canvas = Canvas::for_first(w, h);
            canvas.draw(&flat(w, h, [90, 100, 200]));
            let (y, u, v) = canvas.planes();
            assert!(y.iter().all(|&y| y == 93), "{w}x{h}");
            assert!(
                u.iter().all(|&u| u == 103) && v.iter().all(|&v| v == 191),
                "{w}x{h}"
            );
        }
    }

    #[test]
    fn samples_are_brought_to_video_range() {
        assert_eq!([0, 255].map(luma), [16, 235]);
        assert_eq!([0, 128, 255].map(chroma), [16, 128, 240]);
    }

    #[test]
    fn another_shape_gets_black_bars_and_the_next_frame_covers_them() {
        let mut canvas = Canvas::for_first(64, 32);
        canvas.draw(&flat(32, 32, [90, 100, 200]));
        let row = |canvas: &Canvas| canvas.planes().0[..64].to_vec();
        let bars = row(&canvas);
        assert!(bars[..16].iter().chain(&bars[48..]).all(|&y| y == BLACK));
        assert!(bars[16..48].iter().all(|&y| y == 93));
        assert_eq!(&canvas.planes().1[6..10], [128, 128, 103, 103]);
        canvas.draw(&flat(64, 32, [50, 60, 70]));
        assert!(row(&canvas).iter().all(|&y| y == 59));
    }

    #[test]
    fn a_grey_frame_after_a_coloured_one_has_no_colour() {
        let mut canvas = Canvas::for_first(32, 32);
        canvas.draw(&flat(32, 32, [90, 100, 200]));
        canvas.draw(&Picture {
            width: 32,
            height: 32,
            channels: 1,
            samples: vec![7; 32 * 32],
        });
        let (y, u, v) = canvas.planes();
        assert!(y.iter().all(|&y| y == 22));
        assert!(u.iter().chain(v).all(|&chroma| chroma == 128));
    }
}
