//! Frames on their way in, as JSON, raw and in batches.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use vigint_core::clock::ManualClock;
use vigint_testkit::programs::wait_for;

use crate::fixture::{Options, TestServer, now, parts, pictures};

/// Longer than anything takes that comes at all.
const PATIENCE: Duration = Duration::from_secs(60);

#[test]
fn a_frame_as_json_needs_only_its_data() {
    let server = TestServer::sqlite();
    let customer = server.customer("Acme");
    let data = STANDARD.encode(&pictures(1)[0]);
    for (frame_data, unknown) in [
        (data.clone(), Value::Null),
        (
            format!("data:image/jpeg;base64,{data}"),
            json!({"ignored": [1, 2]}),
        ),
    ] {
        let answer = customer.post(
            "/api/video/buffer",
            &json!({"frame_data": frame_data, "unknown": unknown, "frame_count": 7}),
        );
        assert_eq!(answer.status, 200, "{}", answer.text());
        let body = answer.json();
        assert_eq!(body["status"], "buffered");
        assert_eq!(body["frame_count"], 7);
        assert_eq!(body["source_id"], "default");
    }
    // JSON may write "/" as "\/".
    let escaped = format!(r#"{{"frame_data":"{}"}}"#, data.replace('/', r"\/"));
    let answer = customer.send("POST", "/api/video/buffer", escaped.as_bytes());
    assert_eq!(answer.status, 200, "{}", answer.text());
}

#[test]
fn a_frame_that_cannot_be_taken_is_named() {
    let server = TestServer::sqlite();
    let customer = server.customer("Acme");
    let good = STANDARD.encode(&pictures(1)[0]);
    for (body, status, code) in [
        ("{", 400, "malformed"),
        ("{}", 422, "invalid_field"),
        (r#"["/9j/"]"#, 400, "malformed"),
        (r#"{"frame_data":"%%%"}"#, 400, "malformed"),
        (r#"{"frame_data":""}"#, 422, "not_a_jpeg"),
        (
            &format!(r#"{{"frame_data":"{good}","source_id":"../x"}}"#),
            422,
            "invalid_field",
        ),
    ] {
        let answer = customer.send("POST", "/api/video/buffer", body.as_bytes());
        assert_eq!(answer.status, status, "{body:.40}: {}", answer.text());
        assert_eq!(answer.json()["code"], code, "{body:.40}");
    }
    let bearer = format!("Bearer {}", customer.key);
    let headers = [
        ("authorization", bearer.as_str()),
        ("content-type", "text/plain"),
    ];
    assert_eq!(
        server
            .request("POST", "/api/video/buffer", &headers, b"x")
            .status,
        415
    );
}

#[test]
fn a_batch_is_taken_whole_or_not_at_all() {
    let server = TestServer::sqlite();
    let customer = server.customer("Acme");
    let at = now();
    let frames: Vec<Value> = pictures(5)
        .iter()
        .zip(0_i64..)
        .map(|(jpeg, n)| {
            let at = at.plus_millis(n * 100 - 500);
            json!({"frame_data": STANDARD.encode(jpeg), "frame_count": n, "captured_at": at})
        })
        .collect();
    let mut spoilt = frames.clone();
    spoilt[3]["frame_data"] = json!("bm8ganBlZw==");
    let answer = customer.post("/api/video/buffer/batch", &json!({"frames": spoilt}));
    assert_eq!(answer.status, 422);
    assert!(
        answer.json()["error"]
            .as_str()
            .unwrap()
            .contains("frames[3]")
    );
    let sources = format!("/api/clients/{}/sources", customer.id);
    assert_eq!(customer.get(&sources).json()["sources"], json!([]));

    let answer = customer.post("/api/video/buffer/batch", &json!({"frames": frames}));
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.json()["frames_added"], 5);
    assert_eq!(answer.json()["buffer_size"], 5);
    let many = vec![frames[0].clone(); 101];
    assert_eq!(
        customer
            .post("/api/video/buffer/batch", &json!({"frames": many}))
            .status,
        413
    );
}

#[test]
fn a_batch_of_raw_pictures_is_taken_whole_or_not_at_all() {
    let server = TestServer::sqlite();
    let customer = server.customer("Acme");
    let (at, pictures) = (now(), pictures(5));
    let frames: Vec<(String, &[u8])> = pictures
        .iter()
        .zip(0_i64..)
        .map(|(jpeg, n)| {
            let at = at.plus_millis(n * 100 - 500);
            let said =
                format!("source_id=till&source_name=Till%201&frame_count={n}&captured_at={at}");
            (said, jpeg.as_slice())
        })
        .collect();
    for (said, picture, status, message) in [
        (
            frames[3].0.as_str(),
            &b"no picture"[..],
            422,
            "frames[3]: This is not a JPEG",
        ),
        ("source_id=../x", frames[3].1, 422, "frames[3]: source_id"),
        (
            "source_id=a&source_id=b",
            frames[3].1,
            400,
            "frames[3]: source_id",
        ),
        (
            "captured_at=yesterday",
            frames[3].1,
            422,
            "frames[3]: captured_at",
        ),
    ] {
        let mut spoilt = frames.clone();
        spoilt[3] = (said.to_owned(), picture);
        let answer = customer.push_parts(&spoilt);
        assert_eq!(answer.status, status, "{}", answer.text());
        let error = answer.json()["error"].as_str().unwrap().to_owned();
        assert!(error.starts_with(message), "{error}");
    }
    let whole = parts(&frames);
    let cut = customer.push_multipart(&whole[..whole.len() - 50]);
    assert_eq!(
        (cut.status, cut.json()["code"].as_str()),
        (400, Some("malformed"))
    );
    assert_eq!(customer.push_multipart(b"--x--").status, 422);
    let many = vec![frames[0].clone(); 101];
    assert_eq!(customer.push_parts(&many).status, 413);
    let sources = format!("/api/clients/{}/sources", customer.id);
    assert_eq!(customer.get(&sources).json()["sources"], json!([]));

    let answer = customer.push_multipart(&whole);
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(
        answer.json(),
        json!({"status": "buffered", "frames_added": 5, "buffer_size": 5})
    );
    let kept = customer.get(&sources).json()["sources"][0].clone();
    assert_eq!(
        (&kept["source_id"], &kept["source_name"]),
        (&json!("till"), &json!("Till 1"))
    );
    let bytes: usize = pictures.iter().map(Vec::len).sum();
    assert_eq!(
        kept["bytes"],
        json!(bytes),
        "no more is held than the pictures"
    );
}

#[test]
fn every_request_is_metered_to_its_key() {
    let server = TestServer::sqlite();
    let customer = server.customer("Acme");
    let other = server.customer("Other");
    for jpeg in pictures(3) {
        assert_eq!(customer.push("source_id=a", &jpeg).status, 200);
    }
    assert_eq!(customer.push("source_id=a", b"no").status, 422);
    let usage = customer.get("/api/usage").json();
    assert_eq!(usage["usage_count"], 4);
    assert_eq!(usage["currency"], "EUR");
    assert_eq!(usage["client_name"], "Acme");
    let statuses: Vec<i64> = usage["usage"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["status_code"].as_i64().unwrap())
        .collect();
    assert!(
        statuses.contains(&200) && statuses.contains(&422),
        "{usage}"
    );
    assert_eq!(other.get("/api/usage").json()["usage_count"], 0);
    let whoami = customer.get("/api/whoami").json();
    assert!(whoami["api_key"]["last_used_at"].is_string(), "{whoami}");
}

#[test]
fn a_source_can_be_emptied_by_its_owner() {
    let server = TestServer::sqlite();
    let customer = server.customer("Acme");
    customer.push_all("till", &pictures(3));
    let path = format!("/api/clients/{}/sources/till", customer.id);
    assert_eq!(customer.send("DELETE", &path, b"").status, 204);
    assert_eq!(customer.send("DELETE", &path, b"").status, 404);
}

#[test]
fn a_frame_without_a_number_is_the_first() {
    let server = TestServer::sqlite();
    let customer = server.customer("Acme");
    let jpeg = &pictures(1)[0];
    let as_json = json!({"frame_data": STANDARD.encode(jpeg)});
    let answers = [
        customer.post("/api/video/buffer", &as_json),
        customer.push("", jpeg),
        customer.push("frame_count=&captured_at=", jpeg),
    ];
    for answer in answers {
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert_eq!(answer.json()["frame_count"], 1);
    }
}

#[test]
fn base64_may_be_broken_into_lines() {
    let server = TestServer::sqlite();
    let customer = server.customer("Acme");
    let data = STANDARD.encode(&pictures(1)[0]);
    let lines: Vec<&str> = data
        .as_bytes()
        .chunks(76)
        .map(|line| std::str::from_utf8(line).unwrap())
        .collect();
    for frame_data in [
        lines.join("\n") + "\n",
        format!("DATA:image/jpeg;base64,{}", lines.join("\r\n ")),
    ] {
        let answer = customer.post("/api/video/buffer", &json!({"frame_data": frame_data}));
        assert_eq!(answer.status, 200, "{}", answer.text());
    }
}

#[test]
fn a_raw_frame_is_refused_without_naming_a_field_it_has_not() {
    let server = TestServer::sqlite();
    let customer = server.customer("Acme");
    let answer = customer.push("", b"no picture");
    assert_eq!(answer.json()["code"], "not_a_jpeg");
    let said = answer.json()["error"].as_str().unwrap().to_owned();
    assert!(said.starts_with("This is not a JPEG"), "{said}");
    let as_json = json!({"frame_data": STANDARD.encode("no picture")});
    let answer = customer.post("/api/video/buffer", &as_json);
    let said = answer.json()["error"].as_str().unwrap().to_owned();
    assert!(said.starts_with("frame_data: this is not a JPEG"), "{said}");
}

#[test]
fn what_is_wrong_in_the_query_of_a_raw_frame_is_named() {
    let server = TestServer::sqlite();
    let customer = server.customer("Acme");
    let jpeg = &pictures(1)[0];
    for (query, status, named) in [
        ("frame_count=seven", 422, "frame_count"),
        ("captured_at=yesterday", 422, "captured_at"),
        ("source_id=../x", 422, "source_id"),
        ("source_id=a&source_id=b", 400, "source_id"),
    ] {
        let answer = customer.push(query, jpeg);
        assert_eq!(answer.status, status, "{query}");
        let said = answer.json()["error"].as_str().unwrap().to_owned();
        assert!(said.starts_with(named), "{query}: {said}");
    }
    // The '+' of an offset is easily forgotten to be escaped.
    let at = now().timestamp().to_string();
    let at = at.replace('Z', "+00:00");
    assert_eq!(
        customer.push(&format!("captured_at={at}"), jpeg).status,
        200
    );
}

#[test]
fn a_frame_from_the_end_of_time_is_taken_at_its_arrival() {
    let server = TestServer::sqlite();
    let customer = server.customer("Acme");
    let jpeg = &pictures(1)[0];
    let answer = customer.push("captured_at=9999-12-31T23:59:59Z", jpeg);
    assert_eq!(answer.status, 200, "{}", answer.text());
    let sources = customer.get(&format!("/api/clients/{}/sources", customer.id));
    let newest = sources.json()["sources"][0]["newest_at"].clone();
    let newest: vigint_core::clock::UtcTime = serde_json::from_value(newest).unwrap();
    assert!(newest <= now(), "{newest}");
}

#[test]
fn only_a_frame_may_be_sent_as_a_picture() {
    let server = TestServer::sqlite();
    let customer = server.customer("Acme");
    let bearer = format!("Bearer {}", customer.key);
    let headers = [
        ("authorization", bearer.as_str()),
        ("content-type", "image/jpeg"),
    ];
    let json = "Send application/json";
    for (method, path, error) in [
        (
            "POST",
            "/api/video/buffer/batch",
            "Send application/json or multipart/mixed",
        ),
        ("POST", "/api/video/analyze", json),
        ("POST", "/api/video/alert", json),
        (
            "PATCH",
            "/api/incidents/0190aaaa-0000-4000-8000-000000000000",
            json,
        ),
    ] {
        let answer = server.request(method, path, &headers, b"{}");
        assert_eq!(answer.status, 415, "{path}");
        assert_eq!(answer.json()["error"], error, "{path}");
    }
}

#[test]
fn a_batch_of_more_frames_than_may_be_is_too_large_however_many_more() {
    let server = TestServer::sqlite();
    let customer = server.customer("Acme");
    for count in [101, 100_000] {
        let frames = vec![json!({"frame_data": ""}); count];
        let answer = customer.post("/api/video/buffer/batch", &json!({"frames": frames}));
        assert_eq!(answer.status, 413, "{count}: {}", answer.text());
        assert_eq!(
            answer.json()["error"],
            "frames: at most 100 frames are taken at once"
        );
    }
}

#[test]
fn a_camera_that_sends_the_same_bytes_for_a_minute_is_frozen_and_one_that_sends_none_is_silent() {
    let clock = Arc::new(ManualClock::new(now()));
    let theirs = Arc::clone(&clock);
    let server = TestServer::with(Options {
        change: Box::new(move |parts| parts.clock = theirs),
        ..Options::default()
    });
    let customer = server.customer("Acme");
    let path = format!("/api/clients/{}/sources", customer.id);
    let state = || customer.get(&path).json()["sources"][0]["camera_state"].clone();
    // The gate looks at frames behind those who push them.
    let becomes = |wanted: &str| wait_for(PATIENCE, || (state() == wanted).then_some(()));
    let frames = pictures(2);
    let push = |jpeg: &[u8]| assert_eq!(customer.push("source_id=till", jpeg).status, 200);
    for _ in 0..60 {
        push(&frames[0]);
        assert_eq!(state(), "ok");
        clock.advance(Duration::from_secs(1));
    }
    for _ in 0..10 {
        push(&frames[0]);
        clock.advance(Duration::from_secs(1));
    }
    assert_eq!(becomes("frozen"), Some(()));
    push(&frames[1]);
    assert_eq!(becomes("ok"), Some(()));
    clock.advance(Duration::from_secs(300));
    assert_eq!(state(), "silent");
}
