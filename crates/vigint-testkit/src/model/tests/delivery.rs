use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;

use super::*;
use crate::model::Answer;

/// A connection on which a request for an answer has been sent.
fn connection(model: &ModelStandIn) -> BufReader<TcpStream> {
    let mut stream = TcpStream::connect(model.base_url().strip_prefix("http://").unwrap()).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    send(&mut stream, model, "");
    BufReader::new(stream)
}

fn send(stream: &mut TcpStream, model: &ModelStandIn, header: &str) {
    let body = gemini_request().to_string();
    let head = head(
        model,
        &format!("{header}Content-Length: {}\r\n", body.len()),
    );
    stream
        .write_all(format!("{head}{body}").as_bytes())
        .unwrap();
}

fn head(model: &ModelStandIn, headers: &str) -> String {
    let key = model.api_key();
    format!(
        "POST /v1beta/models/{SCREEN}:generateContent HTTP/1.1\r\nHost: x\r\nx-goog-api-key: {key}\r\n{headers}\r\n"
    )
}

/// Reads the head of an answer; what it says about its length.
#[track_caller]
fn read_head(stream: &mut BufReader<TcpStream>) -> (String, usize) {
    let (mut status, mut length) = (String::new(), 0);
    stream.read_line(&mut status).unwrap();
    loop {
        let mut line = String::new();
        assert!(stream.read_line(&mut line).unwrap() > 0, "the head ends");
        match line.trim_end().split_once(": ") {
            Some(("Content-Length", value)) => length = value.parse().unwrap(),
            Some(_) => {}
            None => return (status.trim_end().to_owned(), length),
        }
    }
}

/// Reads a whole answer; its body.
#[track_caller]
fn read_answer(stream: &mut BufReader<TcpStream>) -> Value {
    let (status, length) = read_head(stream);
    assert_eq!(status, "HTTP/1.1 200");
    let mut body = vec![0; length];
    stream.read_exact(&mut body).unwrap();
    serde_json::from_slice(&body).unwrap()
}

/// Whether there is nothing to read, now that another request has been answered from first to last.
#[track_caller]
fn assert_waits(stream: &BufReader<TcpStream>, model: &ModelStandIn) {
    ask_gemini(model, SCREEN, &gemini_request());
    assert!(stream.buffer().is_empty());
    stream.get_ref().set_nonblocking(true).unwrap();
    let read = stream.get_ref().peek(&mut [0]);
    stream.get_ref().set_nonblocking(false).unwrap();
    assert_eq!(read.unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
}

#[test]
fn a_held_answer_comes_when_it_is_released() {
    let model = ModelStandIn::start().unwrap();
    let gate = model.hold();
    model.script(SCREEN, [Answer::text("held").behind(&gate)]);
    let mut held = connection(&model);
    assert!(model.wait_for_requests(1, PATIENCE));
    assert_waits(&held, &model);
    gate.release();
    assert_eq!(gemini_text(&read_answer(&mut held)), "held");
    model.script(SCREEN, [Answer::text("open").behind(&gate)]);
    assert_eq!(gemini_text(&read_answer(&mut connection(&model))), "open");
}

#[test]
fn half_an_answer_is_held() {
    let model = ModelStandIn::start().unwrap();
    let gate = model.hold();
    model.script(SCREEN, [Answer::text("whole").half_behind(&gate)]);
    let mut stream = connection(&model);
    let (_, length) = read_head(&mut stream);
    let mut body = vec![0; length];
    let (first, second) = body.split_at_mut(length / 2);
    stream.read_exact(first).unwrap();
    assert_waits(&stream, &model);
    gate.release();
    stream.read_exact(second).unwrap();
    assert_eq!(
        gemini_text(&serde_json::from_slice(&body).unwrap()),
        "whole"
    );
}

#[test]
fn waiting_for_requests_that_do_not_come_ends() {
    let model = ModelStandIn::start().unwrap();
    assert!(!model.wait_for_requests(1, Duration::from_millis(1)));
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| model.wait_for_requests(2, PATIENCE));
        ask_gemini(&model, SCREEN, &gemini_request());
        ask_gemini(&model, SCREEN, &gemini_request());
        assert!(waiting.join().unwrap());
    });
}

#[test]
fn a_late_answer_comes_after_its_time() {
    let model = ModelStandIn::start().unwrap();
    let hours = Duration::from_secs(7200);
    model.script(SCREEN, [Answer::text("far too late").after(hours)]);
    let waiting = connection(&model);
    assert!(model.wait_for_requests(1, PATIENCE));
    assert_waits(&waiting, &model);
    let late = Answer::text("late").after(Duration::from_millis(1));
    model.script(SCREEN, [late]);
    let answer = ask_gemini(&model, SCREEN, &gemini_request()).json();
    assert_eq!(gemini_text(&answer), "late");
}

#[test]
fn an_answer_is_cut_half_way() {
    let model = ModelStandIn::start().unwrap();
    model.script(SCREEN, [Answer::text("never whole").cut_half_way()]);
    let mut stream = connection(&model);
    let (status, length) = read_head(&mut stream);
    let mut body = Vec::new();
    stream.read_to_end(&mut body).unwrap();
    assert_eq!(status, "HTTP/1.1 200");
    assert_eq!(body.len(), length / 2);
    assert!(body.len() > 10);
}

#[test]
fn a_connection_is_dropped_without_an_answer() {
    let model = ModelStandIn::start().unwrap();
    model.script(SCREEN, [Answer::dropped()]);
    let mut answer = Vec::new();
    connection(&model).read_to_end(&mut answer).unwrap();
    assert!(answer.is_empty());
    assert_eq!(model.request_count(), 1);
}

#[test]
fn dropping_the_stand_in_ends_all_that_hangs_and_idles() {
    let model = ModelStandIn::start().unwrap();
    model.script(SCREEN, [Answer::text("for the idle one"), Answer::hang()]);
    let mut idle = connection(&model);
    read_answer(&mut idle);
    let mut hanging = connection(&model);
    assert!(model.wait_for_requests(2, PATIENCE));
    assert_waits(&hanging, &model);
    // It is never read further, so that the stand-in is stuck in sending to it.
    model.script(SCREEN, [Answer::endless()]);
    let mut stuck = connection(&model);
    read_head(&mut stuck);
    let address = model.base_url();
    drop(model);
    for stream in [&mut idle, &mut hanging] {
        assert_eq!(stream.read(&mut [0]).unwrap(), 0, "it was ended");
    }
    let mut rest = Vec::new();
    stuck.by_ref().take(1 << 26).read_to_end(&mut rest).unwrap();
    assert!(rest.len() < 1 << 26, "it was ended");
    assert!(TcpStream::connect(address.strip_prefix("http://").unwrap()).is_err());
}

#[test]
fn a_flood_has_the_length_that_it_says() {
    let model = ModelStandIn::start().unwrap();
    model.script(SCREEN, [Answer::flood(100_000_000)]);
    let mut stream = connection(&model);
    let (_, length) = read_head(&mut stream);
    assert_eq!(length, 100_000_000);
    let read = std::io::copy(&mut stream.by_ref().take(100_000_000), &mut std::io::sink());
    assert_eq!(read.unwrap(), 100_000_000);
    send(stream.get_mut(), &model, "");
    read_answer(&mut stream);
}

#[test]
fn a_client_may_leave_an_endless_answer() {
    let model = ModelStandIn::start().unwrap();
    model.script(SCREEN, [Answer::endless()]);
    // The reader of these tests takes a megabyte.
    assert!(try_gemini(&model, SCREEN, &gemini_request()).is_err());
    assert_eq!(ask_gemini(&model, SCREEN, &gemini_request()).status, 200);
}

#[test]
fn a_connection_serves_one_request_after_the_other_until_it_is_to_close() {
    let model = ModelStandIn::start().unwrap();
    let mut stream = connection(&model);
    read_answer(&mut stream);
    send(stream.get_mut(), &model, "Connection: close\r\n");
    read_answer(&mut stream);
    assert_eq!(stream.read(&mut [0]).unwrap(), 0);
    read_answer(&mut connection(&model));
    let numbers: Vec<_> = model
        .requests()
        .iter()
        .map(|request| request.connection)
        .collect();
    assert_eq!(numbers, [0, 0, 1]);
}

#[test]
fn a_body_in_chunks_and_one_that_asks_first_are_read() {
    let model = ModelStandIn::start().unwrap();
    let mut stream = TcpStream::connect(model.base_url().strip_prefix("http://").unwrap()).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let body = gemini_request().to_string();
    let (first, second) = body.split_at(1000);
    let chunks = format!(
        "3e8;x=y\r\n{first}\r\n{:X}\r\n{second}\r\n0\r\nTrailer: x\r\n\r\n",
        second.len()
    );
    let head = head(&model, "Transfer-Encoding: chunked\r\n");
    stream
        .write_all(format!("{head}{chunks}").as_bytes())
        .unwrap();
    let mut stream = BufReader::new(stream);
    read_answer(&mut stream);
    assert_eq!(model.requests()[0].body, body.as_bytes());

    send(stream.get_mut(), &model, "Expect: 100-continue\r\n");
    assert_eq!(read_head(&mut stream).0, "HTTP/1.1 100 Continue");
    read_answer(&mut stream);
}

#[test]
fn what_is_no_request_is_answered_with_400() {
    let model = ModelStandIn::start().unwrap();
    let address = model.base_url();
    for bytes in [
        &b"\x16\x03\x01\r\n\r\n"[..],
        b"POST / HTTP/1.1\r\nContent-Length: many\r\n\r\n",
    ] {
        let mut stream = TcpStream::connect(address.strip_prefix("http://").unwrap()).unwrap();
        stream.write_all(bytes).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
    }
    assert!(model.requests().is_empty() && model.other_requests().is_empty());
}
