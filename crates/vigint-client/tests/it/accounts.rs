//! `usage`, `incidents`, `check`, and what is wrong usage.

use serde_json::{Value, json};
use vigint_core::clock::{Clock as _, SystemClock, UtcTime};

use crate::program::{Folder, has_ffmpeg, run};
use crate::scripted_server::{Reply, Request, ScriptedServer};

fn with_key(server: &str) -> Folder {
    let folder = Folder::new();
    folder.write(
        ".env",
        &format!("VIGINT_API_KEY=a-key-of-16-chars\nVIGINT_SERVER_URL={server}"),
    );
    folder
}

#[tokio::test]
async fn usage_and_incidents_show_what_the_server_answers() {
    let incident = json!({
        "id": "7f1c0f8e-3f8c-4f53-9d21-111111111111", "source_id": "till", "source_name": null, "status": "new",
        "incident_type": "vol", "risk_level": "HIGH", "confirmation": "confirmed", "description": "a \u{1b}[2Jman",
        "analysis": "", "detailed_analysis": null, "occurrences": 1, "first_seen_at": "2026-11-22T15:40:03.250Z",
        "last_seen_at": "2026-11-22T15:40:03.250Z", "frame_count": 3, "video_url": "http://h/video/x?expires=1&token=t",
        "clip": null, "note": null,
    });
    let server = ScriptedServer::start(move |request: &Request| match request.path() {
        "/api/incidents" => Reply::new(200, json!({"incidents": [incident], "next_cursor": null})),
        _ => Reply::of_vigint(request),
    })
    .await;
    let folder = with_key(&server.url());
    let usage = run(&mut folder.client(&["usage", "--from", "2026-11-22"])).await;
    assert_eq!(usage.code, 0, "{usage:?}");
    assert!(
        usage.stdout.contains("Acme Corp: 12 requests, 0.5000 EUR"),
        "{usage:?}"
    );
    let json = run(&mut folder.client(&["usage", "--json"])).await;
    assert_eq!(
        serde_json::from_str::<Value>(&json.stdout).unwrap()["usage_count"],
        12
    );

    let incidents = run(&mut folder.client(&["incidents"])).await;
    assert!(
        incidents.stdout.contains("vol (new, risk HIGH"),
        "{incidents:?}"
    );
    assert!(
        incidents
            .stdout
            .contains("http://h/video/x?expires=1&token=t"),
        "{incidents:?}"
    );
    assert!(!incidents.stdout.contains('\u{1b}'), "{incidents:?}");
}

#[tokio::test]
async fn check_goes_through_everything_and_says_how_each_is() {
    if !has_ffmpeg().await {
        return;
    }
    let server = ScriptedServer::start(Reply::of_vigint).await;
    let folder = with_key(&server.url());
    let film = folder.film(1).await;
    let good = run(&mut folder.client(&["check", "--source", &film])).await;
    assert_eq!(good.code, 0, "{good:?}");
    for part in [
        "accepted, of Acme Corp",
        "answers",
        "version 0.9.8, healthy",
        "warn  clock: ",
        "ffmpeg version",
        "film.mp4 shows pictures, 320x180",
    ] {
        assert!(good.stdout.contains(part), "{part} is missing in {good:?}");
    }
    let without_source = run(&mut folder.client(&["check"])).await;
    assert_eq!(without_source.code, 0, "{without_source:?}");
    let bad_source = run(&mut folder.client(&["check", "--source", "gone.mp4"])).await;
    assert_eq!(bad_source.code, 5, "{bad_source:?}");

    let address = server.stop().await;
    let away = run(&mut with_key(&format!("http://{address}")).client(&["check"])).await;
    assert_eq!(away.code, 4, "{away:?}");
    assert!(away.stdout.contains("VIGINT_SERVER_URL"), "{away:?}");
}

const HOUR_MS: i64 = 3_600_000;

/// A server in this state, whose clock is so many milliseconds ahead of ours.
async fn server_in(
    status: u16,
    state: &'static str,
    database: &'static str,
    ahead_ms: i64,
) -> ScriptedServer {
    ScriptedServer::start(move |request: &Request| match request.path() {
        "/api/health" => {
            let now = SystemClock::new().now().unix_millis();
            let checks =
                json!({"database": database, "clips": "ok", "mail": "file", "analyzer": "motion"});
            Reply::new(
                status,
                json!({
                    "status": state, "version": "0.9.8", "checks": checks,
                    "time": UtcTime::from_unix_millis(now + ahead_ms),
                }),
            )
        }
        _ => Reply::of_vigint(request),
    })
    .await
}

#[tokio::test]
async fn what_works_and_should_not_stay_so_is_a_warning() {
    if !has_ffmpeg().await {
        return;
    }
    for (ahead_ms, clock) in [
        (0, "ok    clock: agrees with the server's"),
        (HOUR_MS, " s behind the server's"),
        (-HOUR_MS, " s ahead of the server's"),
    ] {
        let server = server_in(200, "healthy", "ok", ahead_ms).await;
        let ran = run(&mut with_key(&server.url()).client(&["check"])).await;
        assert_eq!(ran.code, 0, "{ran:?}");
        assert!(ran.stdout.contains(clock), "{ran:?}");
        let is_warned = ran.stdout.contains("warn  clock: ");
        assert_eq!(is_warned, ahead_ms != 0, "{ran:?}");
        assert!(!ran.stdout.contains("FAIL"), "{ran:?}");
    }
    let server = server_in(200, "degraded", "failing", HOUR_MS).await;
    let ran = run(&mut with_key(&server.url()).client(&["check", "--json"])).await;
    assert_eq!(ran.code, 0, "{ran:?}");
    let warned: Vec<_> = ran
        .events()
        .into_iter()
        .filter(|finding| finding["mark"] == "warn")
        .collect();
    let of: Vec<_> = warned.iter().map(|finding| &finding["check"]).collect();
    assert_eq!(of, ["server", "clock"]);
    assert_eq!(warned[0]["ok"], true);
}

#[tokio::test]
async fn a_server_that_is_not_well_says_what_fails() {
    let server = server_in(503, "unhealthy", "failing", 0).await;
    let ran = run(&mut with_key(&server.url()).client(&["check"])).await;
    assert_eq!(ran.code, 4, "{ran:?}");
    let said = "FAIL  server: version 0.9.8, unhealthy";
    assert!(ran.stdout.contains(said), "{ran:?}");
    assert!(ran.stdout.contains("Failing: database;"), "{ran:?}");
    assert!(ran.stdout.contains("ok    clock"), "{ran:?}");
    // 503 from something before the server has another body.
    let server = ScriptedServer::start(|_| Reply::new(503, json!({"error": "no backend"}))).await;
    let ran = run(&mut with_key(&server.url()).client(&["check"])).await;
    assert_eq!(ran.code, 4, "{ran:?}");
    assert!(ran.stdout.contains("no backend"), "{ran:?}");
}

#[tokio::test]
async fn wrong_usage_ends_with_2() {
    let folder = with_key("http://localhost:1");
    for args in [
        &["run"][..],
        &[],
        &["--source", "a.mp4", "--fast", "--loop"],
        &["--source", "x=a.mp4", "--source", "x=b.mp4"],
        &["--source", "ftp://host/a"],
        &["--source", "a.mp4", "--fps", "0"],
        &["--source", "a.mp4", "--interval", "soon"],
        &["--source", "a.mp4", "--api-url", "localhost:5002"],
        &["--sources", "missing.toml"],
        &["--no-such-flag"],
    ] {
        let ran = run(&mut folder.client(args)).await;
        assert_eq!(ran.code, 2, "{args:?}: {ran:?}");
        assert!(!ran.stderr.trim().is_empty(), "{args:?}");
    }
    assert_eq!(run(&mut folder.client(&["--help"])).await.code, 0);
}

#[tokio::test]
async fn plain_http_to_another_host_is_warned_of() {
    let folder = with_key("http://vigint.invalid:5002");
    let ran = run(&mut folder.client(&["usage"])).await;
    assert!(
        ran.stderr
            .contains("Warning: http://vigint.invalid:5002 is not encrypted"),
        "{ran:?}"
    );
    let local = run(&mut with_key("http://localhost:1").client(&["usage"])).await;
    assert!(!local.stderr.contains("Warning"), "{local:?}");
}

#[tokio::test]
async fn an_answer_that_cannot_be_printed_is_no_success_and_ends_nothing_else_sooner() {
    let server = ScriptedServer::start(Reply::of_vigint).await;
    let folder = with_key(&server.url());
    for (args, code) in [
        (&["usage"][..], 1),
        (&["usage", "--json"], 1),
        (&["incidents"], 1),
        (&["usage", "--api-key", "short"], 3),
        (&["--no-such-flag"], 2),
    ] {
        let full = || std::fs::File::create("/dev/full").unwrap();
        let mut client = folder.client(args);
        let ran = run(client.stdout(full()).stderr(full())).await;
        assert_eq!(ran.code, code, "{args:?}");
    }
}
