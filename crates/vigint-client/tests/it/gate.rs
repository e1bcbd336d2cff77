//! `vigint-client gate`: what moves in a film, without key or server.

use std::process::Stdio;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::Command;
use tokio::time::timeout;
use vigint_core::clock::UtcTime;
use vigint_testkit::scene::Scene;

use crate::program::{Folder, has_ffmpeg, run};
use crate::scripted_server::PATIENCE;

/// The drawn scene up to a few seconds after the visitor came, as a film.
async fn scene(folder: &Folder) -> String {
    let scene = Scene {
        length: Scene::visit().start + Duration::from_secs(4),
        ..Scene::default()
    };
    let pictures: Vec<u8> = scene.frames().flat_map(|frame| frame.jpeg).collect();
    std::fs::write(folder.path().join("scene.mjpeg"), pictures).unwrap();
    let made = Command::new("ffmpeg")
        .args(["-v", "error", "-f", "mjpeg", "-framerate", "10"])
        .args(["-i", "scene.mjpeg", "-c", "copy", "scene.mkv"])
        .current_dir(folder.path())
        .stdin(Stdio::null())
        .status();
    assert!(made.await.unwrap().success());
    "scene.mkv".to_owned()
}

fn at(event: &Value) -> UtcTime {
    event["at"].as_str().unwrap().parse().unwrap()
}

#[tokio::test]
async fn it_tells_every_change_of_a_film_as_json_without_key_or_server() {
    if !has_ffmpeg().await {
        return;
    }
    let folder = Folder::new();
    let film = scene(&folder).await;
    let ran = run(&mut folder.client(&["gate", &film, "--fast", "--json"])).await;
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{ran:?}");
    let events = ran.events();
    assert_eq!(events[0]["event"], "source_opened");
    let changes = &events[1..];
    assert!(
        changes.iter().all(|event| event["event"] == "motion"),
        "{ran:?}"
    );
    let states: Vec<&str> = changes
        .iter()
        .map(|change| change["state"].as_str().unwrap())
        .collect();
    assert_eq!(states[..3], ["starting", "quiet", "moving"], "{ran:?}");
    assert_eq!(
        (&changes[1]["on"], &changes[1]["boxes"]),
        (&json!(false), &json!([]))
    );
    let opened = &changes[2];
    assert_eq!(opened["on"], true);
    let after = at(opened).since(at(&changes[0]));
    let visit = Scene::visit().start;
    assert!(
        (visit..visit + Duration::from_millis(800)).contains(&after),
        "{after:?}"
    );
    for name in ["x", "y", "width", "height"] {
        let fraction = opened["boxes"][0][name].as_f64().unwrap();
        assert!((0.0..=1.0).contains(&fraction), "{opened}");
    }
    assert!(opened["score"].as_f64().unwrap() > 0.0 && opened["share"].as_f64().unwrap() > 0.0);
}

#[tokio::test]
async fn it_tells_every_change_in_words_and_sums_up() {
    if !has_ffmpeg().await {
        return;
    }
    let folder = Folder::new();
    let film = scene(&folder).await;
    // A mistyped key is in nobody's way.
    let mut command = folder.client(&["gate", &film, "--fast"]);
    let ran = run(command.env("VIGINT_API_KEY", "short")).await;
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{ran:?}");
    let lines: Vec<&str> = ran.stdout.lines().collect();
    assert_eq!(lines[0], "default: opened scene.mkv (640x360)");
    assert_eq!(lines[1], " 0:00.0  shut  ░░░░░░░░░░ 0.00  starting");
    assert_eq!(lines[2], " 0:00.4  shut  ░░░░░░░░░░ 0.00  quiet");
    assert!(
        lines[3].contains("  open  ") && lines[3].contains("  moving, "),
        "{ran:?}"
    );
    assert!(lines[3].contains("% of the picture, "), "{ran:?}");
    let sum = lines.last().unwrap();
    assert!(sum.contains(" s seen; the gate opened "), "{ran:?}");
}

#[tokio::test]
async fn what_cannot_be_shown_ends_as_run_does() {
    let folder = Folder::new();
    for (args, code, said) in [
        (&["gate"][..], 2, "There is no source"),
        (
            &["gate", "a.mp4", "--source", "b=b.mp4"],
            2,
            "one at a time",
        ),
        (&["gate", "a.mp4", "--fast", "--loop"], 2, "--loop"),
        (&["gate", "ftp://u:hunter2@x/y"], 2, "are not read"),
        (&["gate", "absent.mp4"], 5, "absent.mp4 cannot be opened"),
    ] {
        let ran = run(&mut folder.client(args)).await;
        assert_eq!(ran.code, code, "{args:?}: {ran:?}");
        assert!(ran.stderr.contains(said), "{args:?}: {ran:?}");
        assert!(!ran.printed().contains("hunter2"), "{ran:?}");
    }
    let of_gate = run(&mut folder.client(&["gate", "absent.mp4"])).await;
    let mut as_run = folder.client(&["--source", "absent.mp4"]);
    let of_run = run(as_run.env("VIGINT_API_KEY", "a-key-of-16-chars")).await;
    assert_eq!((of_gate.code, of_gate.stderr), (of_run.code, of_run.stderr));
}

#[tokio::test]
async fn ctrl_c_ends_it_in_order_with_0() {
    if !has_ffmpeg().await {
        return;
    }
    let folder = Folder::new();
    let film = folder.film(1).await;
    let mut client = folder.client(&["gate", &film, "--loop"]).spawn().unwrap();
    let mut lines = BufReader::new(client.stdout.take().unwrap()).lines();
    let mut next = async || timeout(PATIENCE, lines.next_line()).await.unwrap().unwrap();
    assert_eq!(next().await.unwrap(), "default: opened film.mp4 (320x180)");
    let pid = client.id().unwrap().to_string();
    let told = Command::new("kill").args(["-INT", &pid]).status().await;
    assert!(told.unwrap().success());
    let mut last = String::new();
    while let Some(line) = next().await {
        last = line;
    }
    assert_eq!(last, "stopped");
    let status = timeout(PATIENCE, client.wait()).await.unwrap().unwrap();
    assert_eq!(status.code(), Some(0));
}
