//! Refusals that come before the body is read: on a raw connection, with a body that never comes.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use crate::fixture::{Options, TestServer};

/// Sends a head and nothing more; returns the first line of the answer, and whether the server then closed.
fn head_only(server: &TestServer, head: &str) -> (String, bool) {
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
    (first.trim().to_owned(), closed)
}

#[test]
fn a_frame_with_a_bad_key_is_refused_before_its_body_comes() {
    let server = TestServer::sqlite();
    for key in ["", "Authorization: Bearer not-a-key-of-anybody\n"] {
        let head = format!(
            "POST /api/video/buffer HTTP/1.1\nHost: x\n{key}Content-Type: image/jpeg\nContent-Length: 100000\n\n"
        );
        let (first, closed) = head_only(&server, &head);
        assert_eq!(first, "HTTP/1.1 401 Unauthorized");
        assert!(closed, "what never came must not be waited for");
    }
}

#[test]
fn a_sender_that_asks_first_is_refused_instead_of_told_to_go_on() {
    let server = TestServer::sqlite();
    let head = "POST /api/video/buffer HTTP/1.1\nHost: x\nAuthorization: Bearer not-a-key-of-anybody\nExpect: 100-continue\nContent-Length: 100000\n\n";
    let (first, closed) = head_only(&server, head);
    assert_eq!(first, "HTTP/1.1 401 Unauthorized");
    assert!(closed);
}

#[test]
fn a_sender_with_a_good_key_is_told_to_go_on() {
    let server = TestServer::sqlite();
    let customer = server.customer("Acme");
    let mut stream = TcpStream::connect(server.address()).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(20)))
        .unwrap();
    let jpeg = vigint_testkit::scene::noise_frame(1, 160, 90);
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
    let (first, closed) = head_only(&server, &head);
    assert_eq!(first, "HTTP/1.1 413 Payload Too Large");
    assert!(closed);
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
    let (first, closed) = head_only(&server, &head);
    assert_eq!(first, "HTTP/1.1 408 Request Timeout");
    assert!(closed);
}
