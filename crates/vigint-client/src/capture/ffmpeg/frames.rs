//! The pictures of one ffmpeg child, from its pipe to the one who asks, and what its end means.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::ChildStdout;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use vigint_core::clock::Clock;
use vigint_core::frame::FrameLimits;
use vigint_video::jpeg;

use super::command::{Order, spawn_error};
use crate::capture::mpjpeg::MpjpegParser;
use crate::capture::pace::Pace;
use crate::capture::process_group::ProcessGroup;
use crate::capture::reason::{NO_VIDEO, known_reason, reason};
use crate::capture::stderr::Tail;
use crate::capture::watch::{StreamWatch, Surprise};
use crate::capture::{CaptureError, FrameSource, Picture};
use crate::source::{Location, ReadOptions};

/// The most bytes read from the pipe at once.
const CHUNK: usize = 64 * 1024;
/// How long the first picture of a source may take: a camera may be waking up.
const FIRST_PICTURE: Duration = Duration::from_secs(20);
/// A camera that shows nothing for this long is lost.
const NEXT_PICTURE: Duration = Duration::from_secs(10);
/// Or for so many of its periods, where pictures are asked for rarely.
const PERIODS: u32 = 3;
/// ffmpeg calls a camera that takes a connection and says nothing no video, once its own time limit is over.
const NETWORK_LIMIT: Duration = Duration::from_secs(9);
/// A film on a slow disk, in a costly format, is still read.
const PICTURE_OF_FILM: Duration = Duration::from_secs(60);
/// How long a child may take to end by itself.
const FAREWELL: Duration = Duration::from_secs(1);

/// The pictures of one child. Dropping it kills the child with all that it started.
#[derive(Debug)]
pub(crate) struct FfmpegFrames {
    child: ProcessGroup,
    stdout: ChildStdout,
    parser: MpjpegParser,
    pace: Pace,
    clock: Arc<dyn Clock>,
    tail: Tail,
    listener: JoinHandle<()>,
    /// Of a camera; a film is what it is.
    watch: Option<StreamWatch>,
    has_shown: bool,
    /// When it was started, on [`Clock::elapsed`].
    started_at: Duration,
    /// Time from picture to picture, as asked for.
    period: Duration,
}

impl FfmpegFrames {
    /// Starts the child and tells it what it is to read.
    pub(super) async fn start(
        order: Order,
        pace: Pace,
        location: &Location,
        options: &ReadOptions,
        clock: &Arc<dyn Clock>,
    ) -> Result<Self, CaptureError> {
        let Order { mut command, input } = order;
        let mut child = ProcessGroup::spawn(&mut command).map_err(spawn_error)?;
        let (Some(stdout), Some(stderr)) = (child.take_stdout(), child.take_stderr()) else {
            return Err(CaptureError::Ffmpeg(io::ErrorKind::BrokenPipe.into()));
        };
        let tail = Tail::default();
        let listener = tokio::spawn(tail.clone().follow(stderr, location.mask()));
        if let (Some(input), Some(mut stdin)) = (input, child.take_stdin()) {
            // Less than a pipe holds. A child that reads nothing has ended, and its last words say why.
            let _ = timeout(FAREWELL, stdin.write_all(input.as_bytes())).await;
        }
        Ok(Self {
            child,
            stdout,
            parser: MpjpegParser::new(FrameLimits::default().max_bytes),
            pace,
            clock: Arc::clone(clock),
            tail,
            listener,
            watch: location.is_live().then(|| StreamWatch::new(options.fps)),
            has_shown: false,
            started_at: clock.elapsed(),
            period: Duration::from_secs_f64(1.0 / options.fps.max(0.01)),
        })
    }

    /// The same, with what earlier openings of the camera have learned of its rate.
    pub(super) fn knowing(mut self, surprise: &Surprise) -> Self {
        self.watch = self.watch.map(|watch| watch.knowing(surprise));
        self
    }

    /// What ffmpeg has said so far: its last lines, masked.
    pub(super) fn said(&self) -> Vec<String> {
        self.tail.lines()
    }

    async fn next_jpeg(&mut self) -> Result<Option<Bytes>, CaptureError> {
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
    async fn farewell(&mut self) -> Result<Option<Bytes>, CaptureError> {
        let status = match timeout(FAREWELL, self.child.wait()).await {
            Ok(status) => Some(status?),
            Err(_) => None,
        };
        // The last words may still be in the pipe.
        let _ = timeout(FAREWELL, &mut self.listener).await;
        let said = self.tail.lines();
        let is_well = status.is_some_and(|status| status.success()) && self.has_shown;
        // ffmpeg calls a camera's connection that broke a success. What it said of a film that was shown is past.
        let broke = self.watch.as_ref().and_then(|_| known_reason(&said));
        let waited = self.clock.elapsed().saturating_sub(self.started_at);
        if !self.has_shown && broke == Some(NO_VIDEO) && waited >= NETWORK_LIMIT {
            let seconds = waited.as_secs();
            return Err(CaptureError::Silent { seconds });
        }
        match (is_well, broke) {
            (true, None) => Ok(None),
            (true, Some(broke)) => Err(CaptureError::Failed(broke.to_owned())),
            (false, _) => Err(CaptureError::Failed(reason(&said))),
        }
    }

    fn patience(&self) -> Duration {
        match (self.watch.is_some(), self.has_shown) {
            (true, false) => FIRST_PICTURE,
            (true, true) => NEXT_PICTURE.max(self.period * PERIODS),
            (false, _) => PICTURE_OF_FILM,
        }
    }

    /// Whether a camera still shows what it did.
    fn inspect(&mut self, jpeg: &[u8]) -> Result<(), CaptureError> {
        let Some(watch) = &mut self.watch else {
            return Ok(());
        };
        match jpeg::inspect(jpeg, u64::MAX) {
            Ok(info) => {
                let native = self.tail.native();
                watch.note(self.clock.elapsed(), native, (info.width, info.height))
            }
            Err(error) => Err(CaptureError::Failed(format!(
                "what it shows cannot be read as pictures: {error}"
            ))),
        }
    }
}

impl FrameSource for FfmpegFrames {
    async fn next_frame(&mut self) -> Result<Option<Picture>, CaptureError> {
        let patience = self.patience();
        let Ok(jpeg) = timeout(patience, self.next_jpeg()).await else {
            let seconds = patience.as_secs();
            return Err(CaptureError::silent(seconds, &self.tail.lines()));
        };
        let Some(jpeg) = jpeg? else {
            return Ok(None);
        };
        self.inspect(&jpeg)?;
        self.has_shown = true;
        self.tail.note_picture();
        let wait = self.pace.wait(&*self.clock);
        if !wait.is_zero() {
            let _ = timeout(wait, self.attend()).await;
        }
        let captured_at = self.pace.stamp(&*self.clock);
        Ok(Some(Picture { jpeg, captured_at }))
    }

    /// Buries the child as soon as it ends. A film's may have written all that is left into the pipe and be gone while
    /// its reader waits for hours for the server.
    async fn attend(&mut self) {
        let _ = self.child.wait().await;
        std::future::pending::<()>().await;
    }

    async fn close(self) {
        // Told to end, and with its pipe gone, ffmpeg takes leave of the camera by itself.
        let Self {
            mut child, stdout, ..
        } = self;
        drop(stdout);
        child.end(FAREWELL).await;
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use tokio::process::Command;
    use vigint_core::clock::SystemClock;

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(20);

    /// Looks again and again until the process that wrote its number into this file is buried.
    async fn is_buried(file: &Path) {
        loop {
            let said = std::fs::read_to_string(file).unwrap_or_default();
            if let Some(pid) = said.strip_suffix('\n')
                && !Path::new(&format!("/proc/{pid}")).exists()
            {
                return;
            }
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn a_child_that_ends_while_its_reader_waits_is_buried_and_its_end_still_known() {
        let folder = tempfile::tempdir().unwrap();
        let number = folder.path().join("number");
        let mut command = Command::new("sh");
        let script = format!(
            "echo $$ > '{}'; echo ffmpeg: gone >&2; exit 3",
            number.display()
        );
        command
            .args(["-c", &script])
            .stdout(std::process::Stdio::piped());
        command.stderr(std::process::Stdio::piped());
        let order = Order {
            command,
            input: None,
        };
        let location: Location = "/films/day.mp4".parse().unwrap();
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        let pace = Pace::Live { last: None };
        let options = ReadOptions::default();
        let started = FfmpegFrames::start(order, pace, &location, &options, &clock).await;
        let mut frames = started.unwrap();
        tokio::select! {
            () = frames.attend() => panic!("it never ends"),
            buried = timeout(PATIENCE, is_buried(&number)) => buried.expect("it lies there dead"),
        }
        let error = frames.next_frame().await.unwrap_err().to_string();
        assert_eq!(error, "ffmpeg gave up: ffmpeg: gone");
    }
}
