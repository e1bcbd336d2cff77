//! What of `deploy/vigint-server.service` and `deploy/Dockerfile` can drift from the program.

use std::process::Command;
use std::time::Duration;

use vigint_testkit::programs::ServerProcess;

const UNIT: &str = include_str!("../../../../deploy/vigint-server.service");
const DOCKERFILE: &str = include_str!("../../../../deploy/Dockerfile");

/// The longest that a stopped server finishes what runs (`cli-and-config.md`).
const STOP: Duration = Duration::from_secs(30);

fn value(name: &str) -> &'static str {
    let mut lines = UNIT.lines();
    lines
        .find_map(|line| line.strip_prefix(name)?.strip_prefix('='))
        .unwrap_or_else(|| panic!("no {name}"))
}

#[test]
fn the_service_is_given_the_time_to_stop_well() {
    let seconds = value("TimeoutStopSec").parse().unwrap();
    assert!(Duration::from_secs(seconds) > STOP);
}

#[test]
fn the_service_writes_into_its_own_folder_only() {
    let folder = format!("/var/lib/{}", value("StateDirectory"));
    assert_eq!(value("WorkingDirectory"), folder);
    assert_eq!(value("ProtectSystem"), "strict");
    assert_eq!(value("ExecStart"), "/usr/local/bin/vigint-server serve");
    assert_eq!(
        value("Environment"),
        "VIGINT_CONFIG_PATH=/etc/vigint/config.ini"
    );
}

/// The words after `CMD` of the line that docker asks the health by.
fn health_check() -> Vec<String> {
    let lines = DOCKERFILE.lines().map(str::trim_start);
    let mut after = lines.skip_while(|line| !line.starts_with("HEALTHCHECK"));
    let words = after.find_map(|line| line.strip_prefix("CMD "));
    serde_json::from_str(words.expect("no HEALTHCHECK")).unwrap()
}

#[test]
fn docker_sees_a_healthy_server_and_one_that_is_gone() {
    let folder = tempfile::tempdir().unwrap();
    let server = ServerProcess::start(folder.path(), &[]);
    let port = server.url().rsplit(':').next().unwrap().to_owned();
    let words = health_check();
    let ask = || {
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]).env("PORT", &port);
        command.output().unwrap()
    };
    let healthy = ask();
    let said = String::from_utf8_lossy(&healthy.stderr);
    assert!(healthy.status.success(), "{said}");
    server.kill_nine();
    assert!(!ask().status.success());
}
