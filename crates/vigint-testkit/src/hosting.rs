//! A stand-in for the service that hosts films, on loopback: it refuses what the real one refuses, answers by script,
//! keeps what it was handed, and shows a film to who has its link. It must not know what is behind the requests: it is
//! asked over HTTP alone.
//!
//! ```no_run
//! use std::time::Duration;
//! use vigint_testkit::hosting::{HostingAnswer, HostingStandIn};
//!
//! let hosting = HostingStandIn::start()?;
//! hosting.script([HostingAnswer::Status(503), HostingAnswer::Take]);
//! // ... what is tested uploads to `hosting.base_url()` ...
//! assert!(hosting.wait_for_uploads(2, Duration::from_secs(60)));
//! # Ok::<(), std::io::Error>(())
//! ```

mod form;
mod upload;

use std::collections::VecDeque;
use std::io::{self, BufReader, Write as _};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use serde_json::json;

pub use self::upload::Upload;

use crate::http::{self, HttpAnswer};

/// The key that it takes unless it is told another.
const API_KEY: &str = "sparse-key-of-the-stand-in";
/// A longer body is none of ours.
const BODY_LIMIT: usize = 256 << 20;

/// What comes of an upload that is right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HostingAnswer {
    /// The film is hosted.
    Take,
    /// The film is hosted, it says, and can be watched there.
    Link(String),
    /// An answer of this status that says `success: false`.
    Status(u16),
    /// This, as JSON or not, with status 200.
    Body(String),
    /// A page of 100,000 bytes, with this status.
    Page(u16),
    /// The connection closes without an answer.
    Close,
    /// No answer before the stand-in is dropped or its client hangs up.
    Hang,
}

/// A running stand-in. All its threads and connections are gone when it has been dropped.
pub struct HostingStandIn {
    address: SocketAddr,
    shared: Arc<Shared>,
    acceptor: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    api_key: String,
    state: Mutex<State>,
    /// An upload came.
    came: Condvar,
}

#[derive(Default)]
struct State {
    stops: bool,
    connections: Vec<TcpStream>,
    script: VecDeque<HostingAnswer>,
    uploads: Vec<Upload>,
    hang_ups: usize,
}

impl HostingStandIn {
    /// Starts one on a free port of the loopback.
    ///
    /// # Errors
    /// When there is no free port or no thread.
    pub fn start() -> io::Result<Self> {
        Self::start_with_key(API_KEY)
    }

    /// Starts one that takes this key.
    ///
    /// # Errors
    /// As for [`Self::start`].
    pub fn start_with_key(api_key: &str) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            api_key: api_key.to_owned(),
            ..Shared::default()
        });
        let acceptor = std::thread::Builder::new()
            .name("hosting stand-in".to_owned())
            .spawn({
                let shared = Arc::clone(&shared);
                move || accept(&listener, &shared, address)
            })?;
        Ok(Self {
            address,
            shared,
            acceptor: Some(acceptor),
        })
    }

    /// Where it is, as `[SparseAI] base_url` takes it.
    #[must_use]
    pub fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The key that it takes.
    #[must_use]
    pub fn api_key(&self) -> &str {
        &self.shared.api_key
    }

    /// Answers to be used up one by one by uploads that are right; afterwards each is taken.
    pub fn script(&self, answers: impl IntoIterator<Item = HostingAnswer>) {
        self.shared.lock().script.extend(answers);
    }

    /// Every upload in the order they came, taken or not.
    #[must_use]
    pub fn uploads(&self) -> Vec<Upload> {
        self.shared.lock().uploads.clone()
    }

    /// Waits until so many uploads have come, counted from the start. False when they have not within `limit`.
    #[must_use]
    pub fn wait_for_uploads(&self, count: usize, limit: Duration) -> bool {
        self.wait_while(limit, |state| state.uploads.len() < count)
    }

    /// Waits until so many clients have hung up on an answer that hangs. False when they have not within `limit`.
    #[must_use]
    pub fn wait_for_hang_ups(&self, count: usize, limit: Duration) -> bool {
        self.wait_while(limit, |state| state.hang_ups < count)
    }

    fn wait_while(&self, limit: Duration, waits: impl Fn(&State) -> bool) -> bool {
        let state = self.shared.lock();
        let waited = self
            .shared
            .came
            .wait_timeout_while(state, limit, |state| waits(state));
        !waited.unwrap_or_else(PoisonError::into_inner).1.timed_out()
    }
}

impl Drop for HostingStandIn {
    fn drop(&mut self) {
        {
            let mut state = self.shared.lock();
            state.stops = true;
            for connection in state.connections.drain(..) {
                // One that is closed already needs no closing.
                let _ = connection.shutdown(Shutdown::Both);
            }
        }
        // Wakes the thread that accepts, to see that all is over.
        let woken = TcpStream::connect(self.address);
        if let Some(acceptor) = self.acceptor.take().filter(|_| woken.is_ok()) {
            // What a thread panicked of is printed.
            let _ = acceptor.join();
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps an upload and takes its answer.
    fn take_turn(&self, upload: Upload) -> HostingAnswer {
        let mut state = self.lock();
        let answer = match upload.refused {
            Some((status, _)) => HostingAnswer::Status(status),
            None => state.script.pop_front().unwrap_or(HostingAnswer::Take),
        };
        state.uploads.push(upload);
        drop(state);
        self.came.notify_all();
        answer
    }
}

fn accept(listener: &TcpListener, shared: &Arc<Shared>, address: SocketAddr) {
    let mut running = Vec::new();
    loop {
        let accepted = listener.accept();
        let mut state = shared.lock();
        if state.stops {
            break;
        }
        let Ok((stream, _)) = accepted else { continue };
        let Ok(kept) = stream.try_clone() else {
            continue;
        };
        state.connections.push(kept);
        drop(state);
        let shared = Arc::clone(shared);
        running.push(std::thread::spawn(move || {
            let Ok(served) = stream.try_clone() else {
                return;
            };
            // How a client ends its connection is its own affair.
            drop(serve(&shared, served, address));
            // Others hold it, too: it closes only so.
            let _ = stream.shutdown(Shutdown::Both);
        }));
    }
    for thread in running {
        // What it panicked of is printed.
        let _ = thread.join();
    }
}

fn serve(shared: &Shared, stream: TcpStream, address: SocketAddr) -> io::Result<()> {
    let mut stream = BufReader::new(stream);
    while let Some(request) = http::read_request(&mut stream, BODY_LIMIT)? {
        let answer = if request.method == "GET" {
            watch(shared, &request.target)
        } else {
            let upload = Upload::read(request, &shared.api_key);
            let (id, hours) = (upload.video_id(), upload.expiration_hours());
            let link = format!("http://{address}/watch/{id}?token=private-{id}");
            match shared.take_turn(upload) {
                HostingAnswer::Take => taken(&id, &link, hours),
                HostingAnswer::Link(link) => taken(&id, &link, hours),
                HostingAnswer::Status(status) => {
                    let words = format!("refused with {status}; the key was {}", shared.api_key);
                    HttpAnswer::json(status, &json!({"success": false, "error": words}))
                }
                HostingAnswer::Body(body) => page(200, body.into_bytes()),
                HostingAnswer::Page(status) => page(status, vec![b' '; 100_000]),
                HostingAnswer::Close => return Ok(()),
                HostingAnswer::Hang => {
                    // Until the client hangs up, or this stand-in does.
                    let hung_up = http::read_request(&mut stream, BODY_LIMIT);
                    shared.lock().hang_ups += 1;
                    shared.came.notify_all();
                    return hung_up.map(drop);
                }
            }
        };
        let head = answer.head(&format!("Content-Length: {}", answer.body.len()));
        let stream = stream.get_mut();
        stream.write_all(&[head.as_bytes(), &answer.body].concat())?;
    }
    Ok(())
}

/// What the service calls a film is its own affair: not what we call it.
fn taken(id: &str, link: &str, hours: Option<f64>) -> HttpAnswer {
    let answer = json!({
        "success": true,
        "video_id": format!("sparse-{id}"),
        "private_link": link,
        "expiration_time": null,
        "expiration_hours": hours,
    });
    HttpAnswer::json(200, &answer)
}

fn page(status: u16, body: Vec<u8>) -> HttpAnswer {
    HttpAnswer {
        status,
        headers: Vec::new(),
        body,
    }
}

/// The film behind a link.
fn watch(shared: &Shared, target: &str) -> HttpAnswer {
    let state = shared.lock();
    let film = (state.uploads.iter().rev()).find(|upload| {
        let id = upload.video_id();
        upload.refused.is_none() && target == format!("/watch/{id}?token=private-{id}")
    });
    match film {
        Some(upload) => HttpAnswer {
            status: 200,
            headers: vec![("Content-Type".to_owned(), "video/mp4".to_owned())],
            body: upload.video.clone(),
        },
        None => HttpAnswer::json(404, &json!({"success": false})),
    }
}
