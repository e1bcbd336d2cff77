//! Where key and address come from, and what is done with keys that will never do.

use vigint_core::key::ApiKey;
use vigint_core::random::SystemRandom;

use crate::program::{Folder, has_ffmpeg, run};
use crate::scripted_server::{Reply, ScriptedServer};

/// The key that the server saw last.
fn key_seen(server: &ScriptedServer) -> String {
    let requests = server.requests();
    requests
        .last()
        .unwrap()
        .header("authorization")
        .unwrap()
        .replace("Bearer ", "")
}

#[tokio::test]
async fn the_key_comes_from_flag_then_environment_then_profile_then_env_file() {
    let server = ScriptedServer::start(Reply::of_vigint).await;
    let folder = Folder::new();
    folder.write(
        ".env",
        &format!(
            "VIGINT_API_KEY=key-of-env-file-0\nVIGINT_SERVER_URL={}",
            server.url()
        ),
    );
    folder.write(".env.prod", "VIGINT_API_KEY=key-of-profile-00");

    assert_eq!(run(&mut folder.client(&["usage"])).await.code, 0);
    assert_eq!(key_seen(&server), "key-of-env-file-0");

    assert_eq!(
        run(&mut folder.client(&["usage", "--profile", "prod"]))
            .await
            .code,
        0
    );
    assert_eq!(key_seen(&server), "key-of-profile-00");
    assert_eq!(
        run(folder.client(&["usage"]).env("VIGINT_ENV", "prod"))
            .await
            .code,
        0
    );
    assert_eq!(key_seen(&server), "key-of-profile-00");

    let mut with_environment = folder.client(&["--profile", "prod", "usage"]);
    assert_eq!(
        run(with_environment.env("VIGINT_API_KEY", "key-of-environment"))
            .await
            .code,
        0
    );
    assert_eq!(key_seen(&server), "key-of-environment");

    let mut with_flag = folder.client(&["usage", "--api-key", "key-of-the-flag-0"]);
    assert_eq!(
        run(with_flag.env("VIGINT_API_KEY", "key-of-environment"))
            .await
            .code,
        0
    );
    assert_eq!(key_seen(&server), "key-of-the-flag-0");
}

#[tokio::test]
async fn the_address_comes_from_flag_then_environment_then_profile_then_env_file() {
    let mut servers = Vec::new();
    for _ in 0..4 {
        servers.push(ScriptedServer::start(Reply::of_vigint).await);
    }
    let asked = |servers: &[ScriptedServer]| -> Vec<usize> {
        servers
            .iter()
            .map(|server| server.requests().len())
            .collect()
    };
    let folder = Folder::new();
    let of_env = servers[0].url();
    folder.write(
        ".env",
        &format!("VIGINT_API_KEY=key-of-env-file-0\nVIGINT_SERVER_URL={of_env}"),
    );
    folder.write(
        ".env.prod",
        &format!("VIGINT_SERVER_URL={}", servers[1].url()),
    );
    let (of_environment, of_flag) = (servers[2].url(), servers[3].url());
    let usage = |args: &[&str], environment: Option<&str>| {
        let mut client = folder.client(&[&["usage", "--json"], args].concat());
        client.envs(environment.map(|url| ("VIGINT_SERVER_URL", url)));
        client
    };
    let profile = ["--profile", "prod"];
    let flag = ["--profile", "prod", "--api-url", &of_flag];
    for (args, environment, so_far) in [
        (&[][..], None, [1, 0, 0, 0]),
        (&profile[..], None, [1, 1, 0, 0]),
        (&profile, Some(of_environment.as_str()), [1, 1, 1, 0]),
        (&flag, Some(of_environment.as_str()), [1, 1, 1, 1]),
    ] {
        let ran = run(&mut usage(args, environment)).await;
        assert_eq!(ran.code, 0, "{ran:?}");
        assert_eq!(asked(&servers), so_far);
    }
}

#[tokio::test]
async fn env_files_are_not_put_into_the_environment_of_the_process() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = Folder::new();
    folder.write(".env", "VIGINT_API_KEY=canary-canary-canary\nOTHER=canary");
    // What the program hands to its children is what its own environment holds.
    let spy = folder.write("ffmpeg", "#!/bin/sh\n/usr/bin/env > seen.txt\nexit 1\n");
    std::fs::set_permissions(&spy, std::fs::Permissions::from_mode(0o755)).unwrap();
    let mut client = folder.client(&["--source", "rtsp://127.0.0.1:1/x", "--once"]);
    assert_eq!(
        run(client.env("PATH", folder.path()).env("MARK", "mine"))
            .await
            .code,
        5
    );
    let seen = std::fs::read_to_string(folder.path().join("seen.txt")).unwrap();
    assert!(seen.contains("MARK=mine"), "the spy did not run: {seen}");
    assert!(!seen.contains("canary"), "{seen}");
}

#[tokio::test]
async fn a_name_that_is_given_twice_in_a_file_is_refused_without_its_values() {
    let folder = Folder::new();
    folder.write(
        ".env",
        "VIGINT_API_KEY=old-canary-of-16-chars\n# rotated\nVIGINT_API_KEY=new-canary-of-16-chars\n",
    );
    for args in [&["--source", "film.mp4"][..], &["usage"], &["check"]] {
        let ran = run(&mut folder.client(args)).await;
        assert_eq!(ran.code, 2, "{ran:?}");
        let said = "VIGINT_API_KEY stands twice in .env";
        assert!(ran.stderr.contains(said), "{ran:?}");
        assert!(!ran.printed().contains("canary"), "{ran:?}");
    }
}

#[tokio::test]
async fn a_source_of_the_settings_that_a_list_of_cameras_replaces_is_told() {
    let folder = Folder::new();
    folder.write(".env", "VIGINT_SOURCE=rtsp://u:canary@c/1\n");
    folder.write("cameras.toml", "[[camera]]\nsource = 'gone.mp4'\n");
    let listed = ["--sources", "cameras.toml"];
    let warning = "Warning: VIGINT_SOURCE is not read beside --sources";
    let ran = run(&mut folder.client(&listed)).await;
    assert_eq!(ran.code, 5, "{ran:?}");
    assert!(ran.stderr.contains(warning), "{ran:?}");
    assert!(!ran.printed().contains("canary"), "{ran:?}");
    // A flag goes before it, as with every setting.
    let ran = run(&mut folder.client(&["--source", "gone.mp4"])).await;
    assert!(!ran.stderr.contains("VIGINT_SOURCE"), "{ran:?}");
}

#[tokio::test]
async fn a_mistyped_key_is_called_mistyped_without_asking_the_server() {
    let server = ScriptedServer::start(Reply::of_vigint).await;
    let folder = Folder::new();
    let key = ApiKey::generate(&SystemRandom);
    let last = if key.reveal().ends_with('a') {
        "b"
    } else {
        "a"
    };
    let mistyped = format!("{}{last}", &key.reveal()[..63]);
    folder.write(
        ".env",
        &format!(
            "VIGINT_API_KEY={mistyped}\nVIGINT_SERVER_URL={}",
            server.url()
        ),
    );
    folder.write("film.mp4", "");
    for args in [&["--source", "film.mp4"][..], &["usage"], &["incidents"]] {
        let ran = run(&mut folder.client(args)).await;
        assert_eq!(ran.code, 3, "{ran:?}");
        assert!(ran.stderr.contains("mistyped"), "{ran:?}");
        assert!(!ran.printed().contains(&mistyped));
    }
    assert!(server.requests().is_empty());
    let ran = run(&mut folder.client(&["check"])).await;
    assert_eq!(ran.code, 3, "{ran:?}");
    assert!(ran.stdout.contains("mistyped"), "{ran:?}");
    assert!(
        server
            .requests()
            .iter()
            .all(|request| request.header("authorization").is_none())
    );
}

#[tokio::test]
async fn what_can_never_be_a_key_is_named_with_its_cure_and_not_shown() {
    let key = ApiKey::generate(&SystemRandom);
    let (front, back) = key.reveal().split_at(30);
    let template = include_str!("../../../../.env.client_template");
    for (env_file, cure) in [
        (
            template.to_owned(),
            "is still the placeholder your-api-key-here",
        ),
        (
            format!("VIGINT_API_KEY='\"{}\"'", key.reveal()),
            "there are quotes in the API key",
        ),
        (
            format!("VIGINT_API_KEY=\"{front} {back}\""),
            "there is a blank",
        ),
    ] {
        let folder = Folder::new();
        folder.write(".env", &env_file);
        folder.write("film.mp4", "");
        for args in [&["--source", "film.mp4"][..], &["usage"], &["check"]] {
            let ran = run(&mut folder.client(args)).await;
            assert_eq!(ran.code, 3, "{ran:?}");
            assert!(ran.printed().contains(cure), "{ran:?}");
            assert!(!ran.printed().contains(back), "{ran:?}");
        }
    }
}

#[tokio::test]
async fn without_a_key_the_sources_are_tried_and_nothing_is_sent() {
    if !has_ffmpeg().await {
        return;
    }
    let server = ScriptedServer::start(Reply::of_vigint).await;
    let folder = Folder::new();
    let film = folder.film(1).await;
    let ran =
        run(&mut folder.client(&["--source", &film, "--api-url", &server.url(), "--json"])).await;
    assert_eq!(ran.code, 0, "{ran:?}");
    let warnings = ran
        .stderr
        .lines()
        .filter(|line| *line == "No API key provided. Some features may not work.");
    assert_eq!(warnings.count(), 1, "{ran:?}");
    assert_eq!(ran.event_names(), ["source_opened", "source_ended"]);
    assert!(server.requests().is_empty());
    let nothing =
        run(&mut folder.client(&["--source", "nothing.mp4", "--api-url", &server.url()])).await;
    assert_eq!(nothing.code, 5, "{nothing:?}");
}

#[tokio::test]
async fn a_refused_key_ends_everything_with_3() {
    if !has_ffmpeg().await {
        return;
    }
    let server = ScriptedServer::start(|_| Reply::invalid_key()).await;
    let folder = Folder::new();
    let film = folder.film(2).await;
    folder.write(
        ".env",
        &format!(
            "VIGINT_API_KEY=a-key-of-16-chars\nVIGINT_SERVER_URL={}",
            server.url()
        ),
    );
    let ran = run(&mut folder.client(&["--source", &film, "--source", &film, "--loop"])).await;
    assert_eq!(ran.code, 3, "{ran:?}");
    assert!(
        ran.stderr.contains("refused the API key: Invalid API key")
            && ran.stderr.contains("a new one"),
        "{ran:?}"
    );
    for command in ["usage", "incidents", "check"] {
        let ran = run(&mut folder.client(&[command])).await;
        assert_eq!(ran.code, 3, "{command}");
        assert!(
            ran.printed().contains("a new one"),
            "the cure is cut off: {ran:?}"
        );
    }
}
