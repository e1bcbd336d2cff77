//! `delete`: what goes at once, and what a server removes.

use std::time::Duration;

use vigint_testkit::programs::{ServerProcess, wait_for};

use crate::shell::Shell;

/// A clip's folder and a mail, as a server would have left them.
fn leave_files(shell: &Shell, client: i64) -> [std::path::PathBuf; 2] {
    let clips = shell.folder().join(format!("vigint-data/clips/{client}"));
    std::fs::create_dir_all(&clips).unwrap();
    std::fs::write(
        clips.join("0190aaaa-0000-4000-8000-000000000000.mp4"),
        b"film",
    )
    .unwrap();
    let outbox = shell.folder().join("vigint-data/outbox");
    std::fs::create_dir_all(&outbox).unwrap();
    let mail = outbox.join(format!(
        "20261122T154003Z-c{client}-0190aaaa-0000-4000-8000-000000000000.eml"
    ));
    std::fs::write(&mail, b"mail").unwrap();
    [clips, mail]
}

#[test]
fn a_running_server_removes_the_files_before_the_command_returns() {
    let shell = Shell::new();
    let server = ServerProcess::start(shell.folder(), &[]);
    let (id, key) = shell.create("Acme");
    let (other, others_key) = shell.create("Other");
    let gone = leave_files(&shell, id);
    let kept = leave_files(&shell, other);
    let said = shell.run(&["delete", "--client-id", &id.to_string(), "--yes", "--json"]);
    assert_eq!(said.code, 0, "{}", said.err);
    assert_eq!(said.json()["files_erased"], true, "{}", said.err);
    assert_eq!(said.json()["api_keys"], 1);
    assert!(gone.iter().all(|path| !path.exists()));
    assert!(kept.iter().all(|path| path.exists()));
    assert!(!shell.lets_in(&key) && shell.lets_in(&others_key));
    assert!(server.stop().success());
}

#[test]
fn without_a_server_the_files_go_when_one_starts() {
    let shell = Shell::new();
    let (id, _) = shell.create("Acme");
    let gone = leave_files(&shell, id);
    let said = shell.run(&["delete", "--client-id", &id.to_string(), "--yes"]);
    assert_eq!(said.code, 0, "{}", said.err);
    assert!(said.err.contains("No server is running"), "{}", said.err);
    assert!(gone.iter().all(|path| path.exists()));
    let _server = ServerProcess::start(shell.folder(), &[]);
    let are_gone = || gone.iter().all(|path| !path.exists()).then_some(());
    assert!(wait_for(Duration::from_secs(20), are_gone).is_some());
}
