//! The drawn scene: a shelf in a shop, sensor noise, light that changes slowly, and somebody who walks in,
//! takes a can and leaves. What happens when is known, and every run draws the same pictures.
//!
//! It draws and codes pictures. It must not know who looks at them.

mod canvas;
#[cfg(feature = "clips")]
mod movie;
mod sensor;
mod shop;
mod visitor;

use std::ops::Range;
use std::time::Duration;

use jpeg_encoder::{ColorType, Encoder, SamplingFactor};

use self::canvas::{Canvas, Rgb};
use self::sensor::Sensor;
use self::shop::Shop;
use self::visitor::Visitor;

/// Width of the drawn pictures in pixels.
pub const WIDTH: u16 = 640;
/// Height of the drawn pictures in pixels.
pub const HEIGHT: u16 = 360;
/// Quality of the drawn JPEGs, as cameras have it.
const JPEG_QUALITY: u8 = 80;

/// A recording of the scene.
#[derive(Debug, Clone)]
pub struct Scene {
    /// What the noise is made from: another seed, other pictures of the same visit.
    pub seed: u64,
    /// Frames a second.
    pub frames_per_second: u32,
    /// How long the recording is. The visit lies at fixed times ([`Scene::visit`]): a shorter recording
    /// stops in the middle of it.
    pub length: Duration,
}

/// One picture.
#[derive(Debug, Clone)]
pub struct SceneFrame {
    /// When, from the beginning of the recording.
    pub at: Duration,
    /// The picture, a baseline JPEG.
    pub jpeg: Vec<u8>,
}

impl Default for Scene {
    /// 22 s at 10 frames a second, with the whole visit.
    fn default() -> Self {
        Self {
            seed: 1,
            frames_per_second: 10,
            length: Duration::from_secs(22),
        }
    }
}

impl Scene {
    /// When the visitor is to be seen, and moves all the while. Nothing moves before or after.
    #[must_use]
    pub fn visit() -> Range<Duration> {
        visitor::visit()
    }

    /// The pictures, oldest first. Each is drawn when it is asked for.
    pub fn frames(&self) -> impl Iterator<Item = SceneFrame> + use<> {
        let shop = Shop::draw();
        let mut sensor = Sensor::new(self.seed);
        let step = Duration::from_secs(1) / self.frames_per_second;
        let length = self.length;
        (0..)
            .map(move |number: u32| step * number)
            .take_while(move |at| *at < length)
            .map(move |at| {
                let mut picture = shop.clone();
                Visitor::at(at).draw(&mut picture);
                sensor.expose(&mut picture, at);
                SceneFrame {
                    at,
                    jpeg: jpeg(picture.rgb(), WIDTH, HEIGHT),
                }
            })
    }
}

/// One picture of the scene while nobody is there.
#[must_use]
pub fn still_frame() -> Vec<u8> {
    let mut picture = Shop::draw();
    Sensor::new(1).expose(&mut picture, Duration::ZERO);
    jpeg(picture.rgb(), WIDTH, HEIGHT)
}

/// A picture for load tests: soft shapes under noise, another one for each seed. About 0.14 bytes a pixel,
/// as a camera's picture of a busy room has: 129 kB at 1280x720.
#[must_use]
pub fn noise_frame(seed: u64, width: u16, height: u16) -> Vec<u8> {
    let mut picture = Canvas::new(usize::from(width), usize::from(height));
    let (right, bottom) = (f32::from(width), f32::from(height));
    picture.gradient(0.0..bottom, Rgb(150, 150, 140), Rgb(70, 75, 90));
    picture.disc((right * 0.6, bottom * 0.5), bottom * 0.3, Rgb(190, 120, 80));
    Sensor::new(seed).add_noise(&mut picture, sensor::LOAD_NOISE);
    jpeg(picture.rgb(), width, height)
}

fn jpeg(rgb: &[u8], width: u16, height: u16) -> Vec<u8> {
    let mut jpeg = Vec::new();
    let mut encoder = Encoder::new(&mut jpeg, JPEG_QUALITY);
    encoder.set_sampling_factor(SamplingFactor::F_2_2);
    encoder
        .encode(rgb, width, height, ColorType::Rgb)
        .expect("a picture of this size fits into a JPEG, and a Vec takes it");
    jpeg
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Mean difference of two pictures' grey, in levels.
    fn difference(a: &[u8], b: &[u8]) -> f64 {
        let sum: u64 = a
            .iter()
            .zip(b)
            .map(|(a, b)| u64::from(a.abs_diff(*b)))
            .sum();
        sum as f64 / a.len() as f64
    }

    #[test]
    fn the_same_seed_draws_the_same_pictures() {
        let short = Scene {
            length: Duration::from_millis(300),
            ..Scene::default()
        };
        let draw = |scene: &Scene| scene.frames().map(|f| f.jpeg).collect::<Vec<_>>();
        assert_eq!(draw(&short).len(), 3);
        assert_eq!(draw(&short), draw(&short));
        let other = Scene {
            seed: 2,
            ..short.clone()
        };
        assert_ne!(draw(&short), draw(&other));
    }

    /// What there is to be seen at this time, before the camera adds anything.
    fn drawn(shop: &Canvas, at: Duration) -> Canvas {
        let mut picture = shop.clone();
        Visitor::at(at).draw(&mut picture);
        picture
    }

    #[test]
    fn the_visitor_is_there_during_the_visit_and_at_no_other_time() {
        let shop = Shop::draw();
        let (visit, edge) = (Scene::visit(), Duration::from_millis(200));
        let (before, after) = (drawn(&shop, Duration::ZERO), drawn(&shop, visit.end));
        let can = difference(before.rgb(), after.rgb());
        assert!(
            can > 0.1 && can < 1.0,
            "the can is gone, and nothing else: {can}"
        );
        for tenth in 0..220 {
            let at = Duration::from_millis(tenth * 100);
            let now = drawn(&shop, at);
            if at < visit.start {
                assert!(now.rgb() == before.rgb(), "nobody yet at {at:?}");
            } else if at >= visit.end {
                assert!(now.rgb() == after.rgb(), "nobody any more at {at:?}");
            } else if (visit.start + edge..visit.end - edge).contains(&at) {
                let empty = if at < visit.start + (visit.end - visit.start) / 2 {
                    &before
                } else {
                    &after
                };
                let seen = difference(now.rgb(), empty.rgb());
                assert!(seen > 0.1, "somebody is there at {at:?}: {seen}");
            }
        }
    }

    #[test]
    fn the_visitor_moves_all_through_the_visit() {
        let shop = Shop::draw();
        let (visit, edge) = (Scene::visit(), Duration::from_millis(300));
        let step = Duration::from_millis(200);
        let mut at = visit.start + edge;
        while at + step < visit.end - edge {
            let moved = difference(drawn(&shop, at).rgb(), drawn(&shop, at + step).rgb());
            assert!(moved > 0.05, "hardly anything moves at {at:?}: {moved}");
            at += step;
        }
    }

    #[test]
    fn a_load_frame_has_a_cameras_size() {
        let frame = noise_frame(7, 1280, 720);
        assert!((122_000..136_000).contains(&frame.len()), "{}", frame.len());
        assert_ne!(frame, noise_frame(8, 1280, 720));
    }
}
