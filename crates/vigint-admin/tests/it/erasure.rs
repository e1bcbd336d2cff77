//! `delete`: what goes at once, and what a server removes.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Command, Stdio};
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
    assert_eq!(
        (&said.json()["files"], &said.json()["bytes"]),
        (&2.into(), &8.into())
    );
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

#[test]
fn rows_that_are_gone_are_reported_though_a_reader_holds_the_log() {
    let shell = Shell::new();
    let (id, _) = shell.create("Acme");
    let reader = Command::new("sqlite3")
        .arg(shell.database())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn();
    let Ok(mut reader) = reader else {
        eprintln!("\n*** SKIPPED: this test needs sqlite3 (sudo apt-get install -y sqlite3) ***\n");
        return;
    };
    let mut typed = reader.stdin.take().unwrap();
    let mut shown = BufReader::new(reader.stdout.take().unwrap());
    writeln!(typed, "BEGIN; SELECT count(*) FROM clients;").unwrap();
    // What it shows was read inside a transaction that goes on.
    let mut count = String::new();
    shown.read_line(&mut count).unwrap();
    assert_eq!(count.trim(), "1");

    let said = shell.run(&["delete", "--client-id", &id.to_string(), "--yes", "--json"]);
    assert_eq!(said.code, 0, "{}", said.err);
    assert_eq!(said.json()["api_keys"], 1);
    assert!(
        said.err.contains("Warning: for a while yet"),
        "{}",
        said.err
    );
    assert!(said.err.contains("No server is running"), "{}", said.err);
    drop(typed);
    assert!(reader.wait().unwrap().success());
}
