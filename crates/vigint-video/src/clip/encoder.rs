//! JPEGs to H.264: decode, lay onto the canvas, encode, hand over with its time. One thread, one picture
//! at a time.

use std::collections::VecDeque;
use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};

use openh264::encoder::{
    BitRate, Complexity, Encoder, EncoderConfig, FrameRate, FrameType, IntraFramePeriod, Profile,
    QpRange, RateControlMode, VuiConfig,
};
use openh264::formats::YUVSlices;
use openh264::{OpenH264API, Timestamp};
use vigint_core::clock::UtcTime;

use super::canvas::Canvas;
use super::movie::Movie;
use super::pace;
use super::{ClipEncoder, ClipError, ClipFrame, ClipInfo, ClipSettings};
use crate::decode::{Picture, Want, decode};

/// Frames read ahead, still coded, to learn how many there are a second.
const LOOK_AHEAD: usize = 16;

/// The built-in encoder: zune-jpeg, openh264, muxide. Uses one thread, the caller's.
#[derive(Debug, Clone, Copy, Default)]
pub struct H264ClipEncoder {
    settings: ClipSettings,
}

impl H264ClipEncoder {
    /// An encoder with these settings.
    #[must_use]
    pub fn new(settings: ClipSettings) -> Self {
        Self { settings }
    }
}

impl ClipEncoder for H264ClipEncoder {
    fn encode(
        &self,
        frames: &mut dyn Iterator<Item = std::io::Result<ClipFrame>>,
        out: &mut dyn Write,
    ) -> Result<ClipInfo, ClipError> {
        // Unwind safe: all that is being built is dropped, and the caller is told that `out` is worthless.
        catch_unwind(AssertUnwindSafe(|| encode(self.settings, frames, out)))
            .unwrap_or(Err(ClipError::Panicked))
    }
}

fn encode(
    settings: ClipSettings,
    frames: &mut dyn Iterator<Item = std::io::Result<ClipFrame>>,
    out: &mut dyn Write,
) -> Result<ClipInfo, ClipError> {
    let mut ahead = VecDeque::with_capacity(LOOK_AHEAD);
    while ahead.len() < LOOK_AHEAD
        && let Some(frame) = frames.next()
    {
        ahead.push_back(frame.map_err(ClipError::Read)?);
    }
    let frame_rate = pace::frame_rate(ahead.iter().map(|frame| frame.at));
    let mut pictures = Pictures {
        ahead,
        frames,
        skipped: 0,
    };
    let Some((first_at, first)) = pictures.next()? else {
        return Err(ClipError::NoFrames {
            skipped: pictures.skipped,
        });
    };
    let mut track = Track::new(settings, frame_rate, &first, out)?;
    track.push(first_at, &first)?;
    let mut shown = 1_u32;
    while let Some((at, picture)) = pictures.next()? {
        track.push(at, &picture)?;
        shown += 1;
    }
    if shown == 1 {
        // A picture's length is the step to the next one: a lone picture is shown twice.
        track.push(first_at.plus_millis(500), &first)?;
    }
    track.finish(pictures.skipped)
}

/// The frames that decode, one after the other.
struct Pictures<'a> {
    ahead: VecDeque<ClipFrame>,
    frames: &'a mut dyn Iterator<Item = std::io::Result<ClipFrame>>,
    skipped: u32,
}

impl Pictures<'_> {
    fn next(&mut self) -> Result<Option<(UtcTime, Picture)>, ClipError> {
        loop {
            let frame = match self.ahead.pop_front() {
                Some(frame) => frame,
                None => match self.frames.next() {
                    Some(frame) => frame.map_err(ClipError::Read)?,
                    None => return Ok(None),
                },
            };
            // A panic on one picture costs that picture only.
            let decoded = catch_unwind(|| decode(&frame.jpeg, Want::Colour));
            match decoded {
                Ok(Ok(picture)) => return Ok(Some((frame.at, picture))),
                Ok(Err(error)) => {
                    tracing::debug!(at = %frame.at, %error, "a frame is left out of a clip");
                }
                Err(_) => tracing::debug!(at = %frame.at, "a frame made the decoder panic"),
            }
            self.skipped += 1;
        }
    }
}

/// The movie's one track: pictures in, coded pictures at their times out.
struct Track<'a> {
    canvas: Canvas,
    encoder: Encoder,
    movie: Movie<'a>,
    coded: Vec<u8>,
    width: u32,
    height: u32,
    frames: u32,
    last_at: Option<UtcTime>,
    /// When the last picture begins, and how long the one before it was shown.
    ticks: u64,
    last_step: u64,
}

impl<'a> Track<'a> {
    fn new(
        settings: ClipSettings,
        frame_rate: f32,
        first: &Picture,
        out: &'a mut dyn Write,
    ) -> Result<Self, ClipError> {
        let canvas = Canvas::for_first(first.width, first.height);
        let (width, height) = canvas.size();
        let bitrate = settings.bitrate_kbps.map_or_else(
            || pace::default_bitrate(width, height, frame_rate),
            |kbps| kbps.clamp(50, 50_000) * 1000,
        );
        let config = EncoderConfig::new()
            .num_threads(1)
            .profile(Profile::High)
            .complexity(Complexity::Medium)
            .rate_control_mode(RateControlMode::Bitrate)
            .bitrate(BitRate::from_bps(bitrate))
            .max_frame_rate(FrameRate::from_hz(frame_rate))
            .intra_frame_period(IntraFramePeriod::from_num_frames(pace::key_frame_interval(
                frame_rate,
            )))
            // Every frame that was judged is in the clip; the bit rate gives way first.
            .skip_frames(false)
            .qp(QpRange::new(10, 42))
            // The colours of a JPEG are BT.601; the canvas has brought them to video range.
            .vui(VuiConfig::bt601());
        let mut encoder = Encoder::with_api_config(OpenH264API::from_source(), config)
            .map_err(|error| ClipError::Encode(error.to_string()))?;
        silence(&mut encoder);
        let side = |side: usize| u32::try_from(side).unwrap_or(u32::MAX);
        let (width, height) = (side(width), side(height));
        Ok(Self {
            canvas,
            encoder,
            movie: Movie::new(out, width, height)?,
            coded: Vec::new(),
            width,
            height,
            frames: 0,
            last_at: None,
            ticks: 0,
            last_step: 0,
        })
    }

    fn push(&mut self, at: UtcTime, picture: &Picture) -> Result<(), ClipError> {
        self.canvas.draw(picture);
        if let Some(last_at) = self.last_at.replace(at) {
            self.last_step = pace::step(last_at, at);
            self.ticks += self.last_step;
        }
        let (width, height) = self.canvas.size();
        let slices = YUVSlices::new(
            self.canvas.planes(),
            (width, height),
            (width, width / 2, width / 2),
        );
        let millis = Timestamp::from_millis(self.ticks / (pace::TICKS / 1000));
        let stream = self
            .encoder
            .encode_at(&slices, millis)
            .map_err(|error| ClipError::Encode(error.to_string()))?;
        self.coded.clear();
        stream.write_vec(&mut self.coded);
        let key = stream.frame_type() == FrameType::IDR;
        self.movie.push(self.ticks, &self.coded, key)?;
        self.frames += 1;
        Ok(())
    }

    fn finish(self, skipped: u32) -> Result<ClipInfo, ClipError> {
        self.movie.finish()?;
        Ok(ClipInfo {
            duration_ms: (self.ticks + self.last_step) / (pace::TICKS / 1000),
            width: self.width,
            height: self.height,
            frames: self.frames,
            skipped,
        })
    }
}

/// Keeps openh264 from writing to standard error. Its own setting comes too late: it applies after the first
/// lines are out, and a clip that skips no frame would print a warning each time.
#[allow(
    unsafe_code,
    reason = "the safe wrapper has no way to say this before the first frame"
)]
fn silence(encoder: &mut Encoder) {
    let mut level = openh264_sys2::WELS_LOG_QUIET;
    // SAFETY: the encoder lives, this option may be set before it is initialised, and openh264 reads one
    // `int` through the pointer during the call and keeps nothing of it.
    unsafe {
        encoder.raw_api().set_option(
            openh264_sys2::ENCODER_OPTION_TRACE_LEVEL,
            std::ptr::from_mut(&mut level).cast(),
        );
    }
}
