//! Many connections at once, on the real program with few descriptors.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::time::Duration;

use serde_json::Value;
use vigint_testkit::mailbox::first_mail;
use vigint_testkit::programs::{self, ServerProcess};
use vigint_testkit::scene::noise_frame;

/// Sends one request on a connection that stays open, and reads the answer: its first line and its body.
fn ask(stream: &mut TcpStream, head: &str, body: &[u8]) -> (String, String) {
    let head = format!(
        "{head}\r\nHost: x\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(body).unwrap();
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        match line.trim() {
            "" => break,
            line => lines.push(line.to_ascii_lowercase()),
        }
    }
    let length = lines
        .iter()
        .find_map(|line| line.strip_prefix("content-length: "))
        .unwrap();
    let mut body = vec![0; length.parse().unwrap()];
    reader.read_exact(&mut body).unwrap();
    (lines[0].clone(), String::from_utf8(body).unwrap())
}

fn create_client(folder: &Path) -> String {
    let create = [
        "create",
        "--name",
        "Acme",
        "--email",
        "a@acme.example",
        "--json",
    ];
    let output = programs::run("vigint-admin", folder, &create);
    let created: Value = serde_json::from_slice(&output.stdout).unwrap();
    created["api_key"].as_str().unwrap().to_owned()
}

#[test]
fn connections_without_a_key_leave_the_descriptors_that_evidence_needs() {
    let folder = tempfile::tempdir().unwrap();
    let program = programs::path("vigint-server").display().to_string();
    // The lower limit is the one the server raises.
    let script = "ulimit -S -n 64 && ulimit -H -n 200 && exec \"$0\" \"$@\"";
    let server = ServerProcess::start_program(
        Path::new("/bin/sh"),
        folder.path(),
        &["-c", script, &program],
    )
    .unwrap();
    let key = create_client(folder.path());
    let address = server.url().strip_prefix("http://").unwrap();
    let mut camera = TcpStream::connect(address).unwrap();
    camera
        .set_read_timeout(Some(Duration::from_secs(60)))
        .unwrap();
    let whoami = format!("GET /api/whoami HTTP/1.1\r\nX-API-Key: {key}");
    assert_eq!(ask(&mut camera, &whoami, b"").0, "http/1.1 200 ok");

    // As many as the server takes and the system keeps waiting: more would have to knock again.
    let crowd: Vec<TcpStream> = (0..170)
        .map(|_| TcpStream::connect(address).unwrap())
        .collect();
    let push =
        format!("POST /api/video/buffer HTTP/1.1\r\nX-API-Key: {key}\r\nContent-Type: image/jpeg");
    for seed in 0..5 {
        let pushed = ask(&mut camera, &push, &noise_frame(seed, 160, 90));
        assert_eq!(pushed.0, "http/1.1 200 ok", "{}", pushed.1);
    }
    let alarm = format!(
        "POST /api/video/alert HTTP/1.1\r\nX-API-Key: {key}\r\nContent-Type: application/json"
    );
    let raised = ask(
        &mut camera,
        &alarm,
        br#"{"analysis":"A man takes a bottle."}"#,
    );
    assert_eq!(
        raised.0,
        "http/1.1 200 ok",
        "{}\n{}",
        raised.1,
        server.log()
    );
    first_mail(folder.path(), Duration::from_secs(60)).unwrap();
    assert!(
        !server.log().contains("Too many open files"),
        "{}",
        server.log()
    );
    drop(crowd);
}

#[test]
fn what_is_no_http_leaves_no_line_in_the_log() {
    let folder = tempfile::tempdir().unwrap();
    let server = ServerProcess::start(folder.path(), &[]);
    let address = server.url().strip_prefix("http://").unwrap();
    for hostile in [
        "no http at all\r\n\r\n",
        "GET / HTTP/1.1\r\n\r\n",
        "POST /api/video/buffer HTTP/1.1\r\nHost: x\r\nContent-Length: x\r\n\r\n",
    ] {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.write_all(hostile.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 400 "), "{hostile}: {answer}");
    }
    assert!(!server.log().contains("ERROR"), "{}", server.log());
    assert!(server.stop().success());
}
