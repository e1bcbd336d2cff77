//! `incidents`: listing, showing, saving films, saying what became of them.

use std::os::unix::fs::PermissionsExt as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::Semaphore;
use tokio::time::timeout;

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

#[tokio::test]
async fn a_film_is_saved_whole_private_and_over_nothing() {
    let server = server_with(&[ID], |_| movie(b"a film")).await;
    let folder = Folder::new();
    let name = format!("incident-{ID}.mp4");
    let ran = incidents(&folder, &server, &["save", ID]).await;
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(
        ran.stdout.contains(&format!("saved {name} (6 bytes)")),
        "{ran:?}"
    );
    assert_eq!(files(&folder), [name.as_str()]);
    let path = folder.path().join(&name);
    assert_eq!(std::fs::read(&path).unwrap(), b"a film");
    assert_eq!(
        std::fs::metadata(&path).unwrap().permissions().mode() & 0o777,
        0o600
    );

    folder.write("mine.mp4", "mine");
    let ran = incidents(&folder, &server, &["save", ID, "--to", "mine.mp4"]).await;
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.stderr.contains("--force"), "{ran:?}");
    assert_eq!(
        std::fs::read(folder.path().join("mine.mp4")).unwrap(),
        b"mine"
    );
    let forced = ["save", ID, "--to", "mine.mp4", "--force", "--json"];
    let ran = incidents(&folder, &server, &forced).await;
    assert_eq!(
        ran.events(),
        [json!({"id": ID, "path": "mine.mp4", "bytes": 6})]
    );
    assert_eq!(
        std::fs::read(folder.path().join("mine.mp4")).unwrap(),
        b"a film"
    );

    let ran = incidents(&folder, &server, &["save", ID, "--to", "no/such/f.mp4"]).await;
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.stderr.contains("no/such/f.mp4"), "{ran:?}");
    assert_eq!(files(&folder).len(), 2);
}

#[tokio::test]
async fn what_comes_to_the_name_while_a_film_is_loaded_is_not_written_over() {
    let gate = Arc::new(Semaphore::new(0));
    let held = Arc::clone(&gate);
    let server = server_with(&[ID], move |_| movie(b"a film").behind(&held)).await;
    let folder = Folder::new();
    let url = server.url();
    let args = [
        "incidents",
        "save",
        ID,
        "--to",
        "f.mp4",
        "--api-key",
        "a-key-of-16-chars",
        "--api-url",
        &url,
    ];
    let client = folder.client(&args).spawn().unwrap();
    server.until(|requests| !requests.is_empty()).await;
    folder.write("f.mp4", "mine");
    gate.add_permits(1);
    let ran = crate::program::finish(client).await;
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.stderr.contains("is there already"), "{ran:?}");
    assert_eq!(std::fs::read(folder.path().join("f.mp4")).unwrap(), b"mine");
    assert_eq!(files(&folder), ["f.mp4"]);
}

#[tokio::test]
async fn a_film_that_is_being_made_is_waited_for_and_not_for_ever() {
    let asked = AtomicUsize::new(0);
    let server = server_with(&[ID], move |_| match asked.fetch_add(1, SeqCst) {
        0..3 => Reply::new(202, json!({"status": "pending"})).header("Retry-After", "0"),
        _ => movie(b"a film"),
    })
    .await;
    let folder = Folder::new();
    let ran = incidents(&folder, &server, &["save", ID]).await;
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(ran.stderr.matches("still being made").count(), 1, "{ran:?}");

    let server = server_with(&[ID], |_| {
        Reply::new(202, json!({"status": "pending"})).header("Retry-After", "60")
    })
    .await;
    let args = ["save", ID, "--to", "never.mp4", "--wait", "0.3"];
    let ran = incidents(&folder, &server, &args).await;
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.stderr.contains("try again later"), "{ran:?}");
    assert_eq!(server.requests().len(), 2, "asked again when it was over");
    let args = ["save", ID, "--to", "never.mp4", "--wait", "0"];
    let ran = incidents(&folder, &server, &args).await;
    assert_eq!(ran.code, 1, "{ran:?}");
    let said = "the film is still being made: try again later\n";
    assert_eq!(ran.stderr, said, "nothing is waited for: {ran:?}");
    assert_eq!(files(&folder).len(), 1);
}

#[tokio::test]
async fn a_film_that_is_ready_needs_no_patience_however_slow_its_server_is() {
    let server = server_with(&[ID], |_| movie(b"a film")).await;
    let folder = Folder::new();
    let ran = incidents(&folder, &server, &["save", ID, "--wait", "0"]).await;
    assert_eq!(ran.code, 0, "{ran:?}");
    // One that was asked while the film was being made answers when patience is long over.
    let gate = Arc::new(Semaphore::new(0));
    let held = Arc::clone(&gate);
    let asked = AtomicUsize::new(0);
    let server = server_with(&[ID], move |_| match asked.fetch_add(1, SeqCst) {
        0 => Reply::new(202, json!({"status": "pending"})).header("Retry-After", "0"),
        _ => movie(b"a film").behind(&held),
    })
    .await;
    let url = server.url();
    let key = ["--api-key", "a-key-of-16-chars", "--api-url", &url];
    let args = ["incidents", "save", ID, "--to", "late.mp4", "--wait", "0.1"];
    let mut client = folder.client(&[&args, &key[..]].concat()).spawn().unwrap();
    server.until(|requests| requests.len() == 2).await;
    let still_runs = timeout(Duration::from_millis(300), client.wait()).await;
    assert!(still_runs.is_err(), "{still_runs:?}");
    gate.add_permits(1);
    let ran = crate::program::finish(client).await;
    assert_eq!(ran.code, 0, "{ran:?}");
}

#[tokio::test]
async fn a_wait_for_a_film_goes_on_over_what_may_pass_and_ends_with_it_when_it_stays() {
    let asked = AtomicUsize::new(0);
    let making = || Reply::new(202, json!({"status": "pending"})).header("Retry-After", "0");
    let busy = || Reply::new(503, json!({"error": "busy", "code": "busy"}));
    let server = server_with(&[ID], move |_| match asked.fetch_add(1, SeqCst) {
        0 | 3 => making(),
        1 => busy(),
        2 => Reply::hang_up(),
        _ => movie(b"a film"),
    })
    .await;
    let folder = Folder::new();
    let ran = incidents(&folder, &server, &["save", ID]).await;
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(ran.stderr.matches("still being made").count(), 1, "{ran:?}");

    let asked = AtomicUsize::new(0);
    let server = server_with(&[ID], move |_| match asked.fetch_add(1, SeqCst) {
        0 => making(),
        _ => busy(),
    })
    .await;
    let args = ["save", ID, "--to", "never.mp4", "--wait", "0.4"];
    let ran = incidents(&folder, &server, &args).await;
    assert_eq!(ran.code, 4, "{ran:?}");
    assert!(ran.stderr.contains("overloaded"), "{ran:?}");
    assert!(server.requests().len() > 1, "{ran:?}");
    // Before there is anything to wait for it is told at once.
    let server = server_with(&[ID], move |_| busy()).await;
    let ran = incidents(&folder, &server, &args).await;
    assert_eq!(ran.code, 4, "{ran:?}");
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn a_connection_that_breaks_is_gone_on_with_where_it_broke() {
    let whole: Vec<u8> = (0..200_000_u32).map(|n| n.to_le_bytes()[0]).collect();
    let film = whole.clone();
    let asked = AtomicUsize::new(0);
    let server = server_with(&[ID], move |request| {
        let from = request
            .header("range")
            .map_or(0, |range| range[6..range.len() - 1].parse().unwrap());
        if asked.fetch_add(1, SeqCst) < 2 {
            let reply = part(&film, from);
            return reply.cut_after(70_000);
        }
        part(&film, from)
    })
    .await;
    let folder = Folder::new();
    let ran = incidents(&folder, &server, &["save", ID, "--to", "f.mp4"]).await;
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(std::fs::read(folder.path().join("f.mp4")).unwrap() == whole);
    let requests = server.requests();
    let ranges: Vec<_> = requests
        .iter()
        .map(|request| request.header("range"))
        .collect();
    assert_eq!(ranges.len(), 3);
    assert_eq!(
        (ranges[0], requests[1].header("if-range")),
        (None, Some("\"one\""))
    );
    assert!(ranges[1].is_some() && ranges[1] != ranges[2], "{ranges:?}");

    // A film that was made anew meanwhile is taken from its start.
    let asked = AtomicUsize::new(0);
    let server = server_with(&[ID], move |_| match asked.fetch_add(1, SeqCst) {
        0 => movie(&[b'a'; 100_000]).cut_after(70_000),
        _ => movie(b"another film"),
    })
    .await;
    let ran = incidents(&folder, &server, &["save", ID, "--to", "g.mp4"]).await;
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(
        std::fs::read(folder.path().join("g.mp4")).unwrap(),
        b"another film"
    );
}

/// A film from this byte on.
fn part(film: &[u8], from: usize) -> Reply {
    if from == 0 {
        return movie(film);
    }
    let range = format!("bytes {from}-{}/{}", film.len() - 1, film.len());
    Reply::of_bytes(206, "video/mp4", &film[from..])
        .header("ETag", "\"one\"")
        .header("Content-Range", range)
}

#[tokio::test]
async fn a_film_that_is_not_to_be_had_leaves_no_file() {
    let folder = Folder::new();
    let page = |_: &Request| Reply::of_bytes(200, "text/html", "<html>log in</html>");
    let cut = |_: &Request| movie(b"a film that is long").cut_after(5);
    let elsewhere = |request: &Request| match request.header("range") {
        None => movie(b"a film").cut_after(3),
        Some(_) => Reply::of_bytes(206, "video/mp4", "lm").header("Content-Range", "bytes 4-5/6"),
    };
    for (server, code, said) in [
        (server_with(&[ID], no_film).await, 1, "has no film"),
        (server_with(&[ID], page).await, 4, "its answer is no film"),
        (server_with(&[ID], cut).await, 4, "cannot be reached"),
        (server_with(&[ID], elsewhere).await, 4, ""),
        (
            ScriptedServer::start(|_| Reply::invalid_key()).await,
            3,
            "refused the API key",
        ),
    ] {
        let ran = incidents(&folder, &server, &["save", ID]).await;
        assert_eq!(ran.code, code, "{said}: {ran:?}");
        assert!(ran.stderr.contains(said), "{said}: {ran:?}");
        assert_eq!(files(&folder), [""; 0], "{said}");
    }
}

#[tokio::test]
async fn a_save_that_is_stopped_leaves_no_file() {
    let never = Arc::new(Semaphore::new(0));
    let asked = AtomicUsize::new(0);
    let server = server_with(&[ID], move |_| match asked.fetch_add(1, SeqCst) {
        0 => movie(&[b'a'; 100_000]).cut_after(70_000),
        _ => movie(b"").behind(&never),
    })
    .await;
    let folder = Folder::new();
    let url = server.url();
    let args = [
        "incidents",
        "save",
        ID,
        "--api-key",
        "a-key-of-16-chars",
        "--api-url",
        &url,
    ];
    let client = folder.client(&args).spawn().unwrap();
    server.until(|requests| requests.len() == 2).await;
    let name = format!("incident-{ID}.mp4");
    let [part] = &files(&folder)[..] else {
        panic!("{:?}", files(&folder));
    };
    assert!(part.starts_with(&name) && part.ends_with(".part"), "{part}");
    let pid = client.id().unwrap().to_string();
    let killed = tokio::process::Command::new("kill")
        .args(["-INT", &pid])
        .status();
    assert!(killed.await.unwrap().success());
    let ran = crate::program::finish(client).await;
    assert_eq!(ran.code, 1, "nothing was saved: {ran:?}");
    assert_eq!(files(&folder), [""; 0]);
}

#[tokio::test]
async fn a_device_is_never_replaced_by_a_film() {
    let server = ScriptedServer::start(|_| Reply::new(404, json!({"error": "no"}))).await;
    let folder = Folder::new();
    let link = folder.path().join("link");
    std::os::unix::fs::symlink("/dev/full", &link).unwrap();
    let url = server.url();
    let args = [
        "incidents",
        "save",
        ID,
        "--to",
        "link",
        "--force",
        "--api-key",
        "a-key-of-16-chars",
        "--api-url",
        &url,
    ];
    let ran = run(&mut folder.client(&args)).await;
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.stderr.contains("no ordinary file"), "{ran:?}");
}
