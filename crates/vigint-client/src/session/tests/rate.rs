//! Fewer frames than there are, and none that was promised.

use super::*;

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
    rig.stop(run).await;
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
