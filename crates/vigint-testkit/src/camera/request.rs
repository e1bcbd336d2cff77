//! Requests of RTSP (RFC 2326) and HTTP/1.1 read from a connection, between them what RTSP's clients say about packets;
//! and answers to them.

use std::fmt::Write as _;
use std::io;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::time::timeout;

/// A longer head is no request.
const MAX_HEAD: usize = 64 << 10;
/// Who does not read for so long is gone.
const WRITE_LIMIT: Duration = Duration::from_secs(30);

/// A request without its body.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) headers: Vec<(String, String)>,
}

impl Request {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        let found = headers.find(|(found, _)| found.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }
}

/// What was read of a connection and not yet used.
#[derive(Debug, Default)]
pub(crate) struct RequestReader {
    buffer: Vec<u8>,
}

impl RequestReader {
    /// The next request; `None` when the client has hung up. Loses nothing when it is dropped before its end.
    pub(crate) async fn next(
        &mut self,
        stream: &mut (impl AsyncRead + Unpin),
    ) -> io::Result<Option<Request>> {
        loop {
            if let Some(request) = self.take()? {
                return Ok(Some(request));
            }
            if stream.read_buf(&mut self.buffer).await? == 0 {
                return Ok(None);
            }
        }
    }

    fn take(&mut self) -> io::Result<Option<Request>> {
        // Reports about the packets, framed as these are.
        while let [b'$', _, high, low, ..] = self.buffer[..] {
            let length = 4 + usize::from(u16::from_be_bytes([high, low]));
            if self.buffer.len() < length {
                return Ok(None);
            }
            self.buffer.drain(..length);
        }
        let end = self
            .buffer
            .windows(4)
            .position(|bytes| bytes == b"\r\n\r\n");
        let Some(end) = end else {
            let is_too_long = self.buffer.len() > MAX_HEAD;
            return if is_too_long {
                Err(malformed())
            } else {
                Ok(None)
            };
        };
        let head = String::from_utf8_lossy(&self.buffer[..end]).into_owned();
        let mut lines = head.split("\r\n");
        let mut words = lines.next().unwrap_or_default().split(' ');
        let (Some(method), Some(target)) = (words.next(), words.next()) else {
            return Err(malformed());
        };
        let headers = lines.filter_map(|line| line.split_once(':'));
        let request = Request {
            method: method.to_owned(),
            target: target.to_owned(),
            headers: headers
                .map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned()))
                .collect(),
        };
        let body = request.header("content-length").unwrap_or("0");
        let body: usize = body.parse().map_err(|_| malformed())?;
        if body > MAX_HEAD {
            return Err(malformed());
        }
        if self.buffer.len() < end + 4 + body {
            return Ok(None);
        }
        self.buffer.drain(..end + 4 + body);
        Ok(Some(request))
    }
}

/// The head of an answer, and its body.
pub(crate) fn answer(status: &str, headers: &[(&str, &str)], body: &str) -> Vec<u8> {
    let mut answer = format!("{status}\r\n");
    for (name, value) in headers {
        // Writing to a String cannot fail.
        let _ = write!(answer, "{name}: {value}\r\n");
    }
    answer.push_str("\r\n");
    answer.push_str(body);
    answer.into_bytes()
}

/// Writes all of it, or gives up on who does not read.
pub(crate) async fn write(stream: &mut (impl AsyncWrite + Unpin), bytes: &[u8]) -> io::Result<()> {
    let written = timeout(WRITE_LIMIT, stream.write_all(bytes)).await;
    written.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}

fn malformed() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "this is no request")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn reports_and_bodies_between_requests_are_passed_over() {
        let bytes = b"$\x01\x00\x03abcOPTIONS rtsp://cam/ RTSP/1.0\r\nCSeq: 1\r\nContent-Length: 2\r\n\r\nxy$\x01\x00\x00TEARDOWN rtsp://cam/ RTSP/1.0\r\ncseq:2\r\n\r\n";
        let mut reader = RequestReader::default();
        let mut stream = &bytes[..];
        let first = reader.next(&mut stream).await.unwrap().unwrap();
        assert_eq!(
            (first.method.as_str(), first.header("cseq")),
            ("OPTIONS", Some("1"))
        );
        let second = reader.next(&mut stream).await.unwrap().unwrap();
        assert_eq!(
            (second.method.as_str(), second.header("CSeq")),
            ("TEARDOWN", Some("2"))
        );
        assert!(reader.next(&mut stream).await.unwrap().is_none());
    }
}
