//! Analyses over HTTP: the table of verdicts as a customer sees it.

use serde_json::json;
use vigint_server::analysis::AnalyzerError;

use crate::fixture::{FixedAnalyzer, TestServer, pictures};

#[test]
fn a_confirmed_incident_has_all_the_contract_names() {
    let server = FixedAnalyzer::server(Ok(true), Ok(true));
    let customer = server.customer("Acme");
    customer.push_all("till", &pictures(30));
    let answer = customer.post("/api/video/analyze", &json!({"source_id": "till"}));
    assert_eq!(answer.status, 200, "{}", answer.text());
    let body = answer.json();
    assert_eq!(body["verdict"], "confirmed");
    assert_eq!(body["has_security_incident"], true);
    assert_eq!(body["incident_type"], "theft");
    assert_eq!(body["risk_level"], "HIGH");
    assert_eq!(body["confirmation"], "confirmed");
    assert_eq!(body["frame_count"], 29);
    assert_eq!(body["client_email"], "acme@shop.example");
    assert_eq!(body["skipped"], json!(null));
    assert_eq!(body["usage"]["cost"], 0.03);
    assert_eq!(body["stages"].as_array().unwrap().len(), 2);
    assert_eq!(body["incident"]["is_new"], true);
    let id = body["incident"]["id"].as_str().unwrap();
    assert!(body["incident"]["url"].as_str().unwrap().ends_with(id));
    assert!(
        body["incident"]["video_url"]
            .as_str()
            .unwrap()
            .contains("/video/")
    );
    let usage = customer.get("/api/usage").json();
    assert_eq!(usage["total_cost"], 0.03);
}

#[test]
fn later_detections_extend_the_open_incident_and_send_no_second_mail() {
    let server = FixedAnalyzer::server(Ok(true), Ok(true));
    let customer = server.customer("Acme");
    customer.push_all("till", &pictures(10));
    let analyze = || {
        customer
            .post("/api/video/analyze", &json!({"source_id": "till"}))
            .json()
    };
    let first = analyze();
    let second = analyze();
    assert_eq!(second["incident"]["is_new"], false);
    assert_eq!(second["incident"]["id"], first["incident"]["id"]);
    // Earlier clients raise an alarm of their own after every positive analysis.
    let alarm = customer.post(
        "/api/video/alert",
        &json!({"analysis": "theft!", "source_id": "till"}),
    );
    assert_eq!(alarm.status, 200, "{}", alarm.text());
    assert_eq!(alarm.json()["status"], "merged");
    assert_eq!(alarm.json()["incident_id"], first["incident"]["id"]);
    let list = customer.get("/api/incidents").json();
    assert_eq!(list["incidents"].as_array().unwrap().len(), 1);
    assert_eq!(list["incidents"][0]["occurrences"], 3);
}

#[test]
fn a_veto_is_no_incident_but_is_kept_for_review() {
    let server = FixedAnalyzer::server(Ok(true), Ok(false));
    let customer = server.customer("Acme");
    customer.push_all("till", &pictures(5));
    let body = customer
        .post("/api/video/analyze", &json!({"source_id": "till"}))
        .json();
    assert_eq!(body["verdict"], "vetoed");
    assert_eq!(body["has_security_incident"], false);
    assert_eq!(body["risk_level"], "LOW");
    assert_eq!(body["incident"], json!(null));
    assert_eq!(body["incident_type"], "");
    assert_eq!(
        customer.get("/api/incidents").json()["incidents"],
        json!([])
    );
    let vetoed = customer.get("/api/incidents?status=vetoed").json();
    assert_eq!(vetoed["incidents"].as_array().unwrap().len(), 1);
}

#[test]
fn a_failed_confirmation_alerts_as_unconfirmed() {
    let failed = AnalyzerError::Failed("nothing".to_owned());
    let server = FixedAnalyzer::server(Ok(true), Err(failed));
    let customer = server.customer("Acme");
    customer.push_all("till", &pictures(5));
    let body = customer
        .post("/api/video/analyze", &json!({"source_id": "till"}))
        .json();
    assert_eq!(body["verdict"], "unconfirmed");
    assert_eq!(body["has_security_incident"], true);
    assert_eq!(body["confirmation"], "unavailable");
}

#[test]
fn a_failed_screen_is_an_error_that_health_knows_of() {
    for (failure, status, code) in [
        (
            AnalyzerError::Failed("nothing".to_owned()),
            502,
            "analyzer_failed",
        ),
        (
            AnalyzerError::Unavailable {
                reason: "quota".to_owned(),
                retry_after: Some(std::time::Duration::from_secs(21)),
            },
            503,
            "analyzer_unavailable",
        ),
    ] {
        let server = FixedAnalyzer::server(Err(failure), Ok(true));
        let customer = server.customer("Acme");
        customer.push_all("till", &pictures(5));
        let answer = customer.post("/api/video/analyze", &json!({"source_id": "till"}));
        assert_eq!(answer.status, status);
        assert_eq!(answer.json()["code"], code);
        if status == 503 {
            assert_eq!(answer.header("retry-after"), "21");
        }
        let health = customer.get("/api/health").json();
        assert_eq!(health["status"], "degraded");
        assert_eq!(health["checks"]["analyzer"], "failing");
        assert_eq!(
            customer.get("/api/incidents").json()["incidents"],
            json!([])
        );
    }
}

#[test]
fn nothing_moved_costs_nothing() {
    let server = TestServer::sqlite();
    let customer = server.customer("Acme");
    let still = vigint_testkit::scene::still_frame();
    customer.push_all("till", &vec![still; 40]);
    let body = customer
        .post("/api/video/analyze", &json!({"source_id": "till"}))
        .json();
    assert_eq!(body["verdict"], "clear");
    assert_eq!(body["skipped"], "no_motion");
    assert_eq!(body["frames_analyzed"], 0);
    assert_eq!(body["usage"]["cost"], 0.0);
    assert_eq!(body["confirmation"], "not_needed");
}

#[test]
fn the_earlier_clients_body_and_no_body_mean_the_default_source() {
    let server = FixedAnalyzer::server(Ok(false), Ok(false));
    let customer = server.customer("Acme");
    customer.push_all("default", &pictures(3));
    for body in [&b""[..], b"{}", b"null"] {
        let answer = customer.send("POST", "/api/video/analyze", body);
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert_eq!(answer.json()["source_id"], "default");
    }
    let other = customer.post("/api/video/analyze", &json!({"source_id": "nothing-here"}));
    assert_eq!(
        (other.status, other.json()["code"].clone()),
        (409, json!("no_frames"))
    );
}
