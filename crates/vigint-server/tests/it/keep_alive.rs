//! HTTP/1.1 written by hand, for tests that care which connection a request takes and how that ends.

use std::io::{self, BufRead as _, BufReader, ErrorKind, Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

/// A connection that is kept.
pub(crate) struct KeptConnection(BufReader<TcpStream>);

/// An answer on it.
#[derive(Debug)]
pub(crate) struct KeptAnswer {
    pub(crate) status: u16,
    pub(crate) body: String,
    /// Whether the server says that it closes.
    pub(crate) closes: bool,
}

impl KeptConnection {
    /// Connects to `http://host:port`.
    pub(crate) fn to(url: &str) -> Self {
        let stream = TcpStream::connect(url.strip_prefix("http://").unwrap()).unwrap();
        stream.set_nodelay(true).unwrap();
        let limit = Some(Duration::from_secs(30));
        stream.set_read_timeout(limit).unwrap();
        stream.set_write_timeout(limit).unwrap();
        Self(BufReader::new(stream))
    }

    /// A whole request and its answer. An error when the connection ended instead.
    pub(crate) fn ask(
        &mut self,
        line: &str,
        key: &str,
        kind: &str,
        body: &[u8],
    ) -> io::Result<KeptAnswer> {
        let mut request = head(line, key, kind, body.len()).into_bytes();
        request.extend_from_slice(body);
        self.send(&request)?;
        self.answer()
    }

    pub(crate) fn get(&mut self, path: &str, key: &str) -> io::Result<KeptAnswer> {
        self.ask(&format!("GET {path}"), key, "application/json", b"")
    }

    pub(crate) fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.get_mut().write_all(bytes)
    }

    pub(crate) fn answer(&mut self) -> io::Result<KeptAnswer> {
        let first = self.line()?;
        let status = first.split(' ').nth(1).and_then(|code| code.parse().ok());
        let status = status.ok_or_else(|| io::Error::other(first))?;
        let (mut length, mut closes) = (0, false);
        loop {
            let line = self.line()?.to_lowercase();
            match line.split_once(": ") {
                Some(("content-length", value)) => length = value.parse().unwrap(),
                Some(("connection", value)) => closes = value == "close",
                Some(_) => {}
                None => break,
            }
        }
        let mut body = vec![0; if status == 100 { 0 } else { length }];
        self.0.read_exact(&mut body)?;
        Ok(KeptAnswer {
            status,
            body: String::from_utf8(body).unwrap(),
            closes,
        })
    }

    /// Waits until the server has closed; what it says before that is returned.
    pub(crate) fn wait_for_end(mut self) -> String {
        let mut said = Vec::new();
        match self.0.read_to_end(&mut said) {
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::ConnectionReset => {}
            Err(error) => panic!("the connection is still open: {error}"),
        }
        String::from_utf8(said).unwrap()
    }

    fn line(&mut self) -> io::Result<String> {
        let mut line = String::new();
        if self.0.read_line(&mut line)? == 0 {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        Ok(line.trim_end().to_owned())
    }
}

/// The head of a request whose body has so many bytes.
pub(crate) fn head(line: &str, key: &str, kind: &str, length: usize) -> String {
    format!(
        "{line} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n\r\n"
    )
}
