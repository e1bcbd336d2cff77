//! Whether what a camera shows is still what it was asked for: its rate, the size of its pictures.
//!
//! A camera that hangs, or whose settings were changed, often goes on sending something. What is wrong with it
//! is seen here; that nothing comes at all is seen by whoever waits. Only numbers go in: no clock, no pictures.

use std::time::Duration;

use super::CaptureError;

/// Over what a rate is measured.
const WINDOW: Duration = Duration::from_secs(10);
/// A pause as long as this is none of the rate's business: it is counted anew after it.
const PAUSE: Duration = Duration::from_secs(5);
/// More than the rate asked for times this, and [`SPARE_FPS`], is too fast.
const TOO_FAST: f64 = 1.5;
const SPARE_FPS: f64 = 2.0;
/// Less than this share of the usual rate is too slow. Cameras halve their rate at night, or go to a third.
const TOO_SLOW: f64 = 0.2;
/// So many windows in a row must be too slow.
const SLOW_WINDOWS: u32 = 2;
/// How much of the usual rate one window makes up, so that it follows a camera that has become slower.
const WEIGHT: f64 = 0.1;

/// Watches the pictures of one opening of a camera.
#[derive(Debug)]
pub(super) struct StreamWatch {
    asked_fps: f64,
    native_size: Option<(u16, u16)>,
    sent_size: Option<(u16, u16)>,
    last_at: Option<Duration>,
    window: Option<Window>,
    /// Pictures a second, as this opening has shown them so far.
    usual_fps: Option<f64>,
    slow_windows: u32,
}

#[derive(Clone, Copy, Debug)]
struct Window {
    since: Duration,
    pictures: u32,
}

impl StreamWatch {
    /// Of a camera that was asked for so many pictures a second.
    pub(super) fn new(asked_fps: f64) -> Self {
        Self {
            asked_fps,
            native_size: None,
            sent_size: None,
            last_at: None,
            window: None,
            usual_fps: None,
            slow_windows: 0,
        }
    }

    /// Takes note of a picture of this size that came `at` this time, on any clock that is never set back. `native` is
    /// its size before it was made smaller, once that is known: only like is compared with like.
    ///
    /// # Errors
    /// What is wrong since. The camera must be opened anew then, and with it a new watch begun.
    pub(super) fn note(
        &mut self,
        at: Duration,
        native: Option<(u16, u16)>,
        sent: (u16, u16),
    ) -> Result<(), CaptureError> {
        let sizes = [
            (&mut self.native_size, native),
            (&mut self.sent_size, Some(sent)),
        ];
        for (known, now) in sizes {
            let Some(now) = now else { continue };
            if let Some(before) = known.replace(now).filter(|before| *before != now) {
                return Err(CaptureError::Resized { before, now });
            }
        }
        let pause = self.last_at.replace(at).map(|last| at.saturating_sub(last));
        let is_after_pause = pause.is_some_and(|pause| pause >= PAUSE);
        match &mut self.window {
            Some(window) if !is_after_pause => {
                window.pictures += 1;
                let length = at.saturating_sub(window.since);
                if length < WINDOW {
                    return Ok(());
                }
                let fps = f64::from(window.pictures) / length.as_secs_f64();
                self.window = Some(Window {
                    since: at,
                    pictures: 0,
                });
                self.judge(fps)
            }
            // The first picture begins the first window.
            _ => {
                self.window = Some(Window {
                    since: at,
                    pictures: 0,
                });
                Ok(())
            }
        }
    }

    fn judge(&mut self, fps: f64) -> Result<(), CaptureError> {
        if fps > self.asked_fps * TOO_FAST + SPARE_FPS {
            let asked_fps = self.asked_fps;
            return Err(CaptureError::TooFast { fps, asked_fps });
        }
        let usual = self.usual_fps.unwrap_or(fps);
        if fps < usual * TOO_SLOW {
            self.slow_windows += 1;
            if self.slow_windows >= SLOW_WINDOWS {
                return Err(CaptureError::TooSlow {
                    fps,
                    usual_fps: usual,
                });
            }
            return Ok(());
        }
        self.slow_windows = 0;
        self.usual_fps = Some(fps.max(usual * (1.0 - WEIGHT) + fps * WEIGHT));
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

    #[test]
    fn far_more_pictures_than_asked_for_are_too_many() {
        let error = show(&mut StreamWatch::new(10.0), 0, 60, 40.0).unwrap_err();
        assert!(matches!(error, CaptureError::TooFast { .. }), "{error}");
        show(&mut StreamWatch::new(0.5), 0, 60, 2.0).expect("a few more do no harm");
    }

    #[test]
    fn a_rate_that_falls_to_nearly_nothing_is_told_after_two_windows() {
        let mut watch = StreamWatch::new(10.0);
        show(&mut watch, 0, 60, 10.0).unwrap();
        let error = show(&mut watch, 60, 60, 0.5).unwrap_err();
        assert!(matches!(error, CaptureError::TooSlow { .. }), "{error}");
        let mut watch = StreamWatch::new(10.0);
        show(&mut watch, 0, 60, 10.0).unwrap();
        show(&mut watch, 60, 12, 0.5).expect("one window may be a bad network");
        show(&mut watch, 72, 60, 10.0).unwrap();
    }

    #[test]
    fn a_pause_is_no_slow_rate() {
        let mut watch = StreamWatch::new(10.0);
        for minute in 0..20 {
            show(&mut watch, minute * 60, 20, 10.0).unwrap();
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
        let mut note = |native| watch.note(Duration::ZERO, native, SIZE);
        note(None).unwrap();
        note(Some((1920, 1080))).expect("it is only known later");
        note(Some((1920, 1080))).unwrap();
        note(Some((2560, 1440))).unwrap_err();
    }
}
