//! The main job with the real programs: create → `.env` → client on a clip → incident → mail → the link plays.

use std::process::Command;
use std::time::Duration;

use serde_json::Value;
use vigint_testkit::mailbox::first_mail;
use vigint_testkit::programs::{self, ServerProcess};
use vigint_testkit::scene::Scene;

use crate::fixture::send;

/// Whether ffmpeg is here; without it the client has no eyes.
fn ffmpeg_is_here() -> bool {
    let is_here = Command::new("ffprobe").arg("-version").output().is_ok();
    #[allow(
        clippy::disallowed_methods,
        reason = "how `cargo xtask test` says that nothing may be left out"
    )]
    let is_required = std::env::var("VIGINT_REQUIRE_FFMPEG").is_ok_and(|value| value == "1");
    assert!(
        is_here || !is_required,
        "ffmpeg not found, and VIGINT_REQUIRE_FFMPEG=1"
    );
    if !is_here {
        eprintln!("ffmpeg not found: the end-to-end test is skipped; cargo xtask test installs it");
    }
    is_here
}

#[test]
fn a_theft_on_film_becomes_a_mail_whose_link_plays() {
    if !ffmpeg_is_here() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let server = ServerProcess::start(folder.path(), &[]);
    let created = programs::run(
        "vigint-admin",
        folder.path(),
        &[
            "--create",
            "--name",
            "Acme Corp",
            "--email",
            "security@acme.example",
            "--locale",
            "en",
        ],
    );
    let said = String::from_utf8(created.stdout).unwrap();
    assert!(
        created.status.success(),
        "{}",
        String::from_utf8_lossy(&created.stderr)
    );
    let key = said
        .lines()
        .find_map(|line| line.strip_prefix("API Key: "))
        .unwrap();

    let shop = tempfile::tempdir().unwrap();
    let env = format!("VIGINT_API_KEY={key}\nVIGINT_SERVER_URL={}\n", server.url());
    std::fs::write(shop.path().join(".env"), env).unwrap();
    let film = shop.path().join("scene.mp4");
    Scene::default().write_mp4(&film).unwrap();
    let source = film.display().to_string();
    let client = programs::run(
        "vigint-client",
        shop.path(),
        &["run", "--source", &source, "--fast", "--json"],
    );
    let events = String::from_utf8(client.stdout).unwrap();
    let errors = String::from_utf8_lossy(&client.stderr).into_owned();
    assert!(
        client.status.success(),
        "{errors}\n{events}\n{}",
        server.log()
    );
    let found = events
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .any(|event| event["event"] == "analysis" && event["has_security_incident"] == true);
    assert!(found, "no incident in:\n{events}\n{}", server.log());
    assert!(!events.contains(key) && !errors.contains(key) && !server.log().contains(key));

    let mail = first_mail(folder.path(), Duration::from_secs(60)).unwrap();
    let link = mail
        .clip_link()
        .unwrap_or_else(|| panic!("no link in {}", mail.text));
    let path = &link[link.find("/video/").unwrap()..];
    let whole = send(server.url(), "GET", path, &[], b"");
    assert_eq!(whole.status, 200);
    let part = send(server.url(), "GET", path, &[("range", "bytes=0-1")], b"");
    assert_eq!((part.status, part.body.len()), (206, 2));

    let clip = shop.path().join("clip.mp4");
    std::fs::write(&clip, &whole.body).unwrap();
    let probed = Command::new("ffprobe")
        .args([
            "-v",
            "error",
            "-of",
            "json",
            "-count_frames",
            "-show_streams",
        ])
        .arg(&clip)
        .output()
        .unwrap();
    let probed: Value = serde_json::from_slice(&probed.stdout).unwrap();
    let stream = &probed["streams"][0];
    assert_eq!(stream["codec_name"], "h264");
    assert_eq!(stream["pix_fmt"], "yuv420p");
    assert!(
        stream["nb_read_frames"]
            .as_str()
            .unwrap()
            .parse::<u32>()
            .unwrap()
            > 10
    );
    let place = |name: &[u8]| whole.body.windows(4).position(|at| at == name).unwrap();
    assert!(place(b"moov") < place(b"mdat"));
    assert!(server.stop().success());
}
