//! Sessions with a scripted camera and a scripted server.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use tokio::sync::{Semaphore, watch};
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
}

fn gated(gate: &Arc<Semaphore>) -> impl Fn(&Request) -> Reply + Send + Sync + 'static {
    let gate = Arc::clone(gate);
    move |request| match Reply::of_vigint(request) {
        reply if !request.frames().is_empty() => reply.behind(&gate),
        reply => reply,
    }
}

#[tokio::test]
async fn a_slow_server_gets_fewer_frames_a_second_then_only_the_newest_and_all_are_counted() {
    let gate = Arc::new(Semaphore::new(0));
    let rig = Rig::new(gated(&gate)).await;
    let mut camera = ScriptedCamera::showing(&[300]);
    camera.may_show = Arc::new(Semaphore::new(1));
    let run = tokio::spawn(rig.session("rtsp://cam/1", &camera).run());
    rig.server.until(|requests| requests.len() == 1).await;
    camera.may_show.add_permits(299);
    camera.has_queued(300).await;
    let queued = rig.counters.queued.load(Relaxed);
    gate.add_permits(1000);
    rig.server
        .until(|requests| requests.iter().flat_map(Request::frames).count() == queued + 1)
        .await;
    // The first was on its way; of the rest some of the newest ten seconds were kept, evenly apart.
    let numbers = rig.server.frame_numbers();
    assert!(numbers.is_sorted() && numbers[0] == 1, "{numbers:?}");
    assert!(numbers[1] >= 200, "{numbers:?}");
    let steps: Vec<i64> = numbers[1..].windows(2).map(|two| two[1] - two[0]).collect();
    assert_eq!(steps, vec![8; steps.len()], "1.25 a second");
    assert!(steps.len() >= 11, "{numbers:?}");
    rig.stop.cancel();
    timeout(PATIENCE, run).await.unwrap().unwrap().unwrap();
    let count = |counter: &std::sync::atomic::AtomicU64| counter.load(Relaxed);
    let (sent, dropped, thinned) = (
        count(&rig.counters.sent),
        count(&rig.counters.dropped),
        count(&rig.counters.thinned),
    );
    assert_eq!(sent + dropped + thinned, 300);
    assert!(thinned > 200 && dropped > 20, "{thinned} {dropped}");
}

#[tokio::test]
async fn a_slow_server_holds_a_films_reader_back_and_gets_every_frame_in_order() {
    let gate = Arc::new(Semaphore::new(0));
    let rig = Rig::new(gated(&gate)).await;
    let mut camera = ScriptedCamera::showing(&[200]);
    camera.is_film = true;
    let run = tokio::spawn(rig.session("film.mp4", &camera).run());
    rig.server.until(|requests| requests.len() == 1).await;
    let mut received = rig.server.frame_numbers().len();
    while received < 150 {
        gate.add_permits(1);
        rig.server
            .until(|requests| requests.iter().flat_map(Request::frames).count() > received)
            .await;
        received = rig.server.frame_numbers().len();
        let ahead = camera.shown() - received;
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
        .until(|requests| requests.iter().flat_map(Request::frames).count() == 10)
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
    let mut camera = ScriptedCamera::showing(&[35]);
    camera.may_show = Arc::new(Semaphore::new(0));
    let mut session = rig.session("rtsp://cam/1", &camera);
    session.source.options.once = true;
    let run = tokio::spawn(session.run());
    for shown in 1..=31 {
        camera.may_show.add_permits(1);
        rig.server
            .until(|requests| requests.iter().flat_map(Request::frames).count() == shown)
            .await;
    }
    timeout(PATIENCE, run).await.unwrap().unwrap().unwrap();
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
    let mut camera = ScriptedCamera::showing(&[15]);
    camera.may_show = Arc::new(Semaphore::new(1));
    let run = tokio::spawn(rig.session("rtsp://cam/1", &camera).run());
    rig.server.until(|requests| requests.len() == 1).await;
    camera.may_show.add_permits(14);
    camera.has_queued(15).await;
    assert_eq!(rig.counters.queued.load(Relaxed), 14);
    rig.stop.cancel();
    gate.add_permits(1000);
    timeout(PATIENCE, run).await.unwrap().unwrap().unwrap();
    let sent = rig.counters.sent.load(Relaxed);
    assert_eq!(
        u64::try_from(rig.server.frame_numbers().len()).unwrap(),
        sent
    );
    assert_eq!(sent + rig.counters.dropped.load(Relaxed), 15);
}

/// A second camera's session, with counters of its own.
fn beside(rig: &Rig, source: &str, camera: &ScriptedCamera) -> Session<ScriptedCamera> {
    let source: Source = source.parse().unwrap();
    let counters = Arc::new(Counters::new(source.id.clone()));
    Session::new(source, camera.clone(), counters, rig.around.clone())
}

#[tokio::test]
async fn a_lost_server_is_told_of_once_for_all_cameras_and_its_return_with_what_was_lost() {
    let mut rig = Rig::new(Reply::of_vigint).await;
    let address = rig.server.address;
    let answers = ScriptedServer::start(Reply::of_vigint).await;
    std::mem::replace(&mut rig.server, answers).stop().await;

    let cameras = [0, 1].map(|_| ScriptedCamera {
        may_show: Arc::new(Semaphore::new(1)),
        ..ScriptedCamera::showing(&[150])
    });
    let sessions = [
        beside(&rig, "till=rtsp://cam/1", &cameras[0]),
        beside(&rig, "door=rtsp://cam/2", &cameras[1]),
    ];
    let runs = sessions.map(|session| tokio::spawn(session.run()));
    rig.until_told("server_lost").await;
    for camera in &cameras {
        camera.may_show.add_permits(149);
        camera.has_queued(150).await;
    }
    let server = ScriptedServer::start_at(address, Reply::of_vigint).await;
    let has_newest = |requests: &[Request], source: &str| {
        let frames = requests.iter().flat_map(Request::frames);
        let mut newest = frames.filter(|frame| frame.number() == 150);
        newest.any(|frame| frame.said("source_id").as_deref() == Some(source))
    };
    server
        .until(|requests| has_newest(requests, "till") && has_newest(requests, "door"))
        .await;
    rig.stop.cancel();
    for run in runs {
        timeout(PATIENCE, run).await.unwrap().unwrap().unwrap();
    }
    assert_eq!((rig.told("server_lost"), rig.told("server_back")), (1, 1));
    assert_eq!(rig.told("error"), 0);
    let events = rig.events.lock().unwrap();
    let lost = events.iter().find_map(|event| match event {
        Event::ServerBack { lost_of_source, .. } => Some(lost_of_source.clone()),
        _ => None,
    });
    let lost = lost.unwrap();
    assert_eq!(lost.len(), 2, "{lost:?}");
    // One of each may have been on its way when the server came back.
    assert!(
        lost.values().all(|frames| (49..=50).contains(frames)),
        "{lost:?}"
    );
}

#[tokio::test]
async fn a_refused_key_is_told_of_once_for_all_cameras() {
    let rig = Rig::new(|_: &Request| Reply::invalid_key()).await;
    for times in 1..=2 {
        let runs = ["a=rtsp://c/1", "b=rtsp://c/2", "c=rtsp://c/3"].map(|source| {
            let camera = ScriptedCamera::showing(&[1]);
            timeout(PATIENCE, beside(&rig, source, &camera).run())
        });
        let [a, b, c] = runs;
        let ended = tokio::join!(a, b, c);
        for ended in [ended.0, ended.1, ended.2] {
            assert!(matches!(ended, Ok(Err(RunError::KeyRefused(_)))));
        }
        assert_eq!(
            rig.told("error"),
            times,
            "and again when they are run again"
        );
    }
}

#[tokio::test]
async fn frames_that_wait_go_together_in_order_and_one_alone_as_it_is() {
    let gate = Arc::new(Semaphore::new(0));
    let rig = Rig::new(gated(&gate)).await;
    let mut camera = ScriptedCamera::showing(&[19]);
    camera.may_show = Arc::new(Semaphore::new(1));
    let run = tokio::spawn(rig.session("rtsp://cam/1", &camera).run());
    rig.server.until(|requests| requests.len() == 1).await;
    camera.may_show.add_permits(18);
    camera.has_queued(19).await;
    gate.add_permits(1000);
    rig.server
        .until(|requests| requests.iter().flat_map(Request::frames).count() == 19)
        .await;
    rig.stop.cancel();
    timeout(PATIENCE, run).await.unwrap().unwrap().unwrap();
    let requests = rig.server.requests();
    let sizes: Vec<usize> = requests.iter().map(|r| r.frames().len()).collect();
    assert_eq!(sizes, [1, 18]);
    assert!(requests[0].is_frame() && requests[1].is_batch());
    assert_eq!(rig.server.frame_numbers(), (1..=19).collect::<Vec<_>>());
    assert_eq!(rig.counters.sent.load(Relaxed), 19);
}

#[tokio::test]
async fn a_server_that_knows_no_raw_batches_gets_one_frame_at_a_time_and_nobody_is_told() {
    for (status, error) in [
        (415, "Send application/json"),
        (400, "Malformed"),
        (404, "Not found"),
    ] {
        let gate = Arc::new(Semaphore::new(0));
        let held = Arc::clone(&gate);
        let rig = Rig::new(move |request: &Request| match request.is_batch() {
            true => Reply::new(status, serde_json::json!({"error": error, "code": "x"})),
            false => Reply::of_vigint(request).behind(&held),
        })
        .await;
        let camera = ScriptedCamera::showing(&[19]);
        let run = tokio::spawn(rig.session("rtsp://cam/1", &camera).run());
        camera.has_queued(19).await;
        gate.add_permits(1000);
        let singles = |requests: &[Request]| requests.iter().filter(|r| r.is_frame()).count();
        rig.server.until(|requests| singles(requests) == 19).await;
        rig.stop.cancel();
        timeout(PATIENCE, run).await.unwrap().unwrap().unwrap();
        let requests = rig.server.requests();
        let numbers: Vec<i64> = requests
            .iter()
            .filter(|r| r.is_frame())
            .map(Request::number)
            .collect();
        assert_eq!(numbers, (1..=19).collect::<Vec<_>>());
        let batches = requests.iter().filter(|r| r.is_batch()).count();
        assert_eq!(batches, 1, "{status}: it is not tried again");
        assert_eq!((rig.told("error"), rig.told("server_lost")), (0, 0));
    }
}

#[tokio::test]
async fn a_batch_too_large_for_a_proxy_goes_one_by_one_and_the_next_is_tried_again() {
    let gate = Arc::new(Semaphore::new(0));
    let held = Arc::clone(&gate);
    let refused = AtomicUsize::new(0);
    let rig = Rig::new(move |request: &Request| {
        if request.is_batch() && refused.fetch_add(1, Relaxed) == 0 {
            return Reply::of_bytes(413, "text/html", "<html>");
        }
        Reply::of_vigint(request).behind(&held)
    })
    .await;
    let mut camera = ScriptedCamera::showing(&[30]);
    camera.may_show = Arc::new(Semaphore::new(1));
    let run = tokio::spawn(rig.session("rtsp://cam/1", &camera).run());
    let requested = |requests: &[Request], count| requests.len() == count;
    rig.server.until(|requests| requested(requests, 1)).await;
    camera.may_show.add_permits(9);
    camera.has_queued(10).await;
    gate.add_permits(9);
    // The first, the batch, and of its nine the last, which waits.
    rig.server.until(|requests| requested(requests, 11)).await;
    camera.may_show.add_permits(9);
    camera.has_queued(19).await;
    gate.add_permits(1000);
    rig.server.until(|requests| requested(requests, 12)).await;
    rig.stop.cancel();
    timeout(PATIENCE, run).await.unwrap().unwrap().unwrap();
    let requests = rig.server.requests();
    let sizes: Vec<usize> = requests.iter().map(|r| r.frames().len()).collect();
    assert_eq!(sizes, [1, 9, 1, 1, 1, 1, 1, 1, 1, 1, 1, 9]);
    assert_eq!((rig.told("error"), rig.told("server_lost")), (0, 0));
}

#[tokio::test]
async fn where_something_breaks_all_batches_and_no_frame_they_are_left_to_be() {
    let gate = Arc::new(Semaphore::new(0));
    let held = Arc::clone(&gate);
    let rig = Rig::new(move |request: &Request| match request.is_batch() {
        true => Reply::hang_up(),
        false => Reply::of_vigint(request).behind(&held),
    })
    .await;
    let mut camera = ScriptedCamera::showing(&[19]);
    camera.may_show = Arc::new(Semaphore::new(1));
    let run = tokio::spawn(rig.session("rtsp://cam/1", &camera).run());
    rig.server.until(|requests| requests.len() == 1).await;
    camera.may_show.add_permits(18);
    camera.has_queued(19).await;
    gate.add_permits(1000);
    let singles = |requests: &[Request]| requests.iter().filter(|r| r.is_frame()).count();
    rig.server.until(|requests| singles(requests) == 19).await;
    rig.stop.cancel();
    timeout(PATIENCE, run).await.unwrap().unwrap().unwrap();
    let requests = rig.server.requests();
    let is_batch: Vec<bool> = requests.iter().map(Request::is_batch).collect();
    // Each is made twice: a kept connection may have been dead.
    let mut expected = vec![false, true, true, false, true, true, false, true, true];
    expected.resize(expected.len() + 16, false);
    assert_eq!(is_batch, expected);
    let numbers = requests
        .iter()
        .filter(|r| r.is_frame())
        .map(Request::number);
    assert_eq!(numbers.collect::<Vec<_>>(), (1..=19).collect::<Vec<_>>());
}

#[tokio::test]
async fn frames_that_the_server_finds_too_late_are_told_of_and_do_not_count_as_sent() {
    let gate = Arc::new(Semaphore::new(0));
    let held = Arc::clone(&gate);
    let rig = Rig::new(move |request: &Request| {
        let late = match request.is_batch() {
            true => serde_json::json!({"status": "buffered", "frames_added": 4, "buffer_size": 4}),
            false => serde_json::json!({
                "status": "late", "frame_count": 1, "buffer_size": 0,
                "timestamp": "2026-11-22T15:40:03.250Z", "source_id": "default",
            }),
        };
        Reply::new(200, late).behind(&held)
    })
    .await;
    let mut camera = ScriptedCamera::showing(&[10]);
    camera.may_show = Arc::new(Semaphore::new(1));
    let run = tokio::spawn(rig.session("rtsp://cam/1", &camera).run());
    rig.server.until(|requests| requests.len() == 1).await;
    camera.may_show.add_permits(9);
    camera.has_queued(10).await;
    gate.add_permits(1000);
    rig.server.until(|requests| requests.len() == 2).await;
    rig.until_told("error").await;
    rig.stop.cancel();
    timeout(PATIENCE, run).await.unwrap().unwrap().unwrap();
    // The first, and of the nine of the batch five.
    let counted = (&rig.counters.sent, &rig.counters.refused);
    assert_eq!((counted.0.load(Relaxed), counted.1.load(Relaxed)), (4, 6));
    assert_eq!(rig.told("error"), 1);
}

#[tokio::test]
async fn analyses_that_never_come_through_are_told_once_although_frames_do() {
    let rig = Rig::new(|request: &Request| match request.is_analysis() {
        true => Reply::of_bytes(403, "text/html", "<html>"),
        false => Reply::of_vigint(request),
    })
    .await;
    let mut camera = ScriptedCamera::showing(&[130]);
    camera.may_show = Arc::new(Semaphore::new(0));
    let run = tokio::spawn(rig.session("rtsp://cam/1", &camera).run());
    let count = |requests: &[Request], is_one: fn(&Request) -> bool| {
        requests.iter().filter(|r| is_one(r)).count()
    };
    for shown in 1..=125 {
        camera.may_show.add_permits(1);
        rig.server
            .until(|requests| count(requests, Request::is_frame) == shown)
            .await;
        // One is asked for each three seconds.
        rig.server
            .until(|requests| count(requests, Request::is_analysis) == (shown - 1) / 30)
            .await;
        assert!(rig.told("error") == 0 || shown > 60, "at {shown}");
    }
    rig.until_told("error").await;
    rig.stop.cancel();
    timeout(PATIENCE, run).await.unwrap().unwrap().unwrap();
    assert_eq!((rig.told("error"), rig.told("server_lost")), (1, 0));
}

#[tokio::test]
async fn a_camera_whose_frames_are_all_refused_is_told_of_once_whatever_the_words() {
    let rig = Rig::new(|request: &Request| {
        let numbers: Vec<i64> = request.frames().iter().map(SentFrame::number).collect();
        let error = format!("frames[0]: {numbers:?} will not do");
        Reply::new(
            422,
            serde_json::json!({"error": error, "code": "not_a_jpeg"}),
        )
    })
    .await;
    let camera = ScriptedCamera::showing(&[4]);
    let run = tokio::spawn(rig.session("rtsp://cam/1", &camera).run());
    let singles = |requests: &[Request]| requests.iter().filter(|r| r.is_frame()).count();
    rig.server.until(|requests| singles(requests) == 4).await;
    rig.stop.cancel();
    timeout(PATIENCE, run).await.unwrap().unwrap().unwrap();
    assert_eq!(rig.told("error"), 1);
}

#[tokio::test]
async fn of_a_batch_that_is_refused_for_one_frame_only_that_one_is_lost() {
    let gate = Arc::new(Semaphore::new(0));
    let held = Arc::clone(&gate);
    let rig = Rig::new(move |request: &Request| {
        let bad = request
            .frames()
            .iter()
            .position(|frame| frame.number() == 7);
        match bad {
            Some(index) if request.is_batch() => {
                let error = format!("frames[{index}]: This is not a JPEG");
                Reply::new(
                    422,
                    serde_json::json!({"error": error, "code": "not_a_jpeg"}),
                )
            }
            Some(_) => Reply::new(
                422,
                serde_json::json!({"error": "This is not a JPEG", "code": "not_a_jpeg"}),
            ),
            None => Reply::of_vigint(request).behind(&held),
        }
    })
    .await;
    let mut camera = ScriptedCamera::showing(&[19]);
    camera.may_show = Arc::new(Semaphore::new(10));
    let run = tokio::spawn(rig.session("rtsp://cam/1", &camera).run());
    camera.has_queued(10).await;
    gate.add_permits(1000);
    let tenth = |requests: &[Request]| requests.iter().any(|r| r.is_frame() && r.number() == 10);
    rig.server.until(tenth).await;
    camera.may_show.add_permits(9);
    rig.server
        .until(|requests| {
            requests
                .iter()
                .flat_map(Request::frames)
                .any(|f| f.number() == 19)
        })
        .await;
    rig.stop.cancel();
    timeout(PATIENCE, run).await.unwrap().unwrap().unwrap();
    let count = |counter: &std::sync::atomic::AtomicU64| counter.load(Relaxed);
    assert_eq!(
        (count(&rig.counters.sent), count(&rig.counters.refused)),
        (18, 1)
    );
    assert_eq!(rig.told("error"), 1);
}

#[tokio::test]
async fn connections_are_kept_however_many_frames_are_sent() {
    let rig = Rig::new(Reply::of_vigint).await;
    let cameras = [0, 1, 2].map(|_| ScriptedCamera {
        may_show: Arc::new(Semaphore::new(0)),
        ..ScriptedCamera::showing(&[30])
    });
    let runs: Vec<_> = cameras
        .iter()
        .zip(["a=rtsp://c/1", "b=rtsp://c/2", "c=rtsp://c/3"])
        .map(|(camera, source)| tokio::spawn(beside(&rig, source, camera).run()))
        .collect();
    for shown in 1..=30 {
        for camera in &cameras {
            camera.may_show.add_permits(1);
        }
        rig.server
            .until(|requests| requests.iter().flat_map(Request::frames).count() == 3 * shown)
            .await;
    }
    rig.stop.cancel();
    for run in runs {
        timeout(PATIENCE, run).await.unwrap().unwrap().unwrap();
    }
    assert_eq!(rig.server.frames().len(), 90);
    // One each; and while all begin at once, one more each may have been begun beside one that came free.
    let connections = rig.server.connections();
    assert!(connections <= 6, "{connections} connections for 90 frames");
}

#[tokio::test]
async fn a_kept_connection_that_is_dead_costs_no_frame_and_no_word() {
    let hung_up = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&hung_up);
    let rig = Rig::new(move |request: &Request| {
        // Frame 3 comes over a connection that was good for 1 and 2, and finds it dead.
        let is_third = request.frames().iter().any(|frame| frame.number() == 3);
        if is_third && count.fetch_add(1, Relaxed) == 0 {
            return Reply::hang_up();
        }
        Reply::of_vigint(request)
    })
    .await;
    let mut camera = ScriptedCamera::showing(&[5]);
    camera.may_show = Arc::new(Semaphore::new(0));
    let run = tokio::spawn(rig.session("rtsp://cam/1", &camera).run());
    for number in 1..=5 {
        camera.may_show.add_permits(1);
        rig.server
            .until(|requests| {
                requests
                    .iter()
                    .flat_map(Request::frames)
                    .any(|f| f.number() == number)
            })
            .await;
    }
    rig.stop.cancel();
    timeout(PATIENCE, run).await.unwrap().unwrap().unwrap();
    assert_eq!(rig.server.frame_numbers(), [1, 2, 3, 3, 4, 5]);
    assert_eq!(rig.counters.sent.load(Relaxed), 5);
    assert_eq!((rig.told("error"), rig.told("server_lost")), (0, 0));
    assert_eq!(rig.server.connections(), 2);
}

#[tokio::test]
async fn the_status_says_how_many_pictures_came_and_how_long_ago() {
    let rig = Rig::new(Reply::of_vigint).await;
    let camera = ScriptedCamera::showing(&[12]);
    let run = tokio::spawn(rig.session("rtsp://cam/1", &camera).run());
    rig.server
        .until(|requests| requests.iter().flat_map(Request::frames).count() == 12)
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
