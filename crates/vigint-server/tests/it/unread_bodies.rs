//! Refusals that come before the body is read: on a raw connection, with a body that never comes.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use vigint_db::usage::UsageQuery;
use vigint_testkit::scene::noise_frame;

use crate::fixture::{Customer, Options, TestServer};

/// What came back for a head and nothing more.
struct Refusal {
    /// The first line of the answer.
    first: String,
    /// Its other lines.
    rest: String,
    /// Whether the server then closed.
    closed: bool,
}

impl Refusal {
    fn header(&self, name: &str) -> &str {
        let lines = self.rest.lines();
        lines
            .filter_map(|line| line.split_once(": "))
            .find(|(found, _)| found.eq_ignore_ascii_case(name))
            .map_or("", |(_, value)| value)
    }
}

fn head_only(server: &TestServer, head: &str) -> Refusal {
    let mut stream = TcpStream::connect(server.address()).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(20)))
        .unwrap();
    stream
        .write_all(head.replace('\n', "\r\n").as_bytes())
        .unwrap();
    let mut reader = BufReader::new(stream);
    let mut first = String::new();
    reader.read_line(&mut first).unwrap();
    let mut rest = Vec::new();
    let closed = reader.read_to_end(&mut rest).is_ok();
    Refusal {
        first: first.trim().to_owned(),
        rest: String::from_utf8(rest).unwrap(),
        closed,
    }
}

#[test]
fn a_frame_with_a_bad_key_is_refused_before_its_body_comes() {
    let server = TestServer::sqlite();
    for key in ["", "Authorization: Bearer not-a-key-of-anybody\n"] {
        let head = format!(
            "POST /api/video/buffer HTTP/1.1\nHost: x\n{key}Content-Type: image/jpeg\nContent-Length: 100000\n\n"
        );
        let refusal = head_only(&server, &head);
        assert_eq!(refusal.first, "HTTP/1.1 401 Unauthorized");
        assert!(refusal.closed, "what never came must not be waited for");
    }
}

#[test]
fn a_sender_that_asks_first_is_refused_instead_of_told_to_go_on() {
    let server = TestServer::sqlite();
    let customer = server.customer("Acme");
    let good = format!("Bearer {}", customer.key);
    let bad = "Bearer not-a-key-of-anybody";
    let mut ids = std::collections::HashSet::new();
    for (key, request, length, status, code) in [
        (
            bad,
            "POST /api/video/buffer",
            100_000,
            "401 Unauthorized",
            "",
        ),
        (
            &good,
            "POST /api/video/buffer",
            99_999_999,
            "413 Payload Too Large",
            "too_large",
        ),
        (
            &good,
            "POST /no/such/path",
            10,
            "404 Not Found",
            "not_found",
        ),
        (bad, "POST /no/such/path", 10, "404 Not Found", "not_found"),
        (
            &good,
            "PUT /api/video/buffer",
            10,
            "405 Method Not Allowed",
            "method_not_allowed",
        ),
    ] {
        let head = format!(
            "{request} HTTP/1.1\nHost: x\nAuthorization: {key}\nExpect: 100-continue\nContent-Length: {length}\n\n"
        );
        let refusal = head_only(&server, &head);
        assert_eq!(refusal.first, format!("HTTP/1.1 {status}"), "{request}");
        assert!(refusal.closed, "{request}");
        let id = refusal.header("x-request-id").to_owned();
        assert!(
            id.len() == 36 && ids.insert(id),
            "{request}: {}",
            refusal.rest
        );
        assert!(refusal.rest.contains(code), "{request}: {}", refusal.rest);
        if status.starts_with("401") {
            let challenge = r#"Bearer error="invalid_token""#;
            assert_eq!(refusal.header("www-authenticate"), challenge);
        }
        if status.starts_with("405") {
            assert_eq!(refusal.header("allow"), "POST");
        }
    }
    // What is refused early is counted like any answer to a good key.
    let usage = customer.get("/api/usage").json();
    let statuses: Vec<_> = usage["usage"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["status_code"].as_i64().unwrap())
        .collect();
    assert_eq!(usage["usage_count"], 2, "{usage}");
    assert!(
        statuses.contains(&413) && statuses.contains(&405),
        "{usage}"
    );
}

#[test]
fn an_admin_request_is_refused_before_its_body_comes_whether_it_asks_first_or_not() {
    let key = "the-operators-own-secret-of-42";
    let with_key = TestServer::with(Options {
        config: format!("[Admin]\napi_key = {key}\n"),
        ..Options::default()
    });
    let without = TestServer::sqlite();
    let shown = format!("X-Admin-Key: {key}\n");
    let cases = [
        (&with_key, "", "401 Unauthorized", "Admin key required"),
        (
            &with_key,
            "X-Admin-Key: x\n",
            "401 Unauthorized",
            "Invalid admin key",
        ),
        (
            &with_key,
            &shown,
            "405 Method Not Allowed",
            "method_not_allowed",
        ),
        (&without, "", "404 Not Found", "not_found"),
        (&without, &shown, "404 Not Found", "not_found"),
    ];
    // A connection that is closed by its server takes its time: all at once.
    std::thread::scope(|scope| {
        for asks in ["", "Expect: 100-continue\n"] {
            for (server, header, status, error) in cases {
                scope.spawn(move || {
                    let head = format!(
                        "POST /metrics HTTP/1.1\nHost: x\n{header}{asks}Content-Length: 1000\n\n"
                    );
                    let refusal = head_only(server, &head);
                    assert_eq!(refusal.first, format!("HTTP/1.1 {status}"), "{head}");
                    assert!(refusal.rest.contains(error), "{head}: {}", refusal.rest);
                    assert!(refusal.closed, "{head}");
                });
            }
        }
    });
}

#[test]
fn a_path_in_another_spelling_is_told_to_go_on_like_the_plain_one() {
    let server = TestServer::sqlite();
    let customer = server.customer("Acme");
    let mut stream = TcpStream::connect(server.address()).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(20)))
        .unwrap();
    let head = format!(
        "POST /api/%76ideo/alert HTTP/1.1\r\nHost: x\r\nX-API-Key: {}\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n",
        customer.key
    );
    stream.write_all(head.as_bytes()).unwrap();
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line).unwrap();
    assert_eq!(line, "HTTP/1.1 100 Continue\r\n");
}

#[test]
fn a_sender_with_a_good_key_is_told_to_go_on() {
    let server = TestServer::sqlite();
    let customer = server.customer("Acme");
    let mut stream = TcpStream::connect(server.address()).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(20)))
        .unwrap();
    let jpeg = noise_frame(1, 160, 90);
    let head = format!(
        "POST /api/video/buffer HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\nContent-Type: image/jpeg\r\nExpect: 100-continue\r\nContent-Length: {}\r\n\r\n",
        customer.key,
        jpeg.len()
    );
    stream.write_all(head.as_bytes()).unwrap();
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut line = String::new();
    reader.read_line(&mut line).unwrap();
    assert_eq!(line, "HTTP/1.1 100 Continue\r\n");
    stream.write_all(&jpeg).unwrap();
    line.clear();
    reader.read_line(&mut line).unwrap();
    line.clear();
    reader.read_line(&mut line).unwrap();
    assert_eq!(line, "HTTP/1.1 200 OK\r\n");
}

#[test]
fn a_body_over_its_bound_is_refused_unread() {
    let server = TestServer::sqlite();
    let customer = server.customer("Acme");
    let head = format!(
        "POST /api/video/buffer HTTP/1.1\nHost: x\nAuthorization: Bearer {}\nContent-Type: image/jpeg\nContent-Length: 99999999\n\n",
        customer.key
    );
    let refusal = head_only(&server, &head);
    assert_eq!(refusal.first, "HTTP/1.1 413 Payload Too Large");
    assert!(refusal.closed);
}

#[test]
fn a_sender_that_stops_in_the_middle_is_not_waited_for() {
    let server = TestServer::with(Options {
        change: Box::new(|parts| parts.body_patience = Duration::from_millis(50)),
        ..Options::default()
    });
    let customer = server.customer("Acme");
    let head = format!(
        "POST /api/video/buffer HTTP/1.1\nHost: x\nAuthorization: Bearer {}\nContent-Type: image/jpeg\nContent-Length: 1000\n\nhalf of it",
        customer.key
    );
    let refusal = head_only(&server, &head);
    assert_eq!(refusal.first, "HTTP/1.1 408 Request Timeout");
    assert!(refusal.closed);
}

/// How many bytes were metered, by status.
fn metered(server: &TestServer, customer: &Customer) -> Vec<(i32, i64)> {
    // Whoever asks for their usage has it written down first.
    assert_eq!(customer.get("/api/usage").status, 200);
    let all = UsageQuery::default();
    let page = server
        .db()
        .read(|conn| vigint_db::usage::list(conn, &customer.tenant, &all))
        .unwrap();
    let rows = page.rows.iter();
    rows.map(|row| (row.status_code, row.bytes_in)).collect()
}

fn push_chunked(server: &TestServer, customer: &Customer, jpeg: &[u8]) {
    let mut stream = TcpStream::connect(server.address()).unwrap();
    let head = format!(
        "POST /api/video/buffer HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX-API-Key: {}\r\nContent-Type: image/jpeg\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n",
        customer.key,
        jpeg.len()
    );
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(jpeg).unwrap();
    stream.write_all(b"\r\n0\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
}

fn announced_is_not_counted(server: &TestServer) {
    let customer = server.customer("Acme");
    let head = format!(
        "POST /api/video/buffer HTTP/1.1\nHost: x\nX-API-Key: {}\nContent-Type: image/jpeg\nContent-Length: 9223372036854775807\n\n",
        customer.key
    );
    for _ in 0..2 {
        let refusal = head_only(server, &head);
        assert_eq!(refusal.first, "HTTP/1.1 413 Payload Too Large");
    }
    let jpeg = noise_frame(1, 160, 90);
    assert_eq!(customer.push("", &jpeg).status, 200);
    push_chunked(server, &customer, &jpeg);
    let both = i64::try_from(jpeg.len() * 2).unwrap();
    let metered = metered(server, &customer);
    assert!(metered.contains(&(413, 0)), "{metered:?}");
    assert!(metered.contains(&(200, both)), "{metered:?}");
}

#[test]
fn only_bytes_that_were_read_are_metered_on_sqlite() {
    announced_is_not_counted(&TestServer::sqlite());
}

#[test]
fn only_bytes_that_were_read_are_metered_on_postgres() {
    if let Some(server) = TestServer::postgres_with(Options::default()) {
        announced_is_not_counted(&server);
    }
}

#[test]
fn bodies_that_are_announced_and_never_come_shut_nobody_out() {
    let server = TestServer::sqlite();
    let mut waiting = Vec::new();
    for name in ["A", "B", "C", "D"] {
        let customer = server.customer(name);
        for _ in 0..4 {
            let mut stream = TcpStream::connect(server.address()).unwrap();
            let head = format!(
                "POST /api/video/buffer/batch HTTP/1.1\r\nHost: x\r\nX-API-Key: {}\r\nContent-Type: application/json\r\nExpect: 100-continue\r\nContent-Length: 33554432\r\n\r\n",
                customer.key
            );
            stream.write_all(head.as_bytes()).unwrap();
            // Told to go on: its share is taken.
            let mut line = String::new();
            BufReader::new(stream.try_clone().unwrap())
                .read_line(&mut line)
                .unwrap();
            assert_eq!(line, "HTTP/1.1 100 Continue\r\n");
            waiting.push(stream);
        }
    }
    let customer = server.customer("Acme");
    let answer = customer.push("", &noise_frame(1, 160, 90));
    assert_eq!(answer.status, 200, "{}", answer.text());
}

#[test]
fn a_change_of_protocol_is_refused_and_nothing_behind_it_is_read() {
    let server = TestServer::sqlite();
    let customer = server.customer("Acme");
    for length in ["", "Content-Length: 10\n"] {
        let head = format!(
            "POST /api/video/buffer/batch HTTP/1.1\nHost: x\nX-API-Key: {}\nConnection: Upgrade\nUpgrade: WebSocket\n{length}\n{{\"frames\":[",
            customer.key
        );
        let refusal = head_only(&server, &head);
        assert_eq!(refusal.first, "HTTP/1.1 400 Bad Request");
        assert!(refusal.rest.contains("malformed"), "{}", refusal.rest);
        assert!(refusal.closed);
    }
}

#[test]
fn a_chunked_body_that_is_not_read_to_its_end_ends_the_connection() {
    let server = TestServer::with(Options {
        change: Box::new(|parts| parts.body_patience = Duration::from_millis(50)),
        ..Options::default()
    });
    let customer = server.customer("Acme");
    let good = customer.key.as_str();
    for (key, request, rest, status) in [
        ("bad", "POST /api/video/buffer", "", "401 Unauthorized"),
        (
            "bad",
            "POST /api/video/buffer",
            "Expect: 100-continue\n",
            "401 Unauthorized",
        ),
        (good, "POST /no/such/path", "", "404 Not Found"),
        (good, "POST /api/health", "", "405 Method Not Allowed"),
        (good, "GET /api/whoami", "", "200 OK"),
        (good, "POST /api/video/buffer", "", "408 Request Timeout"),
    ] {
        let head = format!(
            "{request} HTTP/1.1\nHost: x\nX-API-Key: {key}\nTransfer-Encoding: chunked\n{rest}\n5\nhello\n"
        );
        let refusal = head_only(&server, &head);
        assert_eq!(refusal.first, format!("HTTP/1.1 {status}"), "{request}");
        assert!(refusal.closed, "{request}: {status}");
    }
}
