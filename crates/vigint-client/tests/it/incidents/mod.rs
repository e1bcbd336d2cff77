//! `incidents`: listing, showing, saying what became of them; saving films ([`saving`]).

mod saving;

use serde_json::{Value, json};

use crate::program::{Folder, Ran, run};
use crate::scripted_server::{Reply, Request, ScriptedServer};

const ID: &str = "7f1c0f8e-3f8c-4f53-9d21-111111111111";
const TWIN: &str = "7f1c0f8e-3f8c-4f53-9d21-222222222222";

fn incident(id: &str) -> Value {
    json!({
        "id": id, "source_id": "till", "source_name": "Till 1", "status": "new",
        "incident_type": "vol", "risk_level": "HIGH", "confirmation": "confirmed", "description": "a \u{1b}[2Jman",
        "analysis": "He takes a bottle. ".repeat(30), "detailed_analysis": null, "occurrences": 3,
        "first_seen_at": "2026-11-22T15:40:03.250Z", "last_seen_at": "2026-11-22T15:41:03.250Z", "frame_count": 250,
        "video_url": "http://h/video/x?expires=1&token=t", "note": "seen by Ann",
        "clip": {"state": "ready", "duration_ms": 10_000, "bytes": 1_234_567, "expires_at": "2026-11-24T15:40:03.250Z"},
    })
}

/// One incident, and what `film` answers when its film is asked for.
async fn server_with(
    ids: &'static [&'static str],
    film: impl Fn(&Request) -> Reply + Send + Sync + 'static,
) -> ScriptedServer {
    ScriptedServer::start(move |request: &Request| {
        let path = request.path();
        if path == "/api/incidents" {
            let is_vetoed = request.query("status").as_deref() == Some("vetoed");
            let ids = if is_vetoed { &[][..] } else { ids };
            let incidents: Vec<_> = ids.iter().map(|id| incident(id)).collect();
            return Reply::new(200, json!({"incidents": incidents, "next_cursor": null}));
        }
        if path.ends_with("/clip") {
            return film(request);
        }
        match path.strip_prefix("/api/incidents/") {
            Some(id) if ids.contains(&id) => Reply::new(200, triaged(id, &request.body)),
            _ => Reply::of_vigint(request),
        }
    })
    .await
}

/// The incident after what was asked of it.
fn triaged(id: &str, body: &[u8]) -> Value {
    let mut incident = incident(id);
    if let Ok(asked) = serde_json::from_slice::<Value>(body) {
        incident["status"] = asked["status"].clone();
        incident["note"] = asked["note"].clone();
    }
    incident
}

fn no_film(_: &Request) -> Reply {
    Reply::new(404, json!({"error": "No clip", "code": "no_clip"}))
}

fn movie(body: &[u8]) -> Reply {
    Reply::of_bytes(200, "video/mp4", body).header("ETag", "\"one\"")
}

async fn incidents(folder: &Folder, server: &ScriptedServer, args: &[&str]) -> Ran {
    let url = server.url();
    let key = ["--api-key", "a-key-of-16-chars", "--api-url", &url];
    run(&mut folder.client(&[&["incidents"], args, &key[..]].concat())).await
}

/// What lies in the folder.
fn files(folder: &Folder) -> Vec<String> {
    let entries = std::fs::read_dir(folder.path()).unwrap();
    entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect()
}

#[tokio::test]
async fn a_list_is_of_what_was_asked_for() {
    let server = server_with(&[ID], no_film).await;
    let folder = Folder::new();
    let args = [
        "list",
        "--source",
        "till",
        "--status",
        "new",
        "--from",
        "2026-11-01",
        "--to",
        "2026-11-30",
        "--limit",
        "7",
    ];
    let ran = incidents(&folder, &server, &args).await;
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(
        ran.stdout.contains("vol (new, risk HIGH)") && ran.stdout.contains(ID),
        "{ran:?}"
    );
    let asked = server.requests().pop().unwrap();
    for (name, value) in [
        ("source_id", "till"),
        ("status", "new"),
        ("from", "2026-11-01T00:00:00.000Z"),
        ("to", "2026-12-01T00:00:00.000Z"),
        ("limit", "7"),
    ] {
        assert_eq!(asked.query(name).as_deref(), Some(value), "{name}");
    }
    for (wrong, said) in [
        (
            &["--source", "rtsp://u:hunter2@cam/1"][..],
            "the id of a source",
        ),
        (&["--source", "a", "--source", "b"], "one source"),
        (
            &["--from", "2026-11-30", "--to", "2026-11-01"],
            "--to must be after",
        ),
        (&["--limit", "3", "show", ID], "written behind it"),
    ] {
        let ran = incidents(&folder, &server, wrong).await;
        assert_eq!(ran.code, 2, "{wrong:?}: {ran:?}");
        assert!(ran.stderr.contains(said), "{wrong:?}: {ran:?}");
        assert!(!ran.printed().contains("hunter2"), "{ran:?}");
    }
}

#[tokio::test]
async fn one_is_shown_whole_in_the_zone_of_this_machine() {
    let server = server_with(&[ID], no_film).await;
    let folder = Folder::new();
    let url = server.url();
    let args = [
        "incidents",
        "show",
        ID,
        "--api-key",
        "a-key-of-16-chars",
        "--api-url",
        &url,
    ];
    let ran = run(folder.client(&args).env("TZ", "Europe/Paris")).await;
    assert_eq!(ran.code, 0, "{ran:?}");
    for part in [
        "2026-11-22 16:40:03 CET",
        "Till 1",
        "confirmed by the second look",
        "3 times",
        "ready, 10.0 s, 1.2 MB",
        "http://h/video/x?expires=1&token=t",
        "seen by Ann",
        "incidents save 7f1c0f8e",
    ] {
        assert!(ran.stdout.contains(part), "{part} is missing in {ran:?}");
    }
    let words: Vec<&str> = ran.stdout.split_whitespace().collect();
    let told = words.iter().filter(|word| **word == "bottle.").count();
    assert_eq!(told, 30, "{ran:?}");
    assert!(!ran.stdout.contains('\u{1b}'), "{ran:?}");
    let json = incidents(&folder, &server, &["show", ID, "--json"]).await;
    assert_eq!(json.events()[0]["id"], ID);
}

#[tokio::test]
async fn the_beginning_of_an_id_is_enough_when_it_is_the_only_one() {
    let folder = Folder::new();
    let server = server_with(&[ID], no_film).await;
    let ran = incidents(&folder, &server, &["show", "7F1C0F8E"]).await;
    assert_eq!(ran.code, 0, "{ran:?}");
    for (typed, code, said) in [
        ("7f1c0f8", 2, "first 8 letters"),
        ("../../usage", 2, "no incident's id"),
        ("aaaaaaaa", 1, "among the newest"),
        (
            "aaaaaaaa-3f8c-4f53-9d21-111111111111",
            1,
            "there is no incident",
        ),
    ] {
        let ran = incidents(&folder, &server, &["show", typed]).await;
        assert_eq!(ran.code, code, "{typed}: {ran:?}");
        assert!(ran.stderr.contains(said), "{typed}: {ran:?}");
    }
    let server = server_with(&[ID, TWIN], no_film).await;
    let ran = incidents(&folder, &server, &["dismiss", "7f1c0f8e"]).await;
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(
        ran.stderr.contains(ID) && ran.stderr.contains(TWIN),
        "{ran:?}"
    );
    assert!(
        server
            .requests()
            .iter()
            .all(|request| request.body.is_empty())
    );
}

#[tokio::test]
async fn what_became_of_one_is_told_to_the_server_with_its_note() {
    let server = server_with(&[ID], no_film).await;
    let folder = Folder::new();
    for (action, status) in [
        ("dismiss", "dismissed"),
        ("acknowledge", "acknowledged"),
        ("resolve", "resolved"),
    ] {
        let ran = incidents(&folder, &server, &[action, ID, "--note", "it was Ann"]).await;
        assert_eq!(ran.code, 0, "{ran:?}");
        assert!(ran.stdout.contains(&format!("is {status}")), "{ran:?}");
        let asked: Value = serde_json::from_slice(&server.requests().pop().unwrap().body).unwrap();
        assert_eq!(asked, json!({"status": status, "note": "it was Ann"}));
    }
}
