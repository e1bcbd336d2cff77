//! The earlier Python client, unchanged: the calls it makes, from as many threads, and what it reads.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use crate::fixture::{FixedAnalyzer, pictures};

#[test]
fn it_works_against_this_server() {
    let server = FixedAnalyzer::server(Ok(true), Ok(true));
    let customer = server.customer("Acme");
    assert_eq!(server.request("GET", "/api/health", &[], b"").status, 200);
    assert_eq!(customer.get("/api/usage").status, 200);

    // It gives each frame a thread of its own; they arrive in any order.
    let frames: Vec<String> = pictures(24)
        .iter()
        .map(|jpeg| STANDARD.encode(jpeg))
        .collect();
    std::thread::scope(|threads| {
        for (count, frame_data) in frames.iter().enumerate() {
            let customer = &customer;
            threads.spawn(move || {
                let body = json!({"frame_data": frame_data, "frame_count": count});
                let answer = customer.post("/api/video/buffer", &body);
                assert_eq!(answer.status, 200, "{}", answer.text());
                assert_eq!(answer.json()["status"], "buffered");
            });
        }
    });

    let answer = customer.post("/api/video/analyze", &json!({}));
    assert_eq!(answer.status, 200, "{}", answer.text());
    let body = answer.json();
    assert_eq!(body["has_security_incident"], true);
    assert!(body["analysis"].is_string());
    assert!(body["risk_level"].is_string());
    assert!(body["frame_count"].is_i64());
    assert!(body["incident_type"].is_string());

    let alarm = customer.post(
        "/api/video/alert",
        &json!({
            "analysis": body["analysis"],
            "incident_type": body["incident_type"],
            "risk_level": body["risk_level"],
            "frame_count": body["frame_count"],
        }),
    );
    assert_eq!(alarm.status, 200, "{}", alarm.text());
    assert_eq!(alarm.json()["success"], true);
}
