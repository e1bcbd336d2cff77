//! HTTP/1.1 on one connection (RFC 9112): a request read to its end, the head of an answer. It must not
//! know what is asked.

use std::fmt::Write as _;
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;

/// A longer head is no request.
const MAX_HEAD: u64 = 64 << 10;
const MAX_HEADERS: usize = 100;
/// So much of a body that is too large is read, so that who sends it comes to read the answer.
const MAX_DRAINED: u64 = 1 << 30;

/// A request as it came.
#[derive(Debug, Default)]
pub(crate) struct HttpRequest {
    pub(crate) method: String,
    /// Path and query.
    pub(crate) target: String,
    pub(crate) headers: Vec<(String, String)>,
    /// Empty when it was longer than allowed.
    pub(crate) body: Vec<u8>,
    /// How long it was.
    pub(crate) body_length: u64,
    pub(crate) closes_connection: bool,
}

/// An answer with all its bytes.
#[derive(Clone, Debug)]
pub(crate) struct HttpAnswer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl HttpAnswer {
    pub(crate) fn json(status: u16, body: &serde_json::Value) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: body.to_string().into_bytes(),
        }
    }

    /// The lines before the body. JSON is what it is unless its headers say otherwise.
    pub(crate) fn head(&self, framing: &str) -> String {
        let mut head = format!("HTTP/1.1 {} \r\n{framing}\r\n", self.status);
        let names_type = |(name, _): &(String, String)| name.eq_ignore_ascii_case("content-type");
        if !self.headers.iter().any(names_type) {
            head.push_str("Content-Type: application/json; charset=UTF-8\r\n");
        }
        for (name, value) in &self.headers {
            // Writing to a String cannot fail.
            let _ = write!(head, "{name}: {value}\r\n");
        }
        head.push_str("\r\n");
        head
    }
}

/// Reads the next request; `None` when the client has hung up. An error of kind `InvalidData` says that it
/// was no HTTP.
pub(crate) fn read_request(
    stream: &mut BufReader<TcpStream>,
    body_limit: usize,
) -> io::Result<Option<HttpRequest>> {
    let Some(head) = read_head(stream)? else {
        return Ok(None);
    };
    let mut slots = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut parsed = httparse::Request::new(&mut slots);
    if !parsed.parse(&head).is_ok_and(|status| status.is_complete()) {
        return Err(malformed("this is no HTTP request"));
    }
    let text = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
    let headers = parsed.headers.iter();
    let mut request = HttpRequest {
        method: parsed.method.unwrap_or_default().to_owned(),
        target: parsed.path.unwrap_or_default().to_owned(),
        headers: headers
            .map(|header| (header.name.to_owned(), text(header.value)))
            .collect(),
        closes_connection: parsed.version == Some(0),
        ..HttpRequest::default()
    };
    let says = |name: &str, word: &str| {
        find(&request.headers, name).is_some_and(|value| value.eq_ignore_ascii_case(word))
    };
    let closes_connection = request.closes_connection || says("connection", "close");
    if says("expect", "100-continue") {
        stream
            .get_mut()
            .write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
    }
    let mut body = Body {
        bytes: Vec::new(),
        length: 0,
        limit: body_limit,
    };
    if says("transfer-encoding", "chunked") {
        read_chunks(stream, &mut body)?;
    } else if let Some(length) = find(&request.headers, "content-length") {
        let length = length.parse().map_err(|_| malformed("no Content-Length"))?;
        body.read(stream, length)?;
    }
    request.closes_connection = closes_connection;
    request.body = body.bytes;
    request.body_length = body.length;
    Ok(Some(request))
}

/// The first header of this name.
pub(crate) fn find<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
    headers
        .iter()
        .find(|(found, _)| found.eq_ignore_ascii_case(name))
        .map(|(_, value)| value.as_str())
}

fn read_head(stream: &mut BufReader<TcpStream>) -> io::Result<Option<Vec<u8>>> {
    let mut head = Vec::new();
    loop {
        let room = MAX_HEAD.saturating_sub(count_of(head.len()));
        let read = stream.by_ref().take(room).read_until(b'\n', &mut head)?;
        match read {
            0 if head.is_empty() => return Ok(None),
            0 => return Err(malformed("the head of a request is too long or cut off")),
            _ if head.ends_with(b"\r\n\r\n") => return Ok(Some(head)),
            _ => {}
        }
    }
}

fn read_chunks(stream: &mut BufReader<TcpStream>, body: &mut Body) -> io::Result<()> {
    loop {
        let line = read_line(stream)?;
        let size = line.split(';').next().unwrap_or_default().trim();
        let size = u64::from_str_radix(size, 16).map_err(|_| malformed("no size of a chunk"))?;
        if size == 0 {
            // What may follow the last chunk is of no use to us.
            while !read_line(stream)?.is_empty() {}
            return Ok(());
        }
        body.read(stream, size)?;
        if !read_line(stream)?.is_empty() {
            return Err(malformed("a chunk is longer than it says"));
        }
    }
}

fn read_line(stream: &mut BufReader<TcpStream>) -> io::Result<String> {
    let mut line = String::new();
    stream.by_ref().take(MAX_HEAD).read_line(&mut line)?;
    match line.strip_suffix("\r\n") {
        Some(line) => Ok(line.to_owned()),
        None => Err(malformed("a line is too long or cut off")),
    }
}

struct Body {
    bytes: Vec<u8>,
    length: u64,
    limit: usize,
}

impl Body {
    /// Takes the next bytes, and lets go of all once they are too many.
    fn read(&mut self, stream: &mut BufReader<TcpStream>, count: u64) -> io::Result<()> {
        self.length = self.length.saturating_add(count);
        let mut incoming = stream.by_ref().take(count);
        let read = if self.length <= count_of(self.limit) {
            incoming.read_to_end(&mut self.bytes).map(count_of)?
        } else if self.length <= MAX_DRAINED {
            self.bytes = Vec::new();
            io::copy(&mut incoming, &mut io::sink())?
        } else {
            return Err(malformed("a body is far too large"));
        };
        if read < count {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(())
    }
}

fn count_of(bytes: usize) -> u64 {
    u64::try_from(bytes).unwrap_or(u64::MAX)
}

fn malformed(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}
