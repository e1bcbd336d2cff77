//! Incidents: looked through, triaged, mailed, and kept when the disk fails.

use std::time::Duration;

use serde_json::json;
use vigint_testkit::mailbox::{Mail, mails};
use vigint_testkit::programs::wait_for;

use crate::fixture::{Customer, FixedAnalyzer, TestServer, pictures};

const PATIENCE: Duration = Duration::from_secs(30);

fn incident_of(customer: &Customer) -> String {
    customer.push_all("till", &pictures(12));
    let body = customer
        .post("/api/video/analyze", &json!({"source_id": "till"}))
        .json();
    body["incident"]["id"].as_str().unwrap().to_owned()
}

fn mail_of(server: &TestServer) -> Mail {
    let outbox = server.folder().join("outbox");
    let path = wait_for(PATIENCE, || mails(&outbox).into_iter().next()).expect("a mail");
    Mail::read(&path).unwrap()
}

#[test]
fn the_mail_tells_what_where_and_when_and_links_to_the_clip() {
    let server = FixedAnalyzer::server(Ok(true), Ok(true));
    let customer = server.customer("Acme");
    incident_of(&customer);
    let mail = mail_of(&server);
    assert_eq!(mail.to, "acme@shop.example");
    assert_eq!(mail.subject, "Alert: theft, high risk, till");
    assert!(mail.text.contains("A man takes a bottle"), "{}", mail.text);
    // What the model wrote is shown, not obeyed.
    assert!(
        mail.html.contains("A man takes a bottle &#60;b&#62;"),
        "{}",
        mail.html
    );
    assert!(
        mail.text.contains("CET") || mail.text.contains("CEST"),
        "{}",
        mail.text
    );
    assert!(mail.clip_link().is_some(), "{}", mail.text);
    assert!(!mail.text.contains(&customer.key) && !mail.html.contains(&customer.key));
}

#[test]
fn frames_that_cannot_be_written_cost_the_clip_but_not_the_mail() {
    let server = FixedAnalyzer::server(Ok(true), Ok(true));
    let customer = server.customer("Acme");
    // A file stands where the client's folder would be.
    std::fs::write(server.folder().join(format!("clips/{}", customer.id)), b"").unwrap();
    let id = incident_of(&customer);
    let mail = mail_of(&server);
    assert_eq!(mail.clip_link(), None);
    assert!(
        mail.text
            .contains("Without video: it could not be made or kept."),
        "{}",
        mail.text
    );
    let incident = customer.get(&format!("/api/incidents/{id}")).json();
    assert_eq!(incident["clip"]["state"], "failed");
    assert_eq!(incident["video_url"], json!(null));
    let clip = customer.get(&format!("/api/incidents/{id}/clip"));
    assert_eq!(
        (clip.status, clip.json()["code"].clone()),
        (404, json!("no_clip"))
    );
    assert_eq!(
        customer.get("/api/health").json()["checks"]["clips"],
        "failing"
    );
}

#[test]
fn a_person_triages_within_the_allowed_steps() {
    let server = FixedAnalyzer::server(Ok(true), Ok(true));
    let customer = server.customer("Acme");
    let other = server.customer("Other");
    let path = format!("/api/incidents/{}", incident_of(&customer));
    let patch =
        |body: &serde_json::Value| customer.send("PATCH", &path, body.to_string().as_bytes());
    let noted = patch(&json!({"note": "who is this?"}));
    assert_eq!(noted.status, 200, "{}", noted.text());
    assert_eq!(noted.json()["status"], "new");
    assert_eq!(noted.json()["note"], "who is this?");
    let done = patch(&json!({"status": "acknowledged", "note": "seen by Ana"}));
    assert_eq!(done.status, 200, "{}", done.text());
    assert_eq!(done.json()["status"], "acknowledged");
    assert_eq!(done.json()["note"], "seen by Ana");
    assert_eq!(patch(&json!({"status": "new"})).status, 422);
    assert_eq!(patch(&json!({})).status, 422);
    let body = json!({"status": "dismissed"}).to_string();
    assert_eq!(other.send("PATCH", &path, body.as_bytes()).status, 404);
    assert_eq!(customer.get(&path).json()["status"], "acknowledged");
}

#[test]
fn an_alarm_by_hand_says_that_nobody_judged_it() {
    let server = TestServer::sqlite();
    let customer = server.customer("Acme");
    let alarm = customer.post(
        "/api/video/alert",
        &json!({"analysis": "Someone at the till", "risk_level": "high"}),
    );
    assert_eq!(alarm.status, 200, "{}", alarm.text());
    assert_eq!(alarm.json()["success"], true);
    assert_eq!(alarm.json()["status"], "queued");
    assert_eq!(alarm.json()["to"], "acme@shop.example");
    let mail = mail_of(&server);
    assert_eq!(
        mail.subject,
        "Alert: raised by the camera program, not checked by Vigint, default"
    );
    let heading = "Alarm raised by the camera program, not checked by Vigint";
    assert!(mail.text.starts_with(heading), "{}", mail.text);
    assert_eq!(mail.text.matches("Someone at the till").count(), 1);
    for bad in [
        json!({}),
        json!({"analysis": "x".repeat(4001)}),
        json!({"analysis": "\u{0000} \u{202E}\u{0007}"}),
        json!({"analysis": "x", "risk_level": "dire"}),
    ] {
        assert_eq!(customer.post("/api/video/alert", &bad).status, 422);
    }
}
