//! From the first picture to the end of a run.

use super::*;

#[tokio::test]
async fn a_camera_that_ends_its_stream_is_opened_again_and_its_frames_go_on() {
    let rig = Rig::new(Reply::of_vigint).await;
    let camera = ScriptedCamera::showing(&[5, 5]);
    let run = tokio::spawn(rig.session("rtsp://u:hunter2@cam/1", &camera).run());
    rig.server
        .until(|requests| requests.iter().flat_map(Request::frames).count() == 10)
        .await;
    rig.stop(run).await;
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
    rig.stop(run).await;
    assert_eq!(rig.counters.read(Duration::MAX).sent_bytes, 12 * 3);
}
