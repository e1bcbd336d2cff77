//! Sessions with a scripted camera and a scripted server.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use tokio::sync::{Semaphore, watch};
use vigint_core::clock::{SystemClock, UtcTime};

use super::*;
use crate::capture::Picture;
use crate::event::Event;
use crate::scripted_server::{PATIENCE, Reply, Request, ScriptedServer};
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
}

impl Rig {
    pub(super) async fn new(answer: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Self {
        let source: Source = "rtsp://cam/1".parse().unwrap();
        Self {
            server: ScriptedServer::start(answer).await,
            events: Arc::default(),
            counters: Arc::new(Counters::new(source.id)),
            stop: CancellationToken::new(),
        }
    }

    pub(super) fn session(&self, source: &str, camera: &ScriptedCamera) -> Session<ScriptedCamera> {
        let key = "a-key-of-16-chars".parse().unwrap();
        let address = parse_address(&self.server.url()).unwrap();
        let events = Arc::clone(&self.events);
        let around = Surroundings {
            uplink: Uplink::new(&address, Some(&key)).unwrap(),
            clock: Arc::new(SystemClock::new()),
            events: Arc::new(move |event| events.lock().unwrap().push(event)),
            watches_motion: false,
            stop: self.stop.clone(),
        };
        let counters = Arc::clone(&self.counters);
        Session::new(source.parse().unwrap(), camera.clone(), counters, around)
    }
}

fn gated(gate: &Arc<Semaphore>) -> impl Fn(&Request) -> Reply + Send + Sync + 'static {
    let gate = Arc::clone(gate);
    move |request| match Reply::of_vigint(request) {
        reply if request.is_frame() => reply.behind(&gate),
        reply => reply,
    }
}

#[tokio::test]
async fn a_cameras_newest_frames_win_over_a_slow_server_and_drops_are_counted() {
    let gate = Arc::new(Semaphore::new(0));
    let rig = Rig::new(gated(&gate)).await;
    let mut camera = ScriptedCamera::showing(&[300]);
    camera.may_show = Arc::new(Semaphore::new(1));
    let run = tokio::spawn(rig.session("rtsp://cam/1", &camera).run());
    rig.server.until(|requests| requests.len() == 1).await;
    camera.may_show.add_permits(299);
    camera.has_queued(300).await;
    assert_eq!(rig.counters.queued.load(Relaxed), 100);
    gate.add_permits(1000);
    rig.server
        .until(|requests| requests.iter().any(|r| r.is_frame() && r.number() == 300))
        .await;
    // The first was on its way; of the rest the newest ten seconds were kept.
    let expected: Vec<i64> = std::iter::once(1).chain(201..=300).collect();
    assert_eq!(rig.server.frame_numbers(), expected);
    assert_eq!(rig.counters.dropped.load(Relaxed), 199);
    rig.stop.cancel();
    timeout(PATIENCE, run).await.unwrap().unwrap().unwrap();
}

#[tokio::test]
async fn a_slow_server_holds_a_films_reader_back_and_gets_every_frame_in_order() {
    let gate = Arc::new(Semaphore::new(0));
    let rig = Rig::new(gated(&gate)).await;
    let mut camera = ScriptedCamera::showing(&[200]);
    camera.is_film = true;
    let run = tokio::spawn(rig.session("film.mp4", &camera).run());
    rig.server.until(|requests| requests.len() == 1).await;
    for round in 1..=150 {
        gate.add_permits(1);
        rig.server
            .until(|requests| requests.iter().filter(|r| r.is_frame()).count() > round)
            .await;
        let ahead = camera.shown() - round;
        assert!(ahead <= FILM_FRAMES + 2, "{ahead} frames were read ahead");
    }
    gate.add_permits(1000);
    timeout(PATIENCE, run).await.unwrap().unwrap().unwrap();
    assert_eq!(rig.server.frame_numbers(), (1..=200).collect::<Vec<_>>());
    assert_eq!(rig.counters.dropped.load(Relaxed), 0);
    let analyses = rig
        .server
        .requests()
        .iter()
        .filter(|r| r.is_analysis())
        .count();
    assert!(
        analyses >= 2,
        "every 3 s of 20 s while the film runs, and at its end"
    );
}

#[tokio::test]
async fn while_an_analysis_of_a_fast_film_runs_no_frame_is_sent() {
    let gate = Arc::new(Semaphore::new(0));
    let held = Arc::clone(&gate);
    let rig = Rig::new(move |request: &Request| match Reply::of_vigint(request) {
        reply if request.is_analysis() => reply.behind(&held),
        reply => reply,
    })
    .await;
    let mut camera = ScriptedCamera::showing(&[40]);
    camera.is_film = true;
    camera.may_show = Arc::new(Semaphore::new(31));
    let mut session = rig.session("film.mp4", &camera);
    session.source.options.fast = true;
    let run = tokio::spawn(session.run());
    rig.server
        .until(|requests| requests.iter().any(Request::is_analysis))
        .await;
    // Each comes into the queue in a turn of the session of its own: whoever empties the queue would have
    // taken the first before the second is there.
    for pictures in [32, 33] {
        camera.may_show.add_permits(1);
        camera.has_queued(pictures).await;
    }
    assert_eq!(rig.counters.queued.load(Relaxed), 2);
    assert_eq!(rig.server.frame_numbers(), (1..=31).collect::<Vec<_>>());
    camera.may_show.add_permits(1000);
    gate.add_permits(1000);
    timeout(PATIENCE, run).await.unwrap().unwrap().unwrap();
    assert_eq!(rig.server.frame_numbers(), (1..=40).collect::<Vec<_>>());
}

#[test]
fn ten_seconds_of_a_camera_wait_for_the_network() {
    assert_eq!(live_frames(10.0), 100);
    assert_eq!((live_frames(0.15), live_frames(0.1)), (1, 1));
    assert_eq!((live_frames(60.0), live_frames(f64::NAN)), (600, 0));
}

#[tokio::test]
async fn a_camera_that_ends_its_stream_is_opened_again_and_its_frames_go_on() {
    let rig = Rig::new(Reply::of_vigint).await;
    let camera = ScriptedCamera::showing(&[5, 5]);
    let run = tokio::spawn(rig.session("rtsp://u:hunter2@cam/1", &camera).run());
    rig.server
        .until(|requests| requests.iter().filter(|r| r.is_frame()).count() == 10)
        .await;
    rig.stop.cancel();
    timeout(PATIENCE, run).await.unwrap().unwrap().unwrap();
    assert_eq!(rig.server.frame_numbers(), (1..=10).collect::<Vec<_>>());
    let events = serde_json::to_string(&*rig.events.lock().unwrap()).unwrap();
    assert_eq!(events.matches("source_opened").count(), 2, "{events}");
    assert_eq!(
        events.matches("the camera ended its stream").count(),
        1,
        "{events}"
    );
    assert!(!events.contains("hunter2"), "{events}");
}

#[tokio::test]
async fn once_ends_a_camera_after_one_interval_and_one_analysis() {
    let rig = Rig::new(Reply::of_vigint).await;
    let camera = ScriptedCamera::showing(&[35]);
    let mut session = rig.session("rtsp://cam/1", &camera);
    session.source.options.once = true;
    timeout(PATIENCE, session.run()).await.unwrap().unwrap();
    assert_eq!(rig.server.frame_numbers(), (1..=31).collect::<Vec<_>>());
    assert_eq!(
        rig.server
            .requests()
            .iter()
            .filter(|r| r.is_analysis())
            .count(),
        1
    );
}

#[tokio::test]
async fn stopping_waits_for_the_request_on_its_way_and_drops_the_rest() {
    let gate = Arc::new(Semaphore::new(0));
    let rig = Rig::new(gated(&gate)).await;
    let camera = ScriptedCamera::showing(&[50]);
    let run = tokio::spawn(rig.session("rtsp://cam/1", &camera).run());
    rig.server.until(|requests| requests.len() == 1).await;
    camera.has_queued(50).await;
    assert_eq!(rig.counters.queued.load(Relaxed), 49);
    rig.stop.cancel();
    gate.add_permits(1000);
    timeout(PATIENCE, run).await.unwrap().unwrap().unwrap();
    let sent = rig.counters.sent.load(Relaxed);
    assert_eq!(
        u64::try_from(rig.server.frame_numbers().len()).unwrap(),
        sent
    );
    assert_eq!(sent + rig.counters.dropped.load(Relaxed), 50);
}

#[tokio::test]
async fn the_status_says_how_many_pictures_came_and_how_long_ago() {
    let rig = Rig::new(Reply::of_vigint).await;
    let camera = ScriptedCamera::showing(&[12]);
    let run = tokio::spawn(rig.session("rtsp://cam/1", &camera).run());
    rig.server
        .until(|requests| requests.iter().filter(|r| r.is_frame()).count() == 12)
        .await;
    camera.has_queued(12).await;
    let status = rig.counters.read(Duration::MAX);
    assert_eq!(status.captured, 12);
    assert!(status.last_picture_age > Some(Duration::from_secs(3600)));
    assert_eq!(status.moves, None, "nobody asked to look");
    rig.stop.cancel();
    timeout(PATIENCE, run).await.unwrap().unwrap().unwrap();
    assert_eq!(rig.counters.read(Duration::MAX).sent_bytes, 12 * 3);
}
