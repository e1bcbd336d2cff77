//! Cameras: how they are opened and how pictures come out of them.
//!
//! [`Camera`] and [`FrameSource`] are the seam: ffmpeg is the one real camera, tests bring scripted ones.
//! Nothing here knows the server.

mod ffmpeg;
mod mpjpeg;
mod pace;
mod process_group;
mod reason;
mod reel;
mod stderr;
mod stream;
mod watch;

use std::io;

use bytes::Bytes;
use vigint_core::clock::UtcTime;

pub(crate) use ffmpeg::FfmpegCamera;
pub use ffmpeg::{FfmpegInspection, inspect_ffmpeg};
pub use mpjpeg::MpjpegError;
pub use stream::NativeStream;

/// One picture and when it was taken.
#[derive(Clone, Debug)]
pub(crate) struct Picture {
    /// The JPEG.
    pub(crate) jpeg: Bytes,
    /// When it was taken.
    pub(crate) captured_at: UtcTime,
}

/// Something that pictures can be got from, again and again.
pub(crate) trait Camera: Send + Sync {
    /// What an opening gives.
    type Frames: FrameSource;

    /// Starts the pictures. A film's times go on behind `after`, when it was read before.
    fn open(
        &self,
        after: Option<UtcTime>,
    ) -> impl Future<Output = Result<Self::Frames, CaptureError>> + Send;
}

/// The pictures of one opening. Dropping it ends whatever makes them.
pub(crate) trait FrameSource: Send {
    /// The next picture; `None` at a regular end.
    fn next_frame(&mut self) -> impl Future<Output = Result<Option<Picture>, CaptureError>> + Send;

    /// Does what has to be done while nobody asks for the next picture. Never ends; may be dropped at any time.
    fn attend(&mut self) -> impl Future<Output = ()> + Send {
        std::future::pending()
    }

    /// Ends it in order, so that a camera learns that its viewer has gone.
    fn close(self) -> impl Future<Output = ()> + Send;
}

/// Why there are no pictures. Texts are masked: no password stands in them.
#[derive(Debug, thiserror::Error)]
pub enum CaptureError {
    /// ffmpeg is not installed.
    #[error(
        "ffmpeg was not found; install it, on Debian and Ubuntu with: sudo apt-get install -y ffmpeg"
    )]
    FfmpegMissing,
    /// ffmpeg could not be started or listened to.
    #[error("ffmpeg cannot be run: {0}")]
    Ffmpeg(#[from] io::Error),
    /// ffmpeg does not even say its version.
    #[error("ffmpeg said nothing for {seconds} seconds: is this machine overloaded?")]
    FfmpegHangs {
        /// How long was waited.
        seconds: u64,
    },
    /// The film is not there. Whoever tells it knows which film: an address whose scheme was mistyped counts as one,
    /// and its password must not be in here.
    #[error("{0}")]
    File(#[source] io::Error),
    /// ffmpeg reads the film and gets no further.
    #[error(
        "nothing more of the film could be read for {seconds} seconds: is the disk or the network drive that it lies \
         on there, and not too slow?"
    )]
    FilmHangs {
        /// How long was waited.
        seconds: u64,
    },
    /// ffmpeg gave up, and this is why.
    #[error("{0}")]
    Failed(String),
    /// No picture came for too long.
    #[error(
        "no picture came for {seconds} seconds: is the camera on and in the network, and is its address right?"
    )]
    Silent {
        /// How long was waited.
        seconds: u64,
    },
    /// Something comes, but no picture can be made of it.
    #[error("no picture could be made of what came for {seconds} seconds: the stream is damaged")]
    Damaged {
        /// How long was waited.
        seconds: u64,
    },
    /// Its pictures have another size than before.
    #[error("its pictures changed from {}x{} to {}x{}", before.0, before.1, now.0, now.1)]
    Resized {
        /// Width and height until now, in pixels.
        before: (u16, u16),
        /// Width and height of the newest picture, in pixels.
        now: (u16, u16),
    },
    /// The camera sends far more pictures than it has sent, and than were asked for.
    #[error("it sends {fps:.0} pictures a second, where it used to send {usual_fps:.0}")]
    TooFast {
        /// Pictures a second.
        fps: f64,
        /// What it used to send.
        usual_fps: f64,
    },
    /// Hardly any pictures come from a camera that has shown many.
    #[error("it shows {fps:.1} pictures a second, where it used to show {usual_fps:.0}")]
    TooSlow {
        /// Pictures a second.
        fps: f64,
        /// What it used to show.
        usual_fps: f64,
    },
    /// What ffmpeg wrote cannot be taken apart.
    #[error("ffmpeg wrote something that is no stream of pictures: {0}")]
    Stream(#[from] MpjpegError),
}

impl CaptureError {
    /// No picture for so long: because nothing came, or because of what ffmpeg said it was?
    fn silent(seconds: u64, said: &[String]) -> Self {
        if reason::is_damage(said) {
            Self::Damaged { seconds }
        } else {
            Self::Silent { seconds }
        }
    }
}
