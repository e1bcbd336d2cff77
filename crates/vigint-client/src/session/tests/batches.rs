//! Several frames in one request.

use super::*;

#[tokio::test]
async fn frames_that_wait_go_together_in_order_and_one_alone_as_it_is() {
    let gate = Arc::new(Semaphore::new(0));
    let rig = Rig::new(gated(&gate)).await;
    let run = rig.run_with_one_on_its_way(19).await;
    gate.add_permits(1000);
    rig.server
        .until(|requests| requests.iter().flat_map(Request::frames).count() == 19)
        .await;
    rig.stop(run).await;
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
        rig.stop(run).await;
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
    rig.stop(run).await;
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
    let run = rig.run_with_one_on_its_way(19).await;
    gate.add_permits(1000);
    let singles = |requests: &[Request]| requests.iter().filter(|r| r.is_frame()).count();
    rig.server.until(|requests| singles(requests) == 19).await;
    rig.stop(run).await;
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
    rig.stop(run).await;
    let count = |counter: &std::sync::atomic::AtomicU64| counter.load(Relaxed);
    assert_eq!(
        (count(&rig.counters.sent), count(&rig.counters.refused)),
        (18, 1)
    );
    assert_eq!(rig.told("error"), 1);
}

#[tokio::test]
async fn a_server_that_is_busy_for_a_while_gets_batches_again() {
    let gate = Arc::new(Semaphore::new(0));
    let held = Arc::clone(&gate);
    let refused = AtomicUsize::new(0);
    let rig = Rig::new(move |request: &Request| {
        if request.is_batch() && refused.fetch_add(1, Relaxed) < 3 {
            let busy = serde_json::json!({"error": "Too many requests", "code": "rate_limited"});
            return Reply::new(429, busy);
        }
        Reply::of_vigint(request).behind(&held)
    })
    .await;
    let run = rig.run_with_one_on_its_way(19).await;
    gate.add_permits(1000);
    rig.server.until(|requests| requests.len() == 8).await;
    rig.stop(run).await;
    let requests = rig.server.requests();
    let sizes: Vec<usize> = requests.iter().map(|r| r.frames().len()).collect();
    assert_eq!(sizes, [1, 18, 1, 17, 1, 16, 1, 15]);
}
