//! A stand-in for AI model services on loopback: Gemini's `generateContent` and OpenAI-compatible chat
//! completions on one port, as the reference on external services (§1, §2 and §5) describes them.
//!
//! It refuses what the real ones refuse, answers by script, keeps what it was asked, and counts tokens from
//! what it was shown. It must not know what is behind the requests: it is asked over HTTP alone.
//!
//! ```no_run
//! use std::time::Duration;
//! use vigint_testkit::model::{Answer, ModelError, ModelStandIn, ModelVerdict};
//!
//! let model = ModelStandIn::start()?;
//! let incident = Answer::verdict(&ModelVerdict::incident("vol"));
//! model.script("gemini-3.5-flash-lite", [incident]);
//! let gate = model.hold();
//! let veto = Answer::verdict(&ModelVerdict::clear()).behind(&gate);
//! model.script("gemini-3.8-flash", [ModelError::overloaded().into(), veto]);
//! // ... what is tested asks at `model.base_url()` ...
//! assert!(model.wait_for_requests(3, Duration::from_secs(60)));
//! gate.release();
//! # Ok::<(), std::io::Error>(())
//! ```

mod answer;
mod connection;
mod error;
mod gate;
mod gemini;
mod known_errors;
mod media;
mod mp4;
mod openai;
mod options;
mod refusal;
mod request;
mod script;
mod state;
#[cfg(test)]
mod tests;
mod tokens;
mod verdict;

use std::fmt;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

pub use self::answer::Answer;
pub use self::error::{ErrorShape, ModelError};
pub use self::gate::Gate;
pub use self::media::Media;
pub use self::options::{OpenAiTraits, StandInOptions};
pub use self::request::{Call, ModelRequest, Provider};
pub use self::script::Selector;
pub use self::tokens::{
    MediaResolution, PromptTokens, gemini_audio_tokens, gemini_image_tokens, gemini_video_tokens,
    openai_image_tokens, text_tokens,
};
pub use self::verdict::ModelVerdict;

use self::state::Shared;

/// A running stand-in. All its threads and connections are gone when it has been dropped.
pub struct ModelStandIn {
    address: SocketAddr,
    shared: Arc<Shared>,
    /// Ends with whether one of its threads panicked.
    acceptor: Option<JoinHandle<bool>>,
}

impl ModelStandIn {
    /// Starts one that is as real ones are, on a free port of the loopback.
    ///
    /// # Errors
    /// When there is no free port or no thread.
    pub fn start() -> io::Result<Self> {
        Self::start_with(StandInOptions::default())
    }

    /// Starts one that is as told.
    ///
    /// # Errors
    /// When the port is taken, or there is no thread.
    pub fn start_with(options: StandInOptions) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, options.port))?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared::new(options));
        let acceptor = std::thread::Builder::new()
            .name("model stand-in".to_owned())
            .spawn({
                let shared = Arc::clone(&shared);
                move || accept(&listener, &shared)
            })?;
        Ok(Self {
            address,
            shared,
            acceptor: Some(acceptor),
        })
    }

    /// Where Gemini is: `http://127.0.0.1:PORT`, as `gemini_base_url` takes it.
    #[must_use]
    pub fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Where the OpenAI-compatible server is: `http://127.0.0.1:PORT/v1`, as `openai_base_url` takes it.
    #[must_use]
    pub fn openai_base_url(&self) -> String {
        format!("http://{}/v1", self.address)
    }

    /// The key that it takes.
    #[must_use]
    pub fn api_key(&self) -> &str {
        &self.shared.options.api_key
    }

    /// Gives answers to be used up one by one. Of several scripts that are for a request, the one that was
    /// given first goes first. A refused request uses up none.
    pub fn script(
        &self,
        selector: impl Into<Selector>,
        answers: impl IntoIterator<Item = impl Into<Answer>>,
    ) {
        let answers = answers.into_iter().map(Into::into).collect::<Vec<_>>();
        let mut state = self.shared.lock();
        state.scripts.add(selector.into(), answers.into_iter());
    }

    /// Answers so whenever no script does. Without this and [`decide`](Self::decide) nothing is ever an
    /// incident.
    pub fn always(&self, answer: impl Into<Answer>) {
        let answer = answer.into();
        self.decide(move |_| answer.clone());
    }

    /// Decides what to answer whenever no script does.
    pub fn decide(&self, answer: impl Fn(&ModelRequest) -> Answer + Send + Sync + 'static) {
        self.shared.lock().scripts.fallback = Arc::new(answer);
    }

    /// How many scripted answers nobody has come for.
    #[must_use]
    pub fn answers_left(&self) -> usize {
        self.shared.lock().scripts.left()
    }

    /// A gate for answers of this stand-in: see [`Answer::behind`].
    #[must_use]
    pub fn hold(&self) -> Gate {
        Gate::new(&self.shared)
    }

    /// Every request for an answer in the order they came, refused or not, held back or not; the newest of
    /// them when they were more than [`StandInOptions::kept_bytes`].
    #[must_use]
    pub fn requests(&self) -> Vec<Arc<ModelRequest>> {
        self.shared.lock().asked.kept()
    }

    /// How many requests for an answer came, kept or not.
    #[must_use]
    pub fn request_count(&self) -> usize {
        self.shared.lock().asked.seen()
    }

    /// All other requests: for the list of models, or for what is not there.
    #[must_use]
    pub fn other_requests(&self) -> Vec<Arc<ModelRequest>> {
        self.shared.lock().others.kept()
    }

    /// Waits until so many requests for an answer have come, counted from the start. False when they have
    /// not within `limit`.
    #[must_use]
    pub fn wait_for_requests(&self, count: usize, limit: Duration) -> bool {
        self.shared.wait_for_requests(count, limit)
    }
}

impl fmt::Debug for ModelStandIn {
    /// Where it is, without the megabytes that it keeps.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = f.debug_struct("ModelStandIn");
        text.field("address", &self.address).finish_non_exhaustive()
    }
}

impl Drop for ModelStandIn {
    /// # Panics
    /// When a function given to [`decide`](Self::decide) did.
    fn drop(&mut self) {
        self.shared.stop();
        // Wakes the thread that accepts, to see that all is over.
        let woken = TcpStream::connect(self.address);
        let Some(acceptor) = self.acceptor.take().filter(|_| woken.is_ok()) else {
            return;
        };
        let has_panicked = acceptor.join().unwrap_or(true);
        if has_panicked && !std::thread::panicking() {
            panic!("a thread of the model stand-in panicked: what it said is above");
        }
    }
}

/// Accepts until the stand-in stops, then waits for all connections to end. Whether one of them panicked.
fn accept(listener: &TcpListener, shared: &Arc<Shared>) -> bool {
    let mut running: Vec<JoinHandle<()>> = Vec::new();
    let mut has_panicked = false;
    for number in 0.. {
        let accepted = listener.accept();
        if shared.stops() {
            break;
        }
        let Ok((stream, _)) = accepted else {
            continue;
        };
        let (ended, still_running) = running.into_iter().partition(JoinHandle::is_finished);
        running = still_running;
        has_panicked |= join(ended);
        running.extend(connect(shared, number, stream));
    }
    has_panicked | join(running)
}

/// Serves a connection on a thread of its own; `None` when it is closed instead.
fn connect(shared: &Arc<Shared>, number: u64, stream: TcpStream) -> Option<JoinHandle<()>> {
    // Small answers go out at once.
    stream.set_nodelay(true).ok()?;
    if !shared.open_connection(number, stream.try_clone().ok()?) {
        return None;
    }
    let of_the_thread = Arc::clone(shared);
    let serve = move || {
        let closes = Closes(&of_the_thread, number);
        // How a client ends its connection is its own affair.
        drop(connection::serve(&of_the_thread, number, stream));
        drop(closes);
    };
    let thread = std::thread::Builder::new().name("model stand-in".to_owned());
    thread
        .spawn(serve)
        .inspect_err(|_| shared.close_connection(number))
        .ok()
}

/// Forgets a connection, also when its thread panics: only then is its socket closed.
struct Closes<'a>(&'a Shared, u64);

impl Drop for Closes<'_> {
    fn drop(&mut self) {
        self.0.close_connection(self.1);
    }
}

/// Whether one of them panicked.
fn join(threads: Vec<JoinHandle<()>>) -> bool {
    let outcomes = threads.into_iter().map(JoinHandle::join);
    outcomes.fold(false, |any, outcome| any | outcome.is_err())
}
