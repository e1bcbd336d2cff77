//! What was acknowledged survives the worst end.

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use vigint_testkit::mailbox::{first_mail, mails};
use vigint_testkit::programs::{self, ServerProcess};
use vigint_testkit::scene::Scene;

use crate::fixture::send;

fn create_client(folder: &Path) -> String {
    let output = programs::run(
        "vigint-admin",
        folder,
        &[
            "create",
            "--name",
            "Acme",
            "--email",
            "security@acme.example",
            "--json",
        ],
    );
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let created: Value = serde_json::from_slice(&output.stdout).unwrap();
    created["api_key"].as_str().unwrap().to_owned()
}

#[test]
fn an_acknowledged_incident_gets_its_clip_and_its_mail_after_kill_nine() {
    let folder = tempfile::tempdir().unwrap();
    let server = ServerProcess::start(folder.path(), &[]);
    let key = create_client(folder.path());
    let bearer = format!("Bearer {key}");
    let call = |server: &ServerProcess, method: &str, path: &str, kind: &str, body: &[u8]| {
        let headers = [("authorization", bearer.as_str()), ("content-type", kind)];
        send(server.url(), method, path, &headers, body)
    };

    // The eight seconds around the visit, ending now.
    let visit = Scene::visit();
    let from = visit.start.saturating_sub(Duration::from_secs(3));
    let frames: Vec<_> = Scene::default()
        .frames()
        .filter(|frame| frame.at >= from && frame.at < from + Duration::from_secs(8))
        .collect();
    let last = frames.last().unwrap().at;
    let now = crate::fixture::now();
    for frame in &frames {
        let at = now - (last - frame.at);
        let path = format!("/api/video/buffer?captured_at={at}");
        assert_eq!(
            call(&server, "POST", &path, "image/jpeg", &frame.jpeg).status,
            200
        );
    }
    let answer = call(
        &server,
        "POST",
        "/api/video/analyze",
        "application/json",
        b"{}",
    );
    assert_eq!(answer.status, 200, "{}", answer.text());
    let incident = answer.json()["incident"]["id"].clone();
    assert!(incident.is_string(), "{}", answer.text());
    server.kill_nine();
    let outbox = folder.path().join("vigint-data/outbox");
    assert!(
        mails(&outbox).is_empty(),
        "the mail was faster: this shows nothing of a restart"
    );

    let server = ServerProcess::start(folder.path(), &[]);
    let mail = first_mail(folder.path(), Duration::from_secs(60)).unwrap();
    assert_eq!(mail.to, "security@acme.example");
    let link = mail
        .clip_link()
        .unwrap_or_else(|| panic!("no link in {}", mail.text));
    assert!(link.contains("/video/"));
    let path = format!("/api/incidents/{}", incident.as_str().unwrap());
    let kept = call(&server, "GET", &path, "", b"").json();
    assert_eq!(kept["clip"]["state"], "ready", "{kept}");
    let clip = call(&server, "GET", &format!("{path}/clip"), "", b"");
    assert_eq!(clip.status, 200);
    let usage = call(&server, "GET", "/api/usage", "", b"").json();
    let rows = usage["usage"].as_array().unwrap();
    assert!(
        rows.iter()
            .any(|row| row["endpoint"] == json!("/api/video/analyze")),
        "{usage}"
    );
    assert!(server.stop().success());
}
