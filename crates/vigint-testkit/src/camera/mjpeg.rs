//! A camera that shows JPEGs over HTTP, one part of `multipart/x-mixed-replace` each. Who reads slowly misses some.

use std::io;

use tokio::net::TcpStream;

use super::counter;
use super::garbage::Garbage;
use super::picture;
use super::request::{RequestReader, answer, write};
use super::state::{Condition, Shared, Viewer};

/// Where its pictures are.
pub(crate) const PATH: &str = "/video";

/// Serves one connection to its end.
pub(crate) async fn serve(shared: &Shared, mut stream: TcpStream) -> io::Result<()> {
    let (mut incoming, mut outgoing) = stream.split();
    let mut reader = RequestReader::default();
    loop {
        let Some(request) = reader.next(&mut incoming).await? else {
            return Ok(());
        };
        shared.thawed().await;
        let refusal = match shared.admits(&request) {
            Err(challenge) => {
                let headers = [
                    ("WWW-Authenticate", challenge.as_str()),
                    ("Content-Length", "0"),
                ];
                answer("HTTP/1.1 401 Unauthorized", &headers, "")
            }
            Ok(())
                if !request.target.ends_with(PATH)
                    || shared.now().condition == Condition::NotFound =>
            {
                answer("HTTP/1.1 404 Not Found", &[("Content-Length", "0")], "")
            }
            Ok(()) => break,
        };
        write(&mut outgoing, &refusal).await?;
    }
    let headers = [
        (
            "Content-Type",
            "multipart/x-mixed-replace; boundary=picture",
        ),
        ("Connection", "close"),
    ];
    write(&mut outgoing, &answer("HTTP/1.1 200 OK", &headers, "")).await?;
    let _viewer = Viewer::new(shared);
    let mut garbage = Garbage::new();
    let mut numbers = shared.numbers.subscribe();
    loop {
        tokio::select! {
            hung_up = reader.next(&mut incoming) => {
                if hung_up?.is_none() {
                    return Ok(());
                }
            }
            changed = numbers.changed() => {
                if changed.is_err() {
                    return Ok(());
                }
                let number = *numbers.borrow_and_update();
                let state = shared.now();
                let part = match state.condition {
                    Condition::Frozen => continue,
                    Condition::Garbage => garbage.bytes(),
                    _ => {
                        shared.note_shown();
                        part(&picture::jpeg(state.size, number % counter::NUMBERS))
                    }
                };
                write(&mut outgoing, &part).await?;
            }
        }
    }
}

fn part(jpeg: &[u8]) -> Vec<u8> {
    let length = jpeg.len();
    let head = format!("--picture\r\nContent-Type: image/jpeg\r\nContent-Length: {length}\r\n\r\n");
    [head.as_bytes(), jpeg, b"\r\n"].concat()
}
