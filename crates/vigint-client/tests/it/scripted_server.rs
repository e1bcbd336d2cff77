//! A small HTTP server on loopback that answers as a test tells it and keeps what it was asked.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{
    AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, BufReader,
};
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

/// When all is said to be.
const AT: &str = "2026-11-22T15:40:03.250Z";
/// Nothing a test waits for takes longer.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// What was asked.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) target: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Request {
    pub(crate) fn path(&self) -> &str {
        self.target.split('?').next().unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self
            .headers
            .iter()
            .find(|(n, _)| n.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    pub(crate) fn query(&self, name: &str) -> Option<String> {
        let url = url::Url::parse(&format!("http://x{}", self.target)).unwrap();
        let found = url.query_pairs().find(|(n, _)| n == name);
        found.map(|(_, value)| value.into_owned())
    }

    /// Whether this moment lies in the span of `from` and `to`, as far as they are given.
    pub(crate) fn asks_for(&self, at: &str) -> bool {
        let parse = |at: &str| at.parse::<vigint_core::clock::UtcTime>().unwrap();
        let end = |name: &str| self.query(name).map(|at| parse(&at));
        let at = parse(at);
        end("from").is_none_or(|from| at >= from) && end("to").is_none_or(|to| at < to)
    }

    pub(crate) fn is_frame(&self) -> bool {
        self.path() == "/api/video/buffer"
    }

    pub(crate) fn is_batch(&self) -> bool {
        self.path() == "/api/video/buffer/batch"
    }

    /// The frames in it: one, or those of a batch of raw ones.
    pub(crate) fn frames(&self) -> Vec<SentFrame> {
        if self.is_frame() {
            return vec![SentFrame {
                said: self.target.split_once('?').unwrap().1.to_owned(),
                jpeg: self.body.clone(),
            }];
        }
        let mut frames = Vec::new();
        let mut rest = self.body.as_slice();
        while self.is_batch() && !rest.starts_with(b"--vigint.frame--") {
            let end = rest.windows(4).position(|four| four == b"\r\n\r\n");
            let (head, body) = rest.split_at(end.unwrap() + 4);
            let head = std::str::from_utf8(head).unwrap();
            let field = |name: &str| head.lines().find_map(|line| line.strip_prefix(name));
            assert_eq!(field("Content-Type: "), Some("image/jpeg"));
            let length: usize = field("Content-Length: ").unwrap().parse().unwrap();
            frames.push(SentFrame {
                said: field("Vigint-Frame: ").unwrap().to_owned(),
                jpeg: body[..length].to_vec(),
            });
            rest = &body[length + 2..];
        }
        frames
    }

    pub(crate) fn is_analysis(&self) -> bool {
        self.path() == "/api/video/analyze"
    }

    /// The frame's number.
    pub(crate) fn number(&self) -> i64 {
        self.query("frame_count").unwrap().parse().unwrap()
    }
}

/// A frame as it was sent.
#[derive(Clone, Debug)]
pub(crate) struct SentFrame {
    said: String,
    pub(crate) jpeg: Vec<u8>,
}

impl SentFrame {
    /// What is said of it under this name.
    pub(crate) fn said(&self, name: &str) -> Option<String> {
        let mut said = url::form_urlencoded::parse(self.said.as_bytes());
        let found = said.find(|(n, _)| n == name);
        found.map(|(_, value)| value.into_owned())
    }

    pub(crate) fn number(&self) -> i64 {
        self.said("frame_count").unwrap().parse().unwrap()
    }
}

/// What is answered.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    status: u16,
    headers: Vec<(&'static str, String)>,
    content_type: &'static str,
    body: Vec<u8>,
    cut_after: Option<usize>,
    gate: Option<Arc<Semaphore>>,
    hangs_up: bool,
}

impl Reply {
    pub(crate) fn new(status: u16, body: Value) -> Self {
        Self::of_bytes(status, "application/json", body.to_string())
    }

    pub(crate) fn of_bytes(
        status: u16,
        content_type: &'static str,
        body: impl Into<Vec<u8>>,
    ) -> Self {
        Self {
            status,
            headers: Vec::new(),
            content_type,
            body: body.into(),
            cut_after: None,
            gate: None,
            hangs_up: false,
        }
    }

    /// Hangs up after so many bytes of the body, which was announced whole.
    pub(crate) fn cut_after(mut self, bytes: usize) -> Self {
        self.cut_after = Some(bytes);
        self
    }

    pub(crate) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// Nothing is answered, and the connection ends.
    pub(crate) fn hang_up() -> Self {
        Self {
            hangs_up: true,
            ..Self::new(0, Value::Null)
        }
    }

    /// Answers only when the gate gives a permit, and uses it up.
    pub(crate) fn behind(mut self, gate: &Arc<Semaphore>) -> Self {
        self.gate = Some(Arc::clone(gate));
        self
    }

    /// What Vigint answers when all is well and nothing is to be seen.
    pub(crate) fn of_vigint(request: &Request) -> Self {
        let at = AT;
        let body = match request.path() {
            "/api/video/buffer" => json!({
                "status": "buffered", "frame_count": request.number(), "buffer_size": 1,
                "timestamp": at, "source_id": request.query("source_id"),
            }),
            "/api/video/buffer/batch" => {
                let frames = request.frames().len();
                json!({"status": "buffered", "frames_added": frames, "buffer_size": frames})
            }
            "/api/video/analyze" => {
                let asked: Value = serde_json::from_slice(&request.body).unwrap();
                let mut answer = analysis(asked["source_id"].as_str().unwrap());
                answer["of_a_later_version"] = json!(true);
                answer
            }
            "/api/health" => json!({
                "status": "healthy", "version": "0.9.8", "time": at,
                "checks": {"database": "ok", "clips": "ok", "mail": "file", "analyzer": "motion"},
            }),
            "/api/whoami" => json!({
                "client": {"id": 1, "name": "Acme Corp", "email": "a@b.example", "locale": "fr", "time_zone": "UTC"},
                "api_key": {"id": 1, "name": "first", "prefix": "vgt_", "created_at": at, "expires_at": null, "last_used_at": null},
            }),
            "/api/usage" => {
                let row = json!({
                    "timestamp": at, "endpoint": "/api/video/buffer", "method": "POST", "status_code": 200,
                    "requests": 12, "cost": 0.5,
                });
                let rows = if request.asks_for(at) {
                    vec![row]
                } else {
                    vec![]
                };
                json!({
                    "api_key_id": 1, "client_name": "Acme Corp", "usage_count": 12 * rows.len(),
                    "total_cost": if rows.is_empty() { 0.0 } else { 0.5 }, "currency": "EUR", "usage": rows,
                    "next_cursor": null,
                })
            }
            "/api/incidents" => json!({"incidents": [], "next_cursor": null}),
            _ => return Self::new(404, json!({"error": "Not found", "code": "not_found"})),
        };
        Self::new(200, body)
    }

    pub(crate) fn invalid_key() -> Self {
        Self::new(401, json!({"error": "Invalid API key"}))
    }
}

/// An analysis in which nothing is to be seen.
pub(crate) fn analysis(source_id: &str) -> Value {
    json!({
        "verdict": "clear", "has_security_incident": false, "incident_type": "", "risk_level": "LOW",
        "description": "", "analysis": "nothing", "detailed_analysis": null, "confirmation": "not_needed",
        "source_id": source_id, "frame_count": 7, "frames_analyzed": 3, "window_seconds": 3.0,
        "timestamp": AT, "client_email": "a@b.example", "skipped": null, "incident": null,
        "usage": {"prompt_tokens": 0, "completion_tokens": 0, "cost": 0.01},
        "stages": [{"stage": "screen", "analyzer": "motion", "verdict": "clear", "ms": 1}],
    })
}

/// A theft that was seen, with the link to its film.
pub(crate) fn theft(source_id: &str, video_url: &str) -> Value {
    let mut answer = analysis(source_id);
    for (field, value) in [
        ("verdict", json!("confirmed")),
        ("has_security_incident", json!(true)),
        ("incident_type", json!("theft")),
        ("risk_level", json!("HIGH")),
        ("description", json!("a bag")),
        ("confirmation", json!("confirmed")),
        (
            "incident",
            json!({
                "id": "0197b2c0-0000-7000-8000-000000000001", "is_new": true, "url": "", "video_url": video_url,
            }),
        ),
    ] {
        answer[field] = value;
    }
    answer
}

type Answer = Arc<dyn Fn(&Request) -> Reply + Send + Sync>;

/// The server; gone when dropped, its open connections too.
pub(crate) struct ScriptedServer {
    pub(crate) address: SocketAddr,
    seen: Arc<watch::Sender<Vec<Request>>>,
    connections: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

impl ScriptedServer {
    pub(crate) async fn start(answer: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Self {
        Self::start_at("127.0.0.1:0".parse().unwrap(), answer).await
    }

    pub(crate) async fn start_at(
        address: SocketAddr,
        answer: impl Fn(&Request) -> Reply + Send + Sync + 'static,
    ) -> Self {
        Self::listen(address, None, Arc::new(answer)).await
    }

    /// One that speaks https and nothing else.
    pub(crate) async fn start_tls(
        acceptor: TlsAcceptor,
        answer: impl Fn(&Request) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let address = "127.0.0.1:0".parse().unwrap();
        Self::listen(address, Some(acceptor), Arc::new(answer)).await
    }

    async fn listen(address: SocketAddr, tls: Option<TlsAcceptor>, answer: Answer) -> Self {
        let listener = TcpListener::bind(address).await.unwrap();
        let seen = Arc::new(watch::Sender::new(Vec::new()));
        let connections: Arc<AtomicUsize> = Arc::default();
        let accepted = Arc::clone(&connections);
        let address = listener.local_addr().unwrap();
        let answering = accept(listener, tls, answer, Arc::clone(&seen), accepted);
        Self {
            address,
            task: tokio::spawn(answering),
            seen,
            connections,
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn requests(&self) -> Vec<Request> {
        self.seen.borrow().clone()
    }

    /// The numbers of the frames in the order they came.
    pub(crate) fn frame_numbers(&self) -> Vec<i64> {
        let seen = self.seen.borrow();
        seen.iter()
            .flat_map(Request::frames)
            .map(|frame| frame.number())
            .collect()
    }

    /// The frames in the order they came.
    pub(crate) fn frames(&self) -> Vec<SentFrame> {
        let seen = self.seen.borrow();
        seen.iter().flat_map(Request::frames).collect()
    }

    /// Connections that were made so far.
    pub(crate) fn connections(&self) -> usize {
        self.connections.load(SeqCst)
    }

    /// Waits until what was asked is as wished.
    pub(crate) async fn until(&self, wished: impl Fn(&[Request]) -> bool) {
        let mut seen = self.seen.subscribe();
        let waited = timeout(PATIENCE, seen.wait_for(|requests| wished(requests))).await;
        waited
            .expect("what the server was to be asked never came")
            .unwrap();
    }

    /// Ends it and its connections; nothing listens any more when this returns.
    pub(crate) async fn stop(mut self) -> SocketAddr {
        self.task.abort();
        let _ = (&mut self.task).await;
        self.address
    }
}

impl Drop for ScriptedServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn accept(
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    answer: Answer,
    seen: Arc<watch::Sender<Vec<Request>>>,
    accepted: Arc<AtomicUsize>,
) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        accepted.fetch_add(1, SeqCst);
        let (answer, seen) = (Arc::clone(&answer), Arc::clone(&seen));
        match tls.clone() {
            None => connections.spawn(serve(stream, answer, seen)),
            Some(tls) => connections.spawn(async move {
                if let Ok(stream) = tls.accept(stream).await {
                    serve(stream, answer, seen).await;
                }
            }),
        };
    }
}

async fn serve(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    answer: Answer,
    seen: Arc<watch::Sender<Vec<Request>>>,
) {
    let mut stream = BufReader::new(stream);
    while let Some(request) = read_request(&mut stream).await {
        let reply = answer(&request);
        seen.send_modify(|all| all.push(request));
        if let Some(gate) = &reply.gate {
            gate.acquire().await.unwrap().forget();
        }
        if reply.hangs_up {
            return;
        }
        let mut head = format!(
            "HTTP/1.1 {} X\r\nContent-Type: {}\r\nContent-Length: {}\r\n",
            reply.status,
            reply.content_type,
            reply.body.len()
        );
        for (name, value) in &reply.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        let sent = reply.cut_after.unwrap_or(reply.body.len());
        let bytes = [head.as_bytes(), b"\r\n", &reply.body[..sent]].concat();
        if stream.write_all(&bytes).await.is_err() || stream.flush().await.is_err() {
            return;
        }
        if reply.cut_after.is_some() {
            let _ = stream.shutdown().await;
            return;
        }
    }
}

async fn read_request(
    stream: &mut BufReader<impl AsyncRead + AsyncWrite + Unpin>,
) -> Option<Request> {
    let mut line = String::new();
    stream.read_line(&mut line).await.ok()?;
    let target = line.split(' ').nth(1)?.to_owned();
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await.ok()?;
        match line.trim_end().split_once(": ") {
            Some((name, value)) => headers.push((name.to_owned(), value.to_owned())),
            None => break,
        }
    }
    let mut request = Request {
        target,
        headers,
        body: Vec::new(),
    };
    let length = request
        .header("content-length")
        .map_or(0, |length| length.parse().unwrap());
    request.body.resize(length, 0);
    stream.read_exact(&mut request.body).await.ok()?;
    Some(request)
}
