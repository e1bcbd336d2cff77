//! ffmpeg as a camera: a child that writes JPEGs into a pipe, for everything ffmpeg can read.
//!
//! The child dies with its [`FfmpegFrames`]. A camera's password stands on its command line (ffmpeg knows no
//! other way) and nowhere else.

use std::io;
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::AsyncReadExt as _;
use tokio::process::{Child, ChildStdout, Command};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use vigint_core::clock::{Clock, UtcTime};
use vigint_core::frame::FrameLimits;

use super::mpjpeg::MpjpegParser;
use super::pace::Pace;
use super::reason::reason;
use super::reel::Reel;
use super::stderr::Tail;
use super::{Camera, CaptureError, FrameSource, Picture};
use crate::source::{Location, ReadOptions};

/// The most bytes read from the pipe at once.
const CHUNK: usize = 64 * 1024;
/// How long the first picture of a source may take: a camera may be waking up.
const FIRST_PICTURE: Duration = Duration::from_secs(20);
/// A camera that shows nothing for this long is lost.
const NEXT_PICTURE: Duration = Duration::from_secs(10);
/// A film on a slow disk, in a costly format, is still read.
const PICTURE_OF_FILM: Duration = Duration::from_secs(60);
/// How much of a paced film is walked through to learn its rate.
const RATE_SAMPLE: Duration = Duration::from_secs(30);
/// How long a child may take to end by itself.
const FAREWELL: Duration = Duration::from_secs(1);

/// A source as ffmpeg reads it.
#[derive(Clone, Debug)]
pub(crate) struct FfmpegCamera {
    location: Location,
    options: ReadOptions,
    clock: Arc<dyn Clock>,
}

impl FfmpegCamera {
    pub(crate) fn new(location: Location, options: ReadOptions, clock: Arc<dyn Clock>) -> Self {
        Self {
            location,
            options,
            clock,
        }
    }

    /// Measures a film and decides its rate and times.
    async fn plan_film(
        &self,
        film: &Path,
        after: Option<UtcTime>,
    ) -> Result<(f64, Pace), CaptureError> {
        let missing = |cause| CaptureError::File {
            path: film.to_owned(),
            cause,
        };
        let found = tokio::fs::metadata(film).await.map_err(missing)?;
        if found.is_dir() {
            return Err(missing(io::ErrorKind::IsADirectory.into()));
        }
        let sample = (!self.options.fast).then_some(RATE_SAMPLE);
        let reel = Reel::measure(film, sample).await?;
        // A film is never sent at more pictures than it has: that would send every one of them twice.
        let fps = reel
            .fps
            .map_or(self.options.fps, |own| own.min(self.options.fps));
        let period = Duration::from_secs_f64(1.0 / fps.max(0.01));
        let now = self.clock.now();
        let pace = if self.options.fast {
            Pace::ending_at(now, period, reel.frames_at(fps))
        } else {
            let start = after.map_or(now, |after| now.max(after + period));
            Pace::paced(start, period, &*self.clock)
        };
        Ok((fps, pace))
    }

    fn start(&self, fps: f64, pace: Pace) -> Result<FfmpegFrames, CaptureError> {
        let mut command = ffmpeg();
        self.add_input(&mut command);
        let width = self.options.width;
        command
            .args(["-map", "0:v:0", "-an", "-sn", "-dn", "-vf"])
            .arg(format!("fps=fps={fps},scale='min({width},iw)':-2"))
            .args([
                "-pix_fmt", "yuvj420p", "-c:v", "mjpeg", "-q:v", "4", "-f", "mpjpeg", "pipe:1",
            ])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().map_err(spawn_error)?;
        let (Some(stdout), Some(stderr)) = (child.stdout.take(), child.stderr.take()) else {
            return Err(CaptureError::Ffmpeg(io::ErrorKind::BrokenPipe.into()));
        };
        let tail = Tail::default();
        let listener = tokio::spawn(tail.clone().follow(stderr, self.location.mask()));
        Ok(FfmpegFrames {
            child,
            stdout,
            parser: MpjpegParser::new(FrameLimits::default().max_bytes),
            pace,
            clock: Arc::clone(&self.clock),
            tail,
            listener,
            is_live: self.location.is_live(),
            has_shown: false,
        })
    }

    fn add_input(&self, command: &mut Command) {
        match &self.location {
            Location::Rtsp(url) => {
                command
                    .args(["-rtsp_transport", "tcp", "-timeout", "10000000"])
                    .args(["-fflags", "+genpts+discardcorrupt"])
                    .args(["-use_wallclock_as_timestamps", "1", "-i", url]);
            }
            Location::Http(url) => {
                command
                    .args([
                        "-rw_timeout",
                        "10000000",
                        "-use_wallclock_as_timestamps",
                        "1",
                    ])
                    .args(["-i", url]);
            }
            Location::Device(device) => {
                command.args(["-f", "v4l2", "-i"]).arg(device);
            }
            Location::File(film) => {
                command.arg("-i").arg(FilmPath(film).as_argument());
            }
        }
    }
}

impl Camera for FfmpegCamera {
    type Frames = FfmpegFrames;

    async fn open(&self, after: Option<UtcTime>) -> Result<FfmpegFrames, CaptureError> {
        let (fps, pace) = match &self.location {
            Location::File(film) => self.plan_film(film, after).await?,
            _ => (self.options.fps, Pace::Live),
        };
        self.start(fps, pace)
    }
}

/// The pictures of one ffmpeg child.
#[derive(Debug)]
pub(crate) struct FfmpegFrames {
    child: Child,
    stdout: ChildStdout,
    parser: MpjpegParser,
    pace: Pace,
    clock: Arc<dyn Clock>,
    tail: Tail,
    listener: JoinHandle<()>,
    is_live: bool,
    has_shown: bool,
}

impl FfmpegFrames {
    async fn next_jpeg(&mut self) -> Result<Option<bytes::Bytes>, CaptureError> {
        loop {
            if let Some(jpeg) = self.parser.next_frame()? {
                return Ok(Some(jpeg));
            }
            let buffer = self.parser.buffer();
            buffer.reserve(CHUNK);
            if self.stdout.read_buf(buffer).await? == 0 {
                return self.farewell().await;
            }
        }
    }

    /// The pipe is closed: was that the end, or has something gone wrong?
    async fn farewell(&mut self) -> Result<Option<bytes::Bytes>, CaptureError> {
        let status = match timeout(FAREWELL, self.child.wait()).await {
            Ok(status) => Some(status?),
            Err(_) => None,
        };
        // The last words may still be in the pipe.
        let _ = timeout(FAREWELL, &mut self.listener).await;
        match status {
            Some(status) if status.success() && self.has_shown => Ok(None),
            _ => Err(CaptureError::Failed(reason(&self.tail.lines()))),
        }
    }

    fn patience(&self) -> Duration {
        match (self.is_live, self.has_shown) {
            (true, false) => FIRST_PICTURE,
            (true, true) => NEXT_PICTURE,
            (false, _) => PICTURE_OF_FILM,
        }
    }
}

impl FrameSource for FfmpegFrames {
    async fn next_frame(&mut self) -> Result<Option<Picture>, CaptureError> {
        let patience = self.patience();
        let Ok(jpeg) = timeout(patience, self.next_jpeg()).await else {
            let seconds = patience.as_secs();
            return Err(CaptureError::Silent { seconds });
        };
        let Some(jpeg) = jpeg? else {
            return Ok(None);
        };
        self.has_shown = true;
        let wait = self.pace.wait(&*self.clock);
        if !wait.is_zero() {
            let _ = timeout(wait, std::future::pending::<()>()).await;
        }
        let captured_at = self.pace.stamp(&*self.clock);
        Ok(Some(Picture { jpeg, captured_at }))
    }

    async fn close(self) {
        // With its pipe gone ffmpeg takes leave of the camera by itself; if not, dropping the child kills it.
        let Self {
            mut child, stdout, ..
        } = self;
        drop(stdout);
        let _ = timeout(FAREWELL, child.wait()).await;
        let _ = child.kill().await;
    }
}

/// ffmpeg without a word more than needed, no keyboard, killed when it is dropped. In a process group of its
/// own: Ctrl-C on the terminal is for us, and we end our children in order.
pub(super) fn ffmpeg() -> Command {
    let mut command = Command::new("ffmpeg");
    command
        .args(["-hide_banner", "-nostdin", "-loglevel", "warning"])
        .stdin(Stdio::null())
        .process_group(0)
        .kill_on_drop(true);
    command
}

pub(super) fn spawn_error(error: io::Error) -> CaptureError {
    if error.kind() == io::ErrorKind::NotFound {
        CaptureError::FfmpegMissing
    } else {
        CaptureError::Ffmpeg(error)
    }
}

/// A film's path as ffmpeg takes it: `file:` keeps a name such as `-x` or `a:b` from being taken for an
/// option or an address.
pub(super) struct FilmPath<'a>(pub(super) &'a Path);

impl FilmPath<'_> {
    pub(super) fn as_argument(&self) -> std::ffi::OsString {
        let mut argument = std::ffi::OsString::from("file:");
        argument.push(self.0);
        argument
    }
}
