//! Sessions with a scripted camera and a scripted server.

mod batches;
mod rate;
mod run;
mod server;

use std::collections::VecDeque;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use tokio::sync::{Semaphore, watch};
use tokio::task::JoinHandle;
use vigint_core::clock::{SystemClock, UtcTime};

use super::*;
use crate::capture::Picture;
use crate::event::Event;
use crate::scripted_server::{PATIENCE, Reply, Request, ScriptedServer, SentFrame};
use crate::uplink::parse_address;

/// A camera whose openings give so many pictures each, as soon as they may; after the last it shows nothing.
#[derive(Clone)]
pub(super) struct ScriptedCamera {
    openings: Arc<Mutex<VecDeque<usize>>>,
    shown: Arc<AtomicUsize>,
    /// How often it was asked for a picture. Who asks for the next has put the one before into the queue.
    asked: Arc<watch::Sender<usize>>,
    may_show: Arc<Semaphore>,
    pub(super) is_film: bool,
}

impl ScriptedCamera {
    pub(super) fn showing(openings: &[usize]) -> Self {
        Self {
            openings: Arc::new(Mutex::new(openings.iter().copied().collect())),
            shown: Arc::default(),
            asked: Arc::new(watch::Sender::new(0)),
            may_show: Arc::new(Semaphore::new(1000)),
            is_film: false,
        }
    }

    fn shown(&self) -> usize {
        self.shown.load(Relaxed)
    }

    /// Waits until so many pictures are in the queue, or were.
    async fn has_queued(&self, pictures: usize) {
        let mut asked = self.asked.subscribe();
        let waited = timeout(PATIENCE, asked.wait_for(|asked| *asked > pictures)).await;
        waited.expect("the camera is not asked for more").unwrap();
    }
}

pub(super) struct ScriptedFrames {
    left: usize,
    is_last: bool,
    camera: ScriptedCamera,
}

impl Camera for ScriptedCamera {
    type Frames = ScriptedFrames;

    async fn open(&self, _after: Option<UtcTime>) -> Result<ScriptedFrames, CaptureError> {
        let mut openings = self.openings.lock().unwrap();
        let left = openings.pop_front().unwrap();
        Ok(ScriptedFrames {
            left,
            is_last: openings.is_empty(),
            camera: self.clone(),
        })
    }
}

impl crate::capture::FrameSource for ScriptedFrames {
    async fn next_frame(&mut self) -> Result<Option<Picture>, CaptureError> {
        self.camera.asked.send_modify(|asked| *asked += 1);
        if self.left == 0 {
            if self.is_last && !self.camera.is_film {
                std::future::pending::<()>().await;
            }
            return Ok(None);
        }
        self.camera.may_show.acquire().await.unwrap().forget();
        self.left -= 1;
        let number = self.camera.shown.fetch_add(1, Relaxed);
        let captured_at = UtcTime::from_unix_millis(i64::try_from(number).unwrap() * 100);
        let jpeg = bytes::Bytes::from_static(&[0xFF, 0xD8, 0xFF]);
        Ok(Some(Picture { jpeg, captured_at }))
    }

    async fn close(self) {}
}

pub(super) struct Rig {
    pub(super) server: ScriptedServer,
    pub(super) events: Arc<Mutex<Vec<Event>>>,
    counters: Arc<Counters>,
    pub(super) stop: CancellationToken,
    around: Surroundings,
    news: watch::Receiver<()>,
}

impl Rig {
    pub(super) async fn new(answer: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Self {
        let source: Source = "rtsp://cam/1".parse().unwrap();
        let server = ScriptedServer::start(answer).await;
        let key = "a-key-of-16-chars".parse().unwrap();
        let address = parse_address(&server.url()).unwrap();
        let events: Arc<Mutex<Vec<Event>>> = Arc::default();
        let listener = Arc::clone(&events);
        let (told, news) = watch::channel(());
        let around = Surroundings::new(
            Uplink::new(&address, Some(&key)).unwrap(),
            Arc::new(SystemClock::new()),
            Arc::new(move |event| {
                listener.lock().unwrap().push(event);
                told.send_modify(|()| {});
            }),
        );
        Self {
            server,
            events,
            counters: Arc::new(Counters::new(source.id)),
            stop: around.stop.clone(),
            around,
            news,
        }
    }

    /// Waits until an event of this name was told.
    async fn until_told(&self, name: &str) {
        let mut news = self.news.clone();
        while self.told(name) == 0 {
            let waited = timeout(PATIENCE, news.changed()).await;
            waited.expect("it was never told").unwrap();
        }
    }

    /// How often an event of this name was told.
    fn told(&self, name: &str) -> usize {
        let events = serde_json::to_string(&*self.events.lock().unwrap()).unwrap();
        events.matches(&format!(r#""event":"{name}""#)).count()
    }

    pub(super) fn session(&self, source: &str, camera: &ScriptedCamera) -> Session<ScriptedCamera> {
        let counters = Arc::clone(&self.counters);
        let around = self.around.clone();
        Session::new(source.parse().unwrap(), camera.clone(), counters, around)
    }

    /// Stops all, and waits until this run has ended well.
    async fn stop(&self, run: JoinHandle<Result<(), RunError>>) {
        self.stop.cancel();
        timeout(PATIENCE, run).await.unwrap().unwrap().unwrap();
    }

    /// Runs a camera of so many pictures. The first is on its way by itself, all others wait.
    async fn run_with_one_on_its_way(&self, pictures: usize) -> JoinHandle<Result<(), RunError>> {
        let mut camera = ScriptedCamera::showing(&[pictures]);
        camera.may_show = Arc::new(Semaphore::new(1));
        let run = tokio::spawn(self.session("rtsp://cam/1", &camera).run());
        self.server.until(|requests| requests.len() == 1).await;
        camera.may_show.add_permits(pictures - 1);
        camera.has_queued(pictures).await;
        run
    }
}

fn gated(gate: &Arc<Semaphore>) -> impl Fn(&Request) -> Reply + Send + Sync + 'static {
    let gate = Arc::clone(gate);
    move |request| match Reply::of_vigint(request) {
        reply if !request.frames().is_empty() => reply.behind(&gate),
        reply => reply,
    }
}
