//! HTTP/1.1 messages (RFC 9112) put together from a connection's bytes as they pass. Only bodies of a stated length are
//! understood: Vigint's programs send each other no others.

use std::io;

/// A longer head is none.
const MAX_HEAD: usize = 64 << 10;
/// A longer body is none of ours: the server takes 32 MiB.
const MAX_BODY: usize = 48 << 20;

/// A request or an answer, whole.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Message {
    /// `POST /path HTTP/1.1` or `HTTP/1.1 200 OK`.
    pub(super) first_line: String,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
}

impl Message {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        header(&self.headers, name)
    }

    /// The word of this place in the first line.
    pub(super) fn word(&self, index: usize) -> &str {
        self.first_line.split(' ').nth(index).unwrap_or_default()
    }
}

/// What has passed of the next message.
#[derive(Debug, Default)]
pub(super) struct Messages {
    buffer: Vec<u8>,
}

impl Messages {
    /// More bytes; returns the messages that are whole with them.
    pub(super) fn take(&mut self, bytes: &[u8]) -> io::Result<Vec<Message>> {
        self.buffer.extend_from_slice(bytes);
        let mut messages = Vec::new();
        while let Some(message) = self.next()? {
            messages.push(message);
        }
        Ok(messages)
    }

    fn next(&mut self) -> io::Result<Option<Message>> {
        let Some(end) = head_end(&self.buffer) else {
            let is_too_long = self.buffer.len() > MAX_HEAD;
            return if is_too_long {
                Err(malformed("a head is too long"))
            } else {
                Ok(None)
            };
        };
        let (first_line, headers) = parse_head(&self.buffer[..end]);
        if header(&headers, "transfer-encoding").is_some() {
            return Err(malformed("a body is sent in chunks"));
        }
        let length = header(&headers, "content-length").map_or(Ok(0), str::parse);
        let length: usize = length.map_err(|_| malformed("a length is no number"))?;
        if length > MAX_BODY {
            return Err(malformed("a body is too long"));
        }
        let whole = end + 4 + length;
        if self.buffer.len() < whole {
            return Ok(None);
        }
        let body = self.buffer[end + 4..whole].to_vec();
        self.buffer.drain(..whole);
        Ok(Some(Message {
            first_line,
            headers,
            body,
        }))
    }
}

/// Where the blank line begins that ends a head.
pub(super) fn head_end(bytes: &[u8]) -> Option<usize> {
    bytes.windows(4).position(|bytes| bytes == b"\r\n\r\n")
}

/// The first line, and name and value of each header.
pub(super) fn parse_head(head: &[u8]) -> (String, Vec<(String, String)>) {
    let head = String::from_utf8_lossy(head).into_owned();
    let mut lines = head.split("\r\n");
    let first_line = lines.next().unwrap_or_default().to_owned();
    let headers = lines.filter_map(|line| line.split_once(':'));
    let headers = headers.map(|(name, value)| (name.to_owned(), value.trim().to_owned()));
    (first_line, headers.collect())
}

/// The first header of this name.
pub(super) fn header<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
    let mut headers = headers.iter();
    let found = headers.find(|(found, _)| found.eq_ignore_ascii_case(name));
    found.map(|(_, value)| value.as_str())
}

fn malformed(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_come_whole_however_their_bytes_come() {
        let bytes = b"POST /a HTTP/1.1\r\nContent-Length: 3\r\n\r\nxyzGET /b HTTP/1.1\r\n\r\n";
        for size in 1..bytes.len() {
            let mut messages = Messages::default();
            let all: Vec<Message> = bytes
                .chunks(size)
                .flat_map(|chunk| messages.take(chunk).unwrap())
                .collect();
            assert_eq!(all.len(), 2, "in pieces of {size}");
            assert_eq!(
                (all[0].word(1), all[0].body.as_slice()),
                ("/a", &b"xyz"[..])
            );
            assert_eq!((all[1].word(0), all[1].body.len()), ("GET", 0));
        }
    }

    #[test]
    fn what_cannot_be_followed_is_an_error() {
        let mut messages = Messages::default();
        assert!(
            messages
                .take(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
                .is_err()
        );
    }
}
