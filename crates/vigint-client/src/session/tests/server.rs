//! What is learnt and told of the server.

use super::*;

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
    let run = rig.run_with_one_on_its_way(10).await;
    gate.add_permits(1000);
    rig.server.until(|requests| requests.len() == 2).await;
    rig.until_told("error").await;
    rig.stop(run).await;
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
    rig.stop(run).await;
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
    rig.stop(run).await;
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
    rig.stop(run).await;
    assert_eq!(rig.server.frame_numbers(), [1, 2, 3, 3, 4, 5]);
    assert_eq!(rig.counters.sent.load(Relaxed), 5);
    assert_eq!((rig.told("error"), rig.told("server_lost")), (0, 0));
    assert_eq!(rig.server.connections(), 2);
}

#[tokio::test]
async fn a_run_that_tries_only_so_often_says_once_that_the_server_is_away() {
    let rig = Rig::new(|_: &Request| Reply::hang_up()).await;
    let mut session = rig.session("rtsp://cam/1", &ScriptedCamera::showing(&[1]));
    session.source.options.once = true;
    let ended = timeout(PATIENCE, session.run()).await.unwrap();
    assert!(matches!(ended, Err(RunError::Unreachable(_))), "{ended:?}");
    assert_eq!((rig.told("error"), rig.told("server_lost")), (1, 0));
}
