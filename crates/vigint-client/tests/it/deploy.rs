//! What of `deploy/vigint-client.service` can drift from the program.

use crate::program::{Folder, run};

const UNIT: &str = include_str!("../../../../deploy/vigint-client.service");

/// What stands after `NAME=`, wherever it is given.
fn values(name: &str) -> Vec<&'static str> {
    let lines = UNIT.lines();
    lines
        .filter_map(|line| line.strip_prefix(name)?.strip_prefix('='))
        .collect()
}

#[tokio::test]
async fn the_service_stops_at_what_does_not_mend_by_itself_and_goes_on_at_all_else() {
    let exits = values("RestartPreventExitStatus");
    assert_eq!(values("Restart"), ["always"]);
    let stops = |code: i32| {
        let codes = exits.iter().flat_map(|codes| codes.split(' '));
        codes.map(str::parse).any(|listed| listed == Ok(code))
    };
    // As the service starts it, with an empty `.env`: nobody has said which camera.
    let command = values("ExecStart");
    let arguments: Vec<_> = command[0].split(' ').skip(1).collect();
    let folder = Folder::new();
    let ran = run(&mut folder.client(&arguments)).await;
    assert!(ran.stderr.contains("There is no source"), "{}", ran.stderr);
    assert!(stops(ran.code), "{}", ran.code);

    let key = format!("vgt_{}", "0".repeat(60));
    folder.write(
        ".env",
        &format!("VIGINT_API_KEY={key}\nVIGINT_SOURCE=gone.mp4\n"),
    );
    let ran = run(&mut folder.client(&arguments)).await;
    assert!(ran.stderr.contains("mistyped"), "{}", ran.stderr);
    assert!(stops(ran.code), "{}", ran.code);

    folder.write(".env", "VIGINT_SOURCE=gone.mp4\n");
    let ran = run(&mut folder.client(&arguments)).await;
    assert!(ran.code > 0 && !stops(ran.code), "{}", ran.code);
    assert!(!stops(4), "the server may come back");
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
