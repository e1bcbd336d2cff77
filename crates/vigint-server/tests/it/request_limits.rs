//! How often a caller with a good key may ask: every limit, by a clock that stands still.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use vigint_core::clock::ManualClock;
use vigint_core::key::ApiKey;
use vigint_core::random::SystemRandom;
use vigint_db::keys::NewKey;

use crate::fixture::{Answer, Customer, Options, TestServer, now, pictures};

const ADMIN_KEY: &str = "the-operators-own-secret-of-42";

/// What a server is told, and the clock that it goes by.
fn options(limits: &str) -> (Options, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::new(now()));
    let theirs = Arc::clone(&clock);
    let options = Options {
        config: format!("[Admin]\napi_key = {ADMIN_KEY}\n[Limits]\n{limits}"),
        change: Box::new(move |parts| parts.clock = theirs),
    };
    (options, clock)
}

/// Runs on both databases.
fn on_both(limits: &str, test: fn(&TestServer, &ManualClock)) {
    let (on_sqlite, clock) = options(limits);
    test(&TestServer::with(on_sqlite), &clock);
    let (on_postgres, clock) = options(limits);
    if let Some(server) = TestServer::postgres_with(on_postgres) {
        test(&server, &clock);
    }
}

fn is_told_to_wait(answer: &Answer, seconds: &str) {
    let too_many = r#"{"error":"Too many requests","code":"rate_limited"}"#;
    assert_eq!((answer.status, answer.text().as_str()), (429, too_many));
    assert_eq!(answer.header("retry-after"), seconds);
}

fn limited(server: &TestServer, limit: &str) -> u64 {
    let metrics = server.request("GET", "/metrics", &[("x-admin-key", ADMIN_KEY)], b"");
    let text = metrics.text();
    let begin = format!("vigint_limited_total{{limit=\"{limit}\"}} ");
    let count = text.lines().find_map(|line| line.strip_prefix(&begin));
    count.unwrap().parse().unwrap()
}

/// The same client with another key.
fn with_another_key(server: &TestServer, customer: &Customer) -> String {
    let key = ApiKey::generate(&SystemRandom);
    let new = NewKey {
        hash: key.hash(),
        prefix: key.shown_prefix().to_owned(),
        name: "second".to_owned(),
        expires_at: None,
    };
    let made = server
        .db()
        .write(|conn| vigint_db::keys::create(conn, &customer.tenant, &new, now()));
    made.unwrap();
    key.reveal().to_owned()
}

fn batch(frames: usize) -> Value {
    let picture = STANDARD.encode(&pictures(1)[0]);
    json!({"frames": vec![json!({"frame_data": picture}); frames]})
}

#[test]
fn a_key_that_asks_too_often_waits_and_no_other_does() {
    on_both("requests_per_second = 2\nburst = 4\n", |server, clock| {
        let (one, other) = (server.customer("One"), server.customer("Other"));
        let second = with_another_key(server, &one);
        for path in [
            "/api/whoami",
            "/api/usage",
            "/api/incidents/x",
            "/api/whoami",
        ] {
            assert_ne!(one.get(path).status, 429, "{path}");
        }
        is_told_to_wait(&one.get("/api/whoami"), "1");
        is_told_to_wait(&one.push("", &pictures(1)[0]), "1");
        let headers = [("x-api-key", second.as_str())];
        assert_eq!(
            server.request("GET", "/api/whoami", &headers, b"").status,
            200
        );
        assert_eq!(other.get("/api/whoami").status, 200);
        assert_eq!(limited(server, "requests"), 2);
        clock.advance(Duration::from_millis(500));
        assert_eq!(one.get("/api/whoami").status, 200);
        is_told_to_wait(&one.get("/api/whoami"), "1");
        // Its own meter has them.
        clock.advance(Duration::from_secs(9));
        let usage = one.get("/api/usage").json();
        let refused = usage["usage"].as_array().unwrap().iter();
        let refused = refused.filter(|row| row["status_code"] == 429);
        assert_eq!(
            refused
                .map(|row| row["requests"].as_i64().unwrap())
                .sum::<i64>(),
            3
        );
        // Nobody's key is nobody's allowance.
        for _ in 0..9 {
            assert_eq!(server.request("GET", "/api/health", &[], b"").status, 200);
            let headers = [("x-admin-key", ADMIN_KEY)];
            assert_eq!(server.request("GET", "/metrics", &headers, b"").status, 200);
        }
    });
}

#[test]
fn frames_of_a_batch_count_like_requests_and_are_taken_all_or_none() {
    let (options, clock) = options("requests_per_second = 1\nburst = 6\n");
    let server = TestServer::with(options);
    let customer = server.customer("Acme");
    let path = "/api/video/buffer/batch";
    assert_eq!(customer.post(path, &batch(4)).json()["frames_added"], 4);
    // One for the request is there; three more for its frames are not.
    is_told_to_wait(&customer.post(path, &batch(4)), "2");
    assert_eq!(limited(&server, "requests"), 1);
    clock.advance(Duration::from_secs(3));
    assert_eq!(customer.post(path, &batch(4)).json()["frames_added"], 4);
    // More than there can ever be takes all there can be.
    clock.advance(Duration::from_secs(6));
    assert_eq!(customer.post(path, &batch(20)).json()["frames_added"], 20);
    is_told_to_wait(&customer.get("/api/whoami"), "1");
    // Raw ones alike.
    clock.advance(Duration::from_secs(6));
    let picture = &pictures(1)[0];
    let raw = vec![(String::new(), picture.as_slice()); 4];
    assert_eq!(customer.push_parts(&raw).json()["frames_added"], 4);
    is_told_to_wait(&customer.push_parts(&raw), "2");
}

#[test]
fn a_client_with_too_many_analyses_waits_whatever_its_key_and_nothing_else_does() {
    on_both("analyses_per_minute = 2\n", |server, clock| {
        let (one, other) = (server.customer("One"), server.customer("Other"));
        let analyze = "/api/video/analyze";
        for _ in 0..2 {
            assert_eq!(one.post(analyze, &json!({})).status, 409);
        }
        is_told_to_wait(&one.post(analyze, &json!({})), "30");
        let second = with_another_key(server, &one);
        let headers = [("x-api-key", second.as_str())];
        is_told_to_wait(&server.request("POST", analyze, &headers, b""), "30");
        assert_eq!(limited(server, "analyses"), 2);
        assert_eq!(other.post(analyze, &json!({})).status, 409);
        assert_eq!(one.get("/api/whoami").status, 200);
        assert_eq!(one.push("", &pictures(1)[0]).status, 200);
        clock.advance(Duration::from_secs(30));
        assert_eq!(one.post(analyze, &json!({})).status, 409);
        is_told_to_wait(&one.post(analyze, &json!({})), "30");
    });
}

#[test]
fn a_client_that_raises_too_many_alarms_waits_and_may_still_have_analyses() {
    on_both("alerts_per_minute = 3\n", |server, clock| {
        let (one, other) = (server.customer("One"), server.customer("Other"));
        let alarm = || json!({"analysis": "A man climbs the fence."});
        for _ in 0..3 {
            assert_eq!(one.post("/api/video/alert", &alarm()).status, 200);
        }
        is_told_to_wait(&one.post("/api/video/alert", &alarm()), "20");
        assert_eq!(limited(server, "alerts"), 1);
        assert_eq!(other.post("/api/video/alert", &alarm()).status, 200);
        assert_eq!(one.post("/api/video/analyze", &json!({})).status, 409);
        clock.advance(Duration::from_secs(20));
        assert_eq!(one.post("/api/video/alert", &alarm()).status, 200);
    });
}

/// The first line that a server answers to this head, whose body does not come.
fn first_line(server: &TestServer, head: &str) -> String {
    let mut stream = TcpStream::connect(server.address()).unwrap();
    let patience = Some(Duration::from_secs(20));
    stream.set_read_timeout(patience).unwrap();
    stream.write_all(head.as_bytes()).unwrap();
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap();
        answer.push(byte[0]);
    }
    String::from_utf8(answer).unwrap().trim().to_owned()
}

#[test]
fn a_request_over_its_limit_is_refused_unread_and_one_that_asks_first_counts_once() {
    let (options, _) = options("requests_per_second = 1\nburst = 3\n");
    let server = TestServer::with(options);
    let customer = server.customer("Acme");
    let head = |expect: &str| {
        format!(
            "POST /api/video/buffer HTTP/1.1\r\nHost: x\r\nX-API-Key: {}\r\nContent-Type: image/jpeg\r\n{expect}Content-Length: 9\r\n\r\n",
            customer.key
        )
    };
    let asking = head("Expect: 100-continue\r\n");
    assert_eq!(first_line(&server, &asking), "HTTP/1.1 100 Continue");
    assert_eq!(first_line(&server, &asking), "HTTP/1.1 100 Continue");
    assert_eq!(first_line(&server, &asking), "HTTP/1.1 100 Continue");
    let refused = "HTTP/1.1 429 Too Many Requests";
    assert_eq!(first_line(&server, &asking), refused);
    assert_eq!(first_line(&server, &head("")), refused);
}
