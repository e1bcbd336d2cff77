//! Connections that stay open and carry many tenants' requests, as they do behind a proxy. Several requests may
//! be on their way before the first answer is read.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

/// No answer takes this long.
const PATIENCE: Duration = Duration::from_secs(60);

#[derive(Clone, Debug, Default)]
pub(super) struct Request {
    pub(super) method: &'static str,
    pub(super) path: String,
    /// What stands in `X-API-Key` or behind `Bearer`.
    pub(super) key: Option<String>,
    /// What else stands in `X-API-Key`, beside a key in `Authorization`: it does not count.
    pub(super) key_beside: Option<String>,
    pub(super) content_type: &'static str,
    pub(super) body: Vec<u8>,
}

impl Request {
    /// The request as it goes over the wire, its head with the length of all of its body.
    pub(super) fn bytes(&self) -> Vec<u8> {
        let mut head = format!("{} {} HTTP/1.1\r\nHost: vigint\r\n", self.method, self.path);
        match &self.key {
            Some(key) if key.starts_with("vgt_") => {
                head += &format!("Authorization: Bearer {key}\r\n");
            }
            Some(key) => head += &format!("X-API-Key: {key}\r\n"),
            None => {}
        }
        if let Some(beside) = &self.key_beside {
            head += &format!("X-API-Key: {beside}\r\n");
        }
        if !self.body.is_empty() {
            let length = self.body.len();
            head += &format!(
                "Content-Type: {}\r\nContent-Length: {length}\r\n",
                self.content_type
            );
        }
        head += "\r\n";
        [head.as_bytes(), &self.body].concat()
    }
}

#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    /// As it came.
    pub(super) head: Vec<u8>,
    headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
}

impl Answer {
    /// A header's value; nothing when it is not there.
    pub(super) fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(found, _)| found == name);
        found.map_or("", |(_, value)| value)
    }

    pub(super) fn text(&self) -> String {
        let text: String = String::from_utf8_lossy(&self.body)
            .chars()
            .take(2_000)
            .collect();
        text
    }

    pub(super) fn json<T: serde::de::DeserializeOwned>(&self) -> Result<T, String> {
        serde_json::from_slice(&self.body).map_err(|error| format!("{error} in {}", self.text()))
    }
}

pub(super) struct Connection {
    address: String,
    reader: BufReader<TcpStream>,
}

impl Connection {
    pub(super) fn open(address: &str) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_nodelay(true).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        Self {
            address: address.to_owned(),
            reader: BufReader::new(stream),
        }
    }

    pub(super) fn stream(&mut self) -> &mut TcpStream {
        self.reader.get_mut()
    }

    pub(super) fn send(&mut self, bytes: &[u8]) {
        self.stream().write_all(bytes).unwrap();
    }

    pub(super) fn ask(&mut self, request: &Request) -> Answer {
        self.send(&request.bytes());
        self.answer(request.method)
    }

    /// The next answer, to a request of this method. When it is the last one that the server gives here, the next
    /// request goes over another connection.
    pub(super) fn answer(&mut self, method: &str) -> Answer {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let read = self.reader.read_until(b'\n', &mut head).unwrap();
            assert!(
                read > 0,
                "the server hung up: {}",
                String::from_utf8_lossy(&head)
            );
        }
        let text = String::from_utf8(head.clone()).unwrap();
        let mut lines = text.lines();
        let status = lines.next().and_then(|line| line.split(' ').nth(1));
        let status: u16 = status.unwrap().parse().unwrap();
        let headers: Vec<_> = lines
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
            .collect();
        let mut answer = Answer {
            status,
            head,
            headers,
            body: Vec::new(),
        };
        let is_bodiless = method == "HEAD" || matches!(status, 204 | 304);
        if !is_bodiless {
            let length = answer.header("content-length").parse();
            answer.body = vec![0; length.expect("every answer says how long it is")];
            self.reader.read_exact(&mut answer.body).unwrap();
        }
        if answer.header("connection").eq_ignore_ascii_case("close") {
            *self = Self::open(&self.address);
        }
        answer
    }
}
