//! What of `deploy/vigint-client.service` can drift from the program.

use crate::program::{Folder, Ran, has_ffmpeg, run};
use crate::scripted_server::{Reply, ScriptedServer};

const UNIT: &str = include_str!("../../../../deploy/vigint-client.service");

/// What stands after `NAME=`, wherever it is given.
fn values(name: &str) -> Vec<&'static str> {
    let lines = UNIT.lines();
    lines
        .filter_map(|line| line.strip_prefix(name)?.strip_prefix('='))
        .collect()
}

/// Whether the service stays ended after this exit code (systemd.service(5), `Restart=`).
fn ends_for_good(code: i32) -> bool {
    assert_eq!(values("Restart"), ["on-failure"]);
    let listed = values("RestartPreventExitStatus");
    let mut listed = listed.iter().flat_map(|codes| codes.split(' '));
    code == 0 || listed.any(|listed| listed.parse() == Ok(code))
}

/// As the service starts it, with this `.env`.
async fn run_with(folder: &Folder, env_file: &str) -> Ran {
    folder.write(".env", env_file);
    let command = values("ExecStart");
    let arguments: Vec<_> = command[0].split(' ').skip(1).collect();
    run(&mut folder.client(&arguments)).await
}

#[tokio::test]
async fn the_service_stops_at_what_does_not_mend_by_itself_and_goes_on_at_all_else() {
    let folder = Folder::new();
    // Nobody has said which camera.
    let ran = run_with(&folder, "").await;
    assert!(ran.stderr.contains("There is no source"), "{}", ran.stderr);
    assert!(ends_for_good(ran.code), "{}", ran.code);

    let key = format!("vgt_{}", "0".repeat(60));
    let mistyped = format!("VIGINT_API_KEY={key}\nVIGINT_SOURCE=gone.mp4\n");
    let ran = run_with(&folder, &mistyped).await;
    assert!(ran.stderr.contains("mistyped"), "{}", ran.stderr);
    assert!(ends_for_good(ran.code), "{}", ran.code);

    let ran = run_with(&folder, "VIGINT_SOURCE=gone.mp4\n").await;
    assert!(ran.code > 0 && !ends_for_good(ran.code), "{}", ran.code);
    assert!(!ends_for_good(4), "the server may come back");
}

/// Started again it would do the same again: try the camera for ever, or send the film and have it charged anew.
#[tokio::test]
async fn the_service_does_once_what_comes_to_an_end() {
    if !has_ffmpeg().await {
        return;
    }
    let folder = Folder::new();
    let film = folder.film(1).await;
    let ran = run_with(&folder, &format!("VIGINT_SOURCE={film}\n")).await;
    assert!(ran.stderr.contains("No API key provided"), "{}", ran.stderr);
    assert!(ends_for_good(ran.code), "{}", ran.code);

    let server = ScriptedServer::start(Reply::of_vigint).await;
    let url = server.url();
    let with_key = format!(
        "VIGINT_SOURCE={film}\nVIGINT_API_KEY=a-key-of-16-chars\nVIGINT_SERVER_URL={url}\n"
    );
    let ran = run_with(&folder, &with_key).await;
    assert!(!server.frames().is_empty(), "{ran:?}");
    assert!(ends_for_good(ran.code), "{}", ran.code);
}

#[test]
fn the_service_is_started_again_soon_at_first_and_then_more_rarely() {
    let seconds = |name: &str| values(name)[0].parse::<u32>().unwrap();
    assert!(seconds("RestartSec") <= 5);
    assert!(seconds("RestartMaxDelaySec") > seconds("RestartSec"));
    assert!(seconds("RestartMaxDelaySec") <= 60);
    assert!(seconds("RestartSteps") > 0, "else it is never more rarely");
    assert_eq!(values("StartLimitIntervalSec"), ["0"], "it never gives up");
}

#[test]
fn the_service_may_read_cameras_at_the_machine_and_nothing_of_its_users() {
    assert_eq!(values("SupplementaryGroups"), ["video"]);
    assert_eq!(values("DeviceAllow"), ["char-video4linux rw"]);
    assert_eq!(values("ProtectHome"), ["yes"]);
    assert_eq!(values("ProtectSystem"), ["strict"]);
    assert_eq!(values("NoNewPrivileges"), ["yes"]);
    assert_eq!(values("User"), ["vigint-client"], "not root");
}
