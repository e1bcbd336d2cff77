//! `incidents save`.

use std::os::unix::fs::PermissionsExt as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::*;

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
