//! Films: every frame in order, whatever the server does; times; analyses.

use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};

use serde_json::json;
use tokio::sync::Semaphore;
use vigint_core::clock::{Clock as _, SystemClock, UtcTime};

use crate::program::{Folder, Ran, finish, has_ffmpeg, run};
use crate::scripted_server::{Reply, Request, ScriptedServer, SentFrame};

async fn run_film(server: &ScriptedServer, seconds: u32, more: &[&str]) -> Ran {
    let folder = Folder::new();
    let film = folder.film(seconds).await;
    let url = server.url();
    let mut args = vec![
        "--json",
        "--source",
        &film,
        "--api-url",
        &url,
        "--api-key",
        "a-key-of-16-chars",
    ];
    args.extend_from_slice(more);
    run(&mut folder.client(&args)).await
}

fn captured(frame: &SentFrame) -> UtcTime {
    frame.said("captured_at").unwrap().parse().unwrap()
}

#[tokio::test]
async fn a_fast_film_is_sent_whole_in_order_with_its_own_times_ending_at_now() {
    if !has_ffmpeg().await {
        return;
    }
    let server = ScriptedServer::start(Reply::of_vigint).await;
    let before = SystemClock::new().now();
    let ran = run_film(&server, 8, &["--fast"]).await;
    let after = SystemClock::new().now();
    assert_eq!(ran.code, 0, "{ran:?}");
    let frames = server.frames();
    assert_eq!(server.frame_numbers(), (1..=80).collect::<Vec<_>>());
    assert!(
        frames
            .iter()
            .all(|f| f.jpeg.starts_with(&[0xFF, 0xD8, 0xFF]) && f.jpeg.ends_with(&[0xFF, 0xD9]))
    );
    let requests = server.requests();
    let mut single = requests.iter().filter(|request| request.is_frame());
    assert!(single.all(|request| request.header("content-type") == Some("image/jpeg")));
    let times: Vec<UtcTime> = frames.iter().map(captured).collect();
    assert!(
        times
            .windows(2)
            .all(|pair| pair[1].millis_since(pair[0]) == 100),
        "{times:?}"
    );
    assert!(
        (before..=after).contains(&times[79]),
        "it ends at the now of the program: {before}, {}, {after}",
        times[79]
    );

    let names = ran.event_names();
    assert_eq!(
        names,
        [
            "source_opened",
            "analysis",
            "analysis",
            "analysis",
            "source_ended"
        ]
    );
    let events = ran.events();
    assert_eq!(
        (&events[0]["width"], &events[0]["height"]),
        (&json!(320), &json!(180))
    );
    assert_eq!(
        (&events[1]["verdict"], &events[1]["source_id"]),
        (&json!("clear"), &json!("default"))
    );
    assert_eq!(events[1]["stages"][0]["analyzer"], "motion");
    assert_eq!(events[4]["frames_sent"], 80);
    // 3 s and 6 s of capture time, and the end.
    let analyses: Vec<usize> = requests
        .iter()
        .enumerate()
        .filter(|(_, request)| request.is_analysis())
        .map(|(at, _)| requests[..at].iter().flat_map(Request::frames).count())
        .collect();
    assert_eq!(analyses, [31, 61, 80]);
}

#[tokio::test]
async fn a_paced_film_has_the_times_at_which_it_was_shown_and_one_analysis_with_once() {
    if !has_ffmpeg().await {
        return;
    }
    let server = ScriptedServer::start(Reply::of_vigint).await;
    let ran = run_film(
        &server,
        2,
        &[
            "--once",
            "--interval",
            "0.5",
            "--fps",
            "5",
            "--width",
            "160",
        ],
    )
    .await;
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(
        ran.event_names(),
        ["source_opened", "analysis", "source_ended"]
    );
    assert_eq!(ran.events()[0]["width"], 160);
    let frames = server.frames();
    assert_eq!(frames.len(), 10);
    assert_eq!(
        captured(&frames[9]).millis_since(captured(&frames[0])),
        1800
    );
}

#[tokio::test]
async fn a_film_with_fewer_pictures_than_asked_for_is_not_sent_twice_over() {
    if !has_ffmpeg().await {
        return;
    }
    let server = ScriptedServer::start(Reply::of_vigint).await;
    let ran = run_film(&server, 2, &["--fast", "--fps", "30"]).await;
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(server.frames().len(), 20);
}

#[tokio::test]
async fn a_server_that_goes_away_and_comes_back_misses_no_frame_of_a_film() {
    if !has_ffmpeg().await {
        return;
    }
    let server = ScriptedServer::start(Reply::of_vigint).await;
    let folder = Folder::new();
    let film = folder.film(6).await;
    let url = server.url();
    let args = [
        "--json",
        "--source",
        &film,
        "--fast",
        "--api-url",
        &url,
        "--api-key",
        "a-key-of-16-chars",
    ];
    // The server falls silent at the tenth frame and is gone before it answers.
    let taken: Arc<Mutex<Vec<i64>>> = Arc::default();
    let take = |taken: &Mutex<Vec<i64>>, request: &Request| {
        let numbers = request.frames();
        let numbers = numbers.iter().map(SentFrame::number);
        taken.lock().unwrap().extend(numbers);
        Reply::of_vigint(request)
    };
    let is_tenth = |request: &Request| request.frames().iter().any(|frame| frame.number() >= 10);
    let silence = Arc::new(Semaphore::new(0));
    let address = server.stop().await;
    let first = Arc::clone(&taken);
    let server = ScriptedServer::start_at(address, move |request: &Request| {
        if is_tenth(request) {
            return Reply::of_vigint(request).behind(&silence);
        }
        take(&first, request)
    })
    .await;
    let client = folder.client(&args).spawn().unwrap();
    server.until(|requests| requests.iter().any(is_tenth)).await;
    server.stop().await;

    // It comes back busy, then well.
    let refusals = AtomicUsize::new(0);
    let second = Arc::clone(&taken);
    let server = ScriptedServer::start_at(address, move |request: &Request| {
        if refusals.fetch_add(1, SeqCst) < 2 {
            return Reply::new(503, json!({"error": "busy", "code": "overloaded"}))
                .header("Retry-After", "0");
        }
        take(&second, request)
    })
    .await;
    let ran = finish(client).await;
    assert_eq!(ran.code, 0, "{ran:?}");
    drop(server);
    assert!(ran.stderr.contains("trying again"), "{ran:?}");
    assert_eq!(*taken.lock().unwrap(), (1..=60).collect::<Vec<_>>());
    let ended = ran.events().pop().unwrap();
    assert_eq!(
        (&ended["frames_sent"], &ended["frames_dropped"]),
        (&json!(60), &json!(0))
    );
}

#[tokio::test]
async fn a_server_that_is_away_ends_once_with_4() {
    if !has_ffmpeg().await {
        return;
    }
    let server = ScriptedServer::start(Reply::of_vigint).await;
    let url = server.url();
    server.stop().await;
    let folder = Folder::new();
    let film = folder.film(1).await;
    let args = [
        "--once",
        "--source",
        &film,
        "--api-url",
        &url,
        "--api-key",
        "a-key-of-16-chars",
    ];
    let ran = run(&mut folder.client(&args)).await;
    assert_eq!(ran.code, 4, "{ran:?}");
    assert!(
        ran.stderr.contains("cannot be reached: Connection refused"),
        "{ran:?}"
    );
}

#[tokio::test]
async fn a_failed_analysis_is_an_error_and_never_an_incident() {
    if !has_ffmpeg().await {
        return;
    }
    for (status, code) in [(502, "analyzer_failed"), (503, "analyzer_unavailable")] {
        let server = ScriptedServer::start(move |request: &Request| match request.path() {
            "/api/video/analyze" => Reply::new(
                status,
                json!({"error": "The provider failed", "code": code}),
            )
            .header("Retry-After", "0"),
            _ => Reply::of_vigint(request),
        })
        .await;
        let ran = run_film(&server, 2, &["--fast"]).await;
        assert_eq!(ran.code, 0, "{ran:?}");
        assert_eq!(
            ran.event_names(),
            ["source_opened", "error", "source_ended"]
        );
        assert_eq!(ran.events()[1]["code"], code);
        assert!(ran.stderr.contains("no analysis: "), "{ran:?}");
        assert!(
            server
                .requests()
                .iter()
                .all(|r| r.is_frame() || r.is_batch() || r.is_analysis()),
            "no alert is raised"
        );
        assert_eq!(
            server.requests().iter().filter(|r| r.is_analysis()).count(),
            1,
            "not tried again"
        );
    }
}

#[tokio::test]
async fn a_frame_the_server_will_not_have_is_told_once_and_passed_over() {
    if !has_ffmpeg().await {
        return;
    }
    let server = ScriptedServer::start(|request: &Request| {
        let frames = request.frames();
        let refused = frames.iter().position(|frame| frame.number() <= 3);
        if let (true, Some(index)) = (request.is_batch(), refused) {
            let error = format!("frames[{index}]: At most 5 bytes");
            return Reply::new(422, json!({"error": error, "code": "not_a_jpeg"}));
        }
        if refused.is_some() {
            return Reply::new(
                413,
                json!({"error": "At most 5 bytes", "code": "too_large"}),
            );
        }
        Reply::of_vigint(request)
    })
    .await;
    let ran = run_film(&server, 1, &["--fast"]).await;
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(
        ran.event_names(),
        ["source_opened", "error", "analysis", "source_ended"]
    );
    let ended = ran.events().pop().unwrap();
    assert_eq!(
        (&ended["frames_sent"], &ended["frames_refused"]),
        (&json!(7), &json!(3))
    );
}

#[tokio::test]
async fn several_films_are_several_sources_each_in_order() {
    if !has_ffmpeg().await {
        return;
    }
    let server = ScriptedServer::start(Reply::of_vigint).await;
    let ran = run_film(
        &server,
        1,
        &[
            "--fast",
            "--source",
            "till=film.mp4",
            "--source",
            "film.mp4",
            "--source",
            "gone.mp4",
        ],
    )
    .await;
    assert_eq!(
        ran.code, 0,
        "one that cannot be opened does not end the others: {ran:?}"
    );
    assert!(
        ran.stderr.contains("camera-3: gone.mp4 cannot be opened"),
        "{ran:?}"
    );
    assert!(!ran.stderr.contains("trying again"), "{ran:?}");
    for id in ["default", "till", "camera-2"] {
        let frames = server.frames();
        let of_source = frames
            .iter()
            .filter(|f| f.said("source_id").as_deref() == Some(id));
        let numbers: Vec<i64> = of_source.map(SentFrame::number).collect();
        assert_eq!(numbers, (1..=10).collect::<Vec<_>>(), "{id}");
    }
}

#[tokio::test]
async fn a_server_that_takes_no_frame_ends_once_with_4() {
    if !has_ffmpeg().await {
        return;
    }
    let server = ScriptedServer::start(|_: &Request| {
        Reply::new(503, json!({"error": "full", "code": "overloaded"})).header("Retry-After", "0")
    })
    .await;
    let ran = run_film(&server, 1, &["--fast", "--once"]).await;
    assert_eq!(ran.code, 4, "{ran:?}");
    assert_eq!(
        server.requests().len(),
        3,
        "the first frames, tried three times"
    );
}
