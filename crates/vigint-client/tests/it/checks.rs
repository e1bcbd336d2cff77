//! `check`: the certificate, the versions, ffmpeg's age and abilities, and what each camera shows.

use std::os::unix::fs::PermissionsExt as _;

use serde_json::json;

use crate::authority::Authority;
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
async fn the_certificates_end_is_said_and_warned_of_when_it_is_near() {
    let authority = Authority::new();
    for (days, mark) in [(90, "ok  "), (14, "ok  "), (13, "warn"), (1, "warn")] {
        let acceptor = authority.acceptor("localhost", -1..days);
        let server = ScriptedServer::start_tls(acceptor, Reply::of_vigint).await;
        let folder = with_key(&format!("https://localhost:{}", server.address.port()));
        folder.write("ca.pem", &authority.pem());
        let ran = run(&mut folder.client(&["check", "--ca-file", "ca.pem"])).await;
        let line = ran
            .stdout
            .lines()
            .find(|line| line.contains("tls: "))
            .unwrap();
        assert!(line.starts_with(mark), "{days}: {ran:?}");
        let plural = if days == 1 { "" } else { "s" };
        assert!(
            line.contains(&format!(", {days} day{plural} from now")),
            "{days}: {line}"
        );
        assert_eq!(line.contains("must renew it"), mark == "warn", "{line}");
        let json = run(&mut folder.client(&["check", "--ca-file", "ca.pem", "--json"])).await;
        let tls = json
            .events()
            .into_iter()
            .find(|found| found["check"] == "tls");
        assert_eq!(tls.unwrap()["days_left"], days);
    }
}

#[tokio::test]
async fn a_certificate_that_is_not_trusted_is_the_findings_and_not_the_addresss() {
    let acceptor = Authority::new().acceptor("localhost", -1..90);
    let server = ScriptedServer::start_tls(acceptor, Reply::of_vigint).await;
    let folder = with_key(&format!("https://localhost:{}", server.address.port()));
    let ran = run(&mut folder.client(&["check"])).await;
    assert_eq!(ran.code, 4, "{ran:?}");
    assert!(ran.stdout.contains("FAIL  tls: "), "{ran:?}");
    assert!(!ran.stdout.contains("VIGINT_SERVER_URL"), "{ran:?}");
}

#[tokio::test]
async fn a_server_of_another_major_version_is_warned_of() {
    for (version, is_warned) in [("0.9.8", false), ("1.0.0", true), ("10.2", true)] {
        let server = ScriptedServer::start(move |request: &Request| match request.path() {
            "/api/health" => Reply::new(
                200,
                json!({
                    "status": "healthy", "version": version, "time": "2026-11-22T15:40:03.250Z",
                    "checks": {"database": "ok", "clips": "ok", "mail": "file", "analyzer": "motion"},
                }),
            ),
            _ => Reply::of_vigint(request),
        })
        .await;
        let ran = run(&mut with_key(&server.url()).client(&["check"])).await;
        assert_eq!(
            ran.stdout.contains("warn  version: "),
            is_warned,
            "{version}: {ran:?}"
        );
    }
}

#[tokio::test]
async fn a_camera_is_told_with_its_own_size_and_codec_and_a_private_still() {
    if !has_ffmpeg().await {
        return;
    }
    let server = ScriptedServer::start(Reply::of_vigint).await;
    let folder = with_key(&server.url());
    let film = folder.film(1).await;
    let till = format!("till={film}");
    let args = [
        "check",
        "--source",
        &till,
        "--source",
        "gone=gone.mp4",
        "--width",
        "160",
    ];
    let ran = run(&mut folder.client(&args)).await;
    assert_eq!(ran.code, 5, "{ran:?}");
    let said = "film.mp4 shows pictures, 160x90 as sent; h264, 320x180, 10 fps at its origin";
    assert!(ran.stdout.contains(said), "{ran:?}");
    assert!(
        ran.stdout.contains("still saved: vigint-stills/till.jpg"),
        "{ran:?}"
    );
    assert!(
        ran.stdout.contains("FAIL  source gone: gone.mp4: "),
        "{ran:?}"
    );
    let still = folder.path().join("vigint-stills/till.jpg");
    let bytes = std::fs::read(&still).unwrap();
    assert!(bytes.starts_with(&[0xFF, 0xD8, 0xFF]) && bytes.ends_with(&[0xFF, 0xD9]));
    assert_eq!(
        std::fs::metadata(&still).unwrap().permissions().mode() & 0o777,
        0o600
    );

    let args = [
        "check",
        "--json",
        "--stills",
        "elsewhere",
        "--source",
        &till,
    ];
    let ran = run(&mut folder.client(&args)).await;
    let found = ran
        .events()
        .into_iter()
        .find(|found| found["check"] == "source till")
        .unwrap();
    assert_eq!(
        (
            &found["codec"],
            &found["native_width"],
            &found["native_fps"],
            &found["still"]
        ),
        (
            &json!("h264"),
            &json!(320),
            &json!(10.0),
            &json!("elsewhere/till.jpg")
        )
    );
    // A picture that cannot be saved is still a camera that works.
    folder.write("file", "");
    let args = ["check", "--stills", "file", "--source", &till];
    let ran = run(&mut folder.client(&args)).await;
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.stdout.contains("warn  stills: "), "{ran:?}");
}

#[tokio::test]
async fn many_sources_are_told_in_the_order_they_were_given() {
    if !has_ffmpeg().await {
        return;
    }
    let server = ScriptedServer::start(Reply::of_vigint).await;
    let folder = with_key(&server.url());
    let film = folder.film(1).await;
    let sources: Vec<String> = (0..10)
        .map(|n| format!("c{n}={}", if n % 3 == 0 { "gone.mp4" } else { &film }))
        .collect();
    let mut args = vec!["check", "--json"];
    for source in &sources {
        args.extend(["--source", source]);
    }
    let ran = run(&mut folder.client(&args)).await;
    let told: Vec<_> = ran
        .events()
        .iter()
        .filter_map(|found| Some(found["check"].as_str()?.strip_prefix("source ")?.to_owned()))
        .collect();
    let wanted: Vec<_> = (0..10).map(|n| format!("c{n}")).collect();
    assert_eq!(told, wanted);
}

/// An ffmpeg of a version of its own, which lists what it is told to.
fn stand_in(folder: &Folder, version: &str, codecs: &str, formats: &str) {
    let library = match version.split('.').next() {
        Some("4") => "libavformat    58. 76.100 / 58. 76.100",
        _ => "libavformat    59. 27.100 / 59. 27.100",
    };
    let script = format!(
        "#!/bin/sh\nfor word in \"$@\"; do case $word in\n\
         -version) echo 'ffmpeg version {version} Copyright'; echo '{library}';;\n\
         -codecs) printf '{codecs}';;\n-formats) printf '{formats}';;\n\
         -protocols) printf 'Input:\\n  http\\n  https\\n  tls\\nOutput:\\n';;\nesac; done\n"
    );
    let path = folder.write("ffmpeg", &script);
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
}

#[tokio::test]
async fn an_ffmpeg_that_is_old_or_lacks_something_is_named_with_the_cure() {
    const CODECS: &str = " DEV.LS h264 x\\n DEV.L. hevc x\\n DEVIL. mjpeg x\\n";
    const FORMATS: &str = " DE mpjpeg x\\n DE rtsp x\\n";
    let server = ScriptedServer::start(Reply::of_vigint).await;
    let folder = with_key(&server.url());
    let without_hevc = CODECS.replace("hevc", "vc1");
    let without_encoder = CODECS.replace("DEVIL.", "D.VIL.");
    for (version, codecs, code, said) in [
        (
            "5.1.9",
            CODECS,
            0,
            "ok    ffmpeg: ffmpeg version 5.1.9, reads H.264",
        ),
        (
            "4.4.2-0ubuntu1",
            CODECS,
            0,
            "warn  ffmpeg: ffmpeg 4.4.2-0ubuntu1 is older than 5.1",
        ),
        (
            "7.1",
            &without_hevc,
            0,
            "warn  ffmpeg: ffmpeg version 7.1 cannot read H.265",
        ),
        (
            "7.1",
            &without_encoder,
            5,
            "FAIL  ffmpeg: version 7.1 lacks the encoder mjpeg",
        ),
    ] {
        stand_in(&folder, version, codecs, FORMATS);
        let ran = run(folder.client(&["check"]).env("PATH", folder.path())).await;
        assert_eq!(ran.code, code, "{ran:?}");
        assert!(ran.stdout.contains(said), "{said}: {ran:?}");
    }
    std::fs::remove_file(folder.path().join("ffmpeg")).unwrap();
    let ran = run(folder.client(&["check"]).env("PATH", folder.path())).await;
    assert_eq!(ran.code, 5, "{ran:?}");
    assert!(ran.stdout.contains("apt-get install -y ffmpeg"), "{ran:?}");
}
