//! What must never be printed.

use serde_json::{Value, json};

use crate::program::{Folder, has_ffmpeg, run};
use crate::scripted_server::{Reply, Request, ScriptedServer, theft};

#[tokio::test]
async fn a_cameras_password_is_printed_nowhere() {
    if !has_ffmpeg().await {
        return;
    }
    let server = ScriptedServer::start(Reply::of_vigint).await;
    let address = ScriptedServer::start(Reply::of_vigint).await.stop().await;
    let folder = Folder::new();
    let url = server.url();
    folder.write(
        ".env",
        &format!("VIGINT_API_KEY=a-key-of-16-chars\nVIGINT_SERVER_URL={url}"),
    );
    let camera = format!("till=rtsp://admin:hun/ter2@{address}/live?password=hunter3");
    folder.write(
        "cameras.toml",
        &format!("[[camera]]\nsource = '{camera}'\nid = 'no id'\n"),
    );
    for (args, code) in [
        (&["--source", &camera][..], 5),
        (&["--source", &camera, "--json", "--once"], 5),
        (&["check", "--source", &camera], 5),
        (&["--rtsp-url", &camera, "--source", &camera], 2),
        (&[&camera], 2),
        (&["run", "--source", "a.mp4", &camera], 2),
        (&["--sources", "cameras.toml"], 2),
    ] {
        let ran = run(&mut folder.client(args)).await;
        assert_eq!(ran.code, code, "{args:?}: {ran:?}");
        for secret in ["ter2", "hunter3"] {
            assert!(!ran.printed().contains(secret), "{args:?}: {ran:?}");
        }
    }
    // With a mistyped scheme, or none, it is taken for a film.
    for mistyped in ["rtsp:/admin:hunter3@cam/1", "admin:hunter3@cam:554/1"] {
        for args in [
            &["--source", mistyped][..],
            &["check", "--source", mistyped],
            &["gate", mistyped],
        ] {
            let ran = run(&mut folder.client(args)).await;
            assert_eq!(ran.code, 5, "{args:?}: {ran:?}");
            assert!(ran.printed().contains("o such file"), "{args:?}: {ran:?}");
            assert!(!ran.printed().contains("hunter3"), "{args:?}: {ran:?}");
        }
    }
    let plain = format!("till=rtsp://admin:hunter3@{address}/live");
    let ran = run(&mut folder.client(&["--source", &plain])).await;
    assert!(!ran.printed().contains("hunter3"), "{ran:?}");
    assert!(
        ran.stderr.contains("till: ") && ran.stderr.contains("connection refused"),
        "{ran:?}"
    );
}

#[tokio::test]
async fn no_mistake_in_a_list_of_cameras_or_before_an_address_shows_a_password() {
    let folder = Folder::new();
    for (list, line) in [
        ("camera = ['rtsp://admin:hunter2@192.168.1.20/1']", "line 1"),
        ("\ncamera = 'rtsp://admin:hunter2@192.168.1.20/1'", "line 2"),
        ("[camera]\nsource = 'rtsp://admin:hunter2@c/1'", "line 1"),
        ("'rtsp://admin:hunter2@c/1' = 'till'", "line 1"),
        (
            "[[camera]]\nsource = ['rtsp://admin:hunter2@c/1']",
            "line 2",
        ),
        ("[[camera]]\nsource = 'a'\nfps = 'hunter2'", "line 3"),
        ("[[camera]]\nsource = 'a'\nwidth = 'hunter2'", "line 3"),
        ("[[camera]]\nsource = 'a'\nid = 'no hunter2'", "line 3"),
        ("[[camera]]\nsource = 'a'\n'p hunter2' = 1", "line 3"),
        ("[[camera]]\nsource = rtsp://admin:hunter2@c/1", "line 2"),
        (
            "[[camera]]\nsource = 'a'\n\n[[camera]]\nname = 'hunter2'",
            "line 4",
        ),
    ] {
        folder.write("cameras.toml", list);
        let ran = run(&mut folder.client(&["--sources", "cameras.toml"])).await;
        assert_eq!(ran.code, 2, "{list}: {ran:?}");
        assert!(!ran.printed().contains("hunter2"), "{list}: {ran:?}");
        let place = format!("cameras.toml: {line}: ");
        assert!(ran.stderr.contains(&place), "{list}: {ran:?}");
    }
    for source in [
        "admin:hunter2@rtsp://cam/1",
        "user=admin&password=hunter2&url=rtsp://cam/1",
        "door='rtsp://admin:hunter2@cam/1'",
    ] {
        let ran = run(&mut folder.client(&["--source", source])).await;
        assert_eq!(ran.code, 2, "{source}: {ran:?}");
        assert!(!ran.printed().contains("hunter2"), "{source}: {ran:?}");
        assert!(ran.stderr.contains("rtsp://"), "{source}: {ran:?}");
    }
    // A mistyped address is taken for a film, in a list as well.
    folder.write(
        "cameras.toml",
        "camera = [{ source = 'admin:hunter2@cam:554/1' }]",
    );
    for args in [
        &["--source", "admin:hunter2@cam:554/1"][..],
        &["--sources", "cameras.toml"],
        &["check", "--sources", "cameras.toml"],
    ] {
        let ran = run(&mut folder.client(args)).await;
        assert!(!ran.printed().contains("hunter2"), "{args:?}: {ran:?}");
    }
}

/// The link opens the film to whoever has it: what is no terminal may be a log that others read.
#[tokio::test]
async fn the_link_to_a_film_goes_into_no_log() {
    if !has_ffmpeg().await {
        return;
    }
    let server = ScriptedServer::start(|request: &Request| {
        if !request.is_analysis() {
            return Reply::of_vigint(request);
        }
        let seen = theft("default", "http://h/video/x?expires=1&token=canary");
        Reply::new(200, seen)
    })
    .await;
    let folder = Folder::new();
    let film = folder.film(1).await;
    let url = server.url();
    let mut args = vec!["--source", &film, "--fast", "--api-url", &url];
    args.extend(["--api-key", "a-key-of-16-chars"]);
    let ran = run(&mut folder.client(&args)).await;
    assert!(ran.stdout.contains("INCIDENT"), "{ran:?}");
    assert!(!ran.printed().contains("canary"), "{ran:?}");
    // Who asks for JSON asks for all of it.
    args.push("--json");
    let ran = run(&mut folder.client(&args)).await;
    let link = |event: &Value| event["incident"]["video_url"].is_string();
    assert!(ran.events().iter().any(link), "{ran:?}");
}

#[tokio::test]
async fn a_key_on_a_wrong_command_line_is_not_printed() {
    let folder = Folder::new();
    let key = format!("vgt_{}", "c".repeat(60));
    for args in [
        &[key.as_str()][..],
        &["--api-kee", &key],
        &[
            "--profil",
            "x",
            "--api-key",
            "sixteen-canaries",
            "sixteen-canaries",
        ],
        // The key itself is read; what is repeated is the word after it.
        &["--api-key", "sixteen-canaries", "sixteen-canaries"],
        // A key may have any sign, also those that would end a parameter of an address.
        &["--api-key=sixteen/canaries", "sixteen/canaries"],
    ] {
        let ran = run(&mut folder.client(args)).await;
        assert_eq!(ran.code, 2, "{ran:?}");
        assert!(
            !ran.printed().contains("ccc") && !ran.printed().contains("canaries"),
            "{ran:?}"
        );
    }
}

#[tokio::test]
async fn no_redirect_is_followed() {
    if !has_ffmpeg().await {
        return;
    }
    let elsewhere = ScriptedServer::start(Reply::of_vigint).await;
    let target = elsewhere.url();
    let server = ScriptedServer::start(move |_| {
        Reply::new(307, json!({})).header("Location", format!("{target}/api/video/buffer"))
    })
    .await;
    let folder = Folder::new();
    let film = folder.film(1).await;
    let url = server.url();
    let args = [
        "--source",
        &film,
        "--once",
        "--fast",
        "--api-key",
        "a-key-of-16-chars",
        "--api-url",
        &url,
    ];
    let ran = run(&mut folder.client(&args)).await;
    assert_eq!(ran.code, 4, "{ran:?}");
    assert!(ran.stderr.contains("redirects (307)"), "{ran:?}");
    assert!(elsewhere.requests().is_empty());
}

#[tokio::test]
async fn without_ffmpeg_the_line_that_installs_it_is_printed() {
    let folder = Folder::new();
    folder.write("film.mp4", "x");
    let mut client = folder.client(&["--source", "film.mp4", "--api-key", "a-key-of-16-chars"]);
    let ran = run(client.env("PATH", folder.path())).await;
    assert_eq!(ran.code, 5, "{ran:?}");
    assert!(
        ran.stderr.contains("sudo apt-get install -y ffmpeg"),
        "{ran:?}"
    );
}
