//! Whether what a camera shows is still what it was: its rate, the size of its pictures.
//!
//! A camera that hangs, or whose settings were changed, often goes on sending something. What is wrong with it
//! is seen here; that nothing comes at all is seen by whoever waits. Only numbers go in: no clock, no pictures.
//!
//! A camera may send more than is asked for all day, most do; what is too many is left out before they come here. It is
//! opened anew when its rate has changed out of all proportion, and is believed when it is the same after that.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::CaptureError;
use super::stderr::Native;

/// Over what a rate is measured.
const WINDOW: Duration = Duration::from_secs(10);
/// Less than this share of the usual rate is too slow. Cameras halve their rate at night, or go to a third …
const TOO_SLOW: f64 = 0.2;
/// … and come back from it: only more than the usual rate times this is too fast.
const TOO_FAST: f64 = 3.5;
/// So many windows in a row must be too slow, or too fast: one may be a network that hangs and catches up.
const ODD_WINDOWS: u32 = 2;
/// A rate for which the camera was opened anew may be exceeded by so much before it is a surprise again.
const OF_SURPRISE: f64 = 1.5;
/// How much of the usual rate one window makes up, so that it follows a camera that changes by and by.
const WEIGHT: f64 = 0.1;

/// The highest rate for which a camera was opened anew, over all its openings. Some send a picture a second while
/// nothing moves and many when something does: that is a surprise once, and not in the middle of each visit.
#[derive(Clone, Debug, Default)]
pub(super) struct Surprise(Arc<Mutex<f64>>);

impl Surprise {
    fn fps(&self) -> f64 {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is(&self, fps: f64) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = fps;
    }
}

/// Watches the pictures of one opening of a camera.
#[derive(Debug)]
pub(super) struct StreamWatch {
    asked_fps: f64,
    native_size: Option<(u16, u16)>,
    sent_size: Option<(u16, u16)>,
    window: Option<Window>,
    /// Of the pictures that come out.
    shown: Rate,
    /// Of those that the camera sends.
    native: Rate,
    surprise: Surprise,
}

#[derive(Clone, Copy, Debug)]
struct Window {
    since: Duration,
    pictures: u32,
    /// How many the camera had sent when it began.
    native_pictures: Option<u32>,
}

/// A rate in pictures a second.
#[derive(Debug, Default)]
struct Rate {
    /// What it has been in this opening so far.
    usual: Option<f64>,
    /// Windows in a row that were out of all proportion to it.
    odd_windows: u32,
}

impl Rate {
    fn usual(&self, fps: f64) -> f64 {
        self.usual.unwrap_or(fps)
    }

    /// A window was odd. Says whether it was one too many.
    fn was_odd(&mut self) -> bool {
        self.odd_windows += 1;
        self.odd_windows >= ODD_WINDOWS
    }

    /// A window was not odd, and this is the usual rate from now on.
    fn becomes(&mut self, usual: f64) {
        self.odd_windows = 0;
        self.usual = Some(usual);
    }
}

impl StreamWatch {
    /// Of a camera that was asked for so many pictures a second.
    pub(super) fn new(asked_fps: f64) -> Self {
        Self {
            asked_fps,
            native_size: None,
            sent_size: None,
            window: None,
            shown: Rate::default(),
            native: Rate::default(),
            surprise: Surprise::default(),
        }
    }

    /// The same, with what earlier openings of the camera have learned.
    pub(super) fn knowing(self, surprise: &Surprise) -> Self {
        Self {
            surprise: surprise.clone(),
            ..self
        }
    }

    /// Takes note of a picture of this size that came `at` this time, on any clock that is never set back. `native` is
    /// what the camera has sent until then, once that is known: only like is compared with like.
    ///
    /// # Errors
    /// What is wrong since. The camera must be opened anew then, and with it a new watch begun.
    pub(super) fn note(
        &mut self,
        at: Duration,
        native: Option<Native>,
        sent: (u16, u16),
    ) -> Result<(), CaptureError> {
        let sizes = [
            (&mut self.native_size, native.map(|native| native.size)),
            (&mut self.sent_size, Some(sent)),
        ];
        for (known, now) in sizes {
            let Some(now) = now else { continue };
            if let Some(before) = known.replace(now).filter(|before| *before != now) {
                return Err(CaptureError::Resized { before, now });
            }
        }
        let native_pictures = native.map(|native| native.pictures);
        let fresh = Window {
            since: at,
            pictures: 0,
            native_pictures,
        };
        let Some(window) = &mut self.window else {
            // The first picture begins the first window.
            self.window = Some(fresh);
            return Ok(());
        };
        window.pictures += 1;
        let length = at.saturating_sub(window.since);
        if length < WINDOW {
            return Ok(());
        }
        let fps = |pictures: u32| f64::from(pictures) / length.as_secs_f64();
        let shown = fps(window.pictures);
        let sent = native_pictures
            .zip(window.native_pictures)
            .map(|(now, before)| fps(now.saturating_sub(before)));
        self.window = Some(fresh);
        self.judge_shown(shown)?;
        sent.map_or(Ok(()), |sent| self.judge_native(sent))
    }

    fn judge_shown(&mut self, fps: f64) -> Result<(), CaptureError> {
        let usual_fps = self.shown.usual(fps);
        if fps >= usual_fps * TOO_SLOW {
            // Up at once: what it can show it should show.
            let usual = fps.max(usual_fps * (1.0 - WEIGHT) + fps * WEIGHT);
            self.shown.becomes(usual);
        } else if self.shown.was_odd() {
            return Err(CaptureError::TooSlow { fps, usual_fps });
        }
        Ok(())
    }

    fn judge_native(&mut self, fps: f64) -> Result<(), CaptureError> {
        let usual_fps = self.native.usual(fps);
        // What is asked for is never too much.
        let most = (usual_fps * TOO_FAST)
            .max(self.asked_fps)
            .max(self.surprise.fps() * OF_SURPRISE);
        if fps <= most {
            let usual = usual_fps * (1.0 - WEIGHT) + fps * WEIGHT;
            self.native.becomes(usual);
        } else if self.native.was_odd() {
            self.surprise.is(fps);
            return Err(CaptureError::TooFast { fps, usual_fps });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: (u16, u16) = (1280, 720);

    /// Shows pictures for `seconds` at `fps`, from `from` seconds on.
    fn show(
        watch: &mut StreamWatch,
        from: u32,
        seconds: u32,
        fps: f64,
    ) -> Result<(), CaptureError> {
        let period = 1.0 / fps;
        let mut at = f64::from(from);
        while at < f64::from(from + seconds) {
            watch.note(Duration::from_secs_f64(at), None, SIZE)?;
            at += period;
        }
        Ok(())
    }

    #[test]
    fn a_camera_that_shows_what_was_asked_for_is_well_for_hours() {
        let mut watch = StreamWatch::new(10.0);
        show(&mut watch, 0, 7200, 10.0).unwrap();
        show(&mut watch, 7200, 600, 4.0).expect("as it may at night");
        show(&mut watch, 7800, 600, 1.5).expect("slower by and by");
        show(&mut watch, 8400, 600, 10.0).unwrap();
    }

    #[test]
    fn a_camera_slower_than_asked_from_the_start_is_as_it_is() {
        show(&mut StreamWatch::new(25.0), 0, 600, 0.5).unwrap();
    }

    /// Of what a camera sends ten pictures a second come out.
    struct Thinned {
        watch: StreamWatch,
        tenths: u32,
        sent: u32,
    }

    impl Thinned {
        fn asked_for(fps: f64) -> Self {
            Self {
                watch: StreamWatch::new(fps),
                tenths: 0,
                sent: 0,
            }
        }

        fn send(&mut self, seconds: u32, fps: u32) -> Result<(), CaptureError> {
            for _ in 0..seconds * 10 {
                self.tenths += 1;
                self.sent += fps / 10;
                let native = Native {
                    pictures: self.sent,
                    size: SIZE,
                };
                let at = Duration::from_millis(100) * self.tenths;
                self.watch.note(at, Some(native), SIZE)?;
            }
            Ok(())
        }
    }

    #[test]
    fn a_camera_that_comes_to_send_far_more_pictures_is_told_after_two_windows() {
        let mut camera = Thinned::asked_for(10.0);
        camera.send(61, 10).unwrap();
        let caught_up = camera.send(10, 50);
        caught_up.expect("one window may be a network that catches up");
        camera.send(60, 10).unwrap();
        let error = camera.send(40, 50).unwrap_err();
        assert_eq!(
            error.to_string(),
            "it sends 50 pictures a second, where it used to send 10"
        );
    }

    #[test]
    fn a_camera_that_sends_many_pictures_only_while_something_moves_is_opened_anew_once() {
        let surprise = Surprise::default();
        let opened = || Thinned {
            watch: StreamWatch::new(10.0).knowing(&surprise),
            ..Thinned::asked_for(10.0)
        };
        let mut camera = opened();
        camera.send(61, 10).unwrap();
        camera.send(40, 50).unwrap_err();
        let mut camera = opened();
        for visit in 0..20 {
            camera.send(300, 10).unwrap();
            let seen = camera.send(60, 60);
            seen.unwrap_or_else(|error| panic!("visit {visit}: {error}"));
        }
        camera.send(300, 10).unwrap();
        camera.send(40, 100).unwrap_err();
    }

    #[test]
    fn a_camera_that_sends_more_than_is_asked_for_is_as_it_is() {
        for asked in [1.0, 10.0] {
            let mut camera = Thinned::asked_for(asked);
            camera.send(600, 60).unwrap();
            camera.send(600, 20).expect("as it may at night");
            camera.send(600, 60).expect("and by day again");
        }
        let mut camera = Thinned::asked_for(60.0);
        camera.send(60, 10).unwrap();
        camera.send(60, 50).expect("so many were asked for");
    }

    #[test]
    fn a_picture_every_few_seconds_is_too_slow_too() {
        for fps in [0.3, 0.19, 0.11] {
            let mut watch = StreamWatch::new(10.0);
            show(&mut watch, 0, 60, 10.0).unwrap();
            let error = show(&mut watch, 60, 60, fps).unwrap_err();
            assert!(matches!(error, CaptureError::TooSlow { .. }), "{error}");
        }
        show(&mut StreamWatch::new(0.1), 0, 600, 0.1).expect("as it was asked for");
        let mut watch = StreamWatch::new(10.0);
        show(&mut watch, 0, 60, 10.0).unwrap();
        show(&mut watch, 60, 12, 0.5).expect("one window may be a bad network");
        show(&mut watch, 72, 60, 10.0).unwrap();
    }

    #[test]
    fn a_pause_is_no_slow_rate() {
        let mut watch = StreamWatch::new(10.0);
        // Whoever waits gives up after ten seconds.
        for pause in 0..20 {
            show(&mut watch, pause * 30, 21, 10.0).unwrap();
        }
    }

    #[test]
    fn pictures_of_another_size_are_told_with_both_sizes() {
        let mut watch = StreamWatch::new(10.0);
        watch.note(Duration::ZERO, None, SIZE).unwrap();
        let error = watch.note(Duration::from_millis(100), None, (640, 360));
        assert_eq!(
            error.unwrap_err().to_string(),
            "its pictures changed from 1280x720 to 640x360"
        );
    }

    #[test]
    fn a_size_before_it_was_made_smaller_is_compared_only_with_such_a_one() {
        let mut watch = StreamWatch::new(10.0);
        let mut note = |size: Option<(u16, u16)>| {
            let native = size.map(|size| Native { pictures: 1, size });
            watch.note(Duration::ZERO, native, SIZE)
        };
        note(None).unwrap();
        note(Some((1920, 1080))).expect("it is only known later");
        note(Some((1920, 1080))).unwrap();
        note(Some((2560, 1440))).unwrap_err();
    }
}
