//! [`SecureVideoAnalyzer`]: the face of this library. It holds no state of its own but counters.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use url::Url;
use vigint_core::clock::{Clock, SystemClock};
use vigint_core::ids::SourceId;
use vigint_core::key::Secret;
use vigint_core::wire::{AnalysisResponse, BufferResponse, HealthResponse};

use crate::capture::FfmpegCamera;
use crate::event::{Event, EventSink};
use crate::fleet::{self, Seat};
use crate::frame::Frame;
use crate::gate::{MotionGate, MotionLook};
use crate::key::{InvalidKey, parse_key};
use crate::progress::{Counters, SourceProgress};
use crate::session::{RunError, Session, Surroundings};
use crate::settings::{DEFAULT_SERVER_URL, Settings};
use crate::source::Source;
use crate::uplink::{
    AddressError, ApiError, Authorities, AuthorityError, Uplink, is_exposed, parse_address,
};

/// What stands in the way of an analyzer.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// The server's address.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// The key: mistyped, or no key at all.
    #[error(transparent)]
    Key(#[from] InvalidKey),
    /// The certificates of an authority of one's own.
    #[error(transparent)]
    Authority(#[from] AuthorityError),
    /// TLS cannot be set up.
    #[error("no secure connection can be set up: {0}")]
    Tls(String),
}

/// What an analyzer is made of. Only a key is needed for a server on this machine.
#[derive(Default)]
pub struct SecureVideoAnalyzerBuilder {
    api_base_url: Option<String>,
    api_key: Option<Secret>,
    ca_file: Option<PathBuf>,
    ca_certificates: Option<Vec<u8>>,
    events: Option<EventSink>,
    clock: Option<Arc<dyn Clock>>,
    watches_motion: bool,
}

impl SecureVideoAnalyzerBuilder {
    /// The server's address; [`DEFAULT_SERVER_URL`] when it is not given.
    #[must_use]
    pub fn api_base_url(mut self, url: impl Into<String>) -> Self {
        self.api_base_url = Some(url.into());
        self
    }

    /// The key. An empty one counts as none: then sources can be tried, but nothing is sent.
    #[must_use]
    pub fn api_key(mut self, key: impl Into<String>) -> Self {
        self.api_key = Some(Secret::new(key));
        self
    }

    /// A PEM file with certificates of authorities that are trusted besides the system's: for a server whose
    /// certificate an authority of one's own signed. It is read by [`Self::build`]. There is no way to turn the
    /// check of certificates off.
    #[must_use]
    pub fn ca_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.ca_file = Some(path.into());
        self
    }

    /// The same as [`Self::ca_file`], from memory. Both may be given.
    #[must_use]
    pub fn ca_certificates(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.ca_certificates = Some(pem.into());
        self
    }

    /// Address, key and authorities as the program finds them (flag, environment, `.env` files). What they do not have
    /// stays as it was given before.
    #[must_use]
    pub fn settings(mut self, settings: &Settings) -> Self {
        self.api_base_url = Some(settings.server_url.clone());
        self.api_key = settings.api_key.clone().or(self.api_key);
        self.ca_file = settings.ca_file.clone().or(self.ca_file);
        self
    }

    /// Who is told what happens in [`SecureVideoAnalyzer::run`]. Called on the thread that it happens on:
    /// it must not block.
    #[must_use]
    pub fn on_event(mut self, told: impl Fn(Event) + Send + Sync + 'static) -> Self {
        self.events = Some(Arc::new(told));
        self
    }

    /// Looks for motion in what is read, too, for [`SourceProgress::moves`] and [`Event::Motion`]: a few
    /// milliseconds of work, five times a second for each source. Nothing that is sent depends on it.
    #[must_use]
    pub fn watch_motion(mut self, watches: bool) -> Self {
        self.watches_motion = watches;
        self
    }

    /// Who is asked for the time; the system when it is not given.
    #[must_use]
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = Some(clock);
        self
    }

    /// Checks all of it; connects to nothing yet.
    ///
    /// # Errors
    /// When the address, the key or an authority's certificate cannot be right, or TLS cannot be set up.
    pub fn build(self) -> Result<SecureVideoAnalyzer, BuildError> {
        let address = self.api_base_url.as_deref().unwrap_or(DEFAULT_SERVER_URL);
        let base = parse_address(address)?;
        let key = self.api_key.as_ref().map(|key| key.reveal().trim());
        let key = key
            .filter(|key| !key.is_empty())
            .map(parse_key)
            .transpose()?;
        let mut authorities = Authorities::default();
        if let Some(path) = &self.ca_file {
            authorities.add(Authorities::read(path)?);
        }
        if let Some(pem) = &self.ca_certificates {
            authorities.add(Authorities::of_pem(pem)?);
        }
        let uplink = Uplink::trusting(&base, key.as_ref(), authorities)
            .map_err(|e| BuildError::Tls(e.to_string()))?;
        let clock = self.clock.unwrap_or_else(|| Arc::new(SystemClock::new()));
        let events = self.events.unwrap_or_else(|| Arc::new(|_| {}));
        let mut around = Surroundings::new(uplink, clock, events);
        around.watches_motion = self.watches_motion;
        Ok(SecureVideoAnalyzer {
            base,
            around,
            counters: Arc::default(),
        })
    }
}

/// Sends frames to a Vigint server and asks it for analyses. Cheap to clone; clones are one analyzer.
#[derive(Clone)]
pub struct SecureVideoAnalyzer {
    base: Url,
    pub(crate) around: Surroundings,
    counters: Arc<Mutex<Vec<Arc<Counters>>>>,
}

impl SecureVideoAnalyzer {
    /// What an analyzer is made of.
    #[must_use]
    pub fn builder() -> SecureVideoAnalyzerBuilder {
        SecureVideoAnalyzerBuilder::default()
    }

    /// Whether there is a key. Without one nothing is sent.
    #[must_use]
    pub fn has_key(&self) -> bool {
        self.around.uplink.has_key()
    }

    /// Whether key and pictures cross the network unencrypted: plain http to another machine.
    #[must_use]
    pub fn is_exposed(&self) -> bool {
        is_exposed(&self.base)
    }

    /// The server's address.
    #[must_use]
    pub fn server(&self) -> &str {
        self.base.as_str().trim_end_matches('/')
    }

    /// Sends one picture. A JPEG alone is a picture of the source `default`, taken now. One that says when it was taken
    /// is sent once more if the connection breaks, and kept once.
    ///
    /// # Errors
    /// [`ApiError`]; [`ApiError::may_pass`] says whether another try may do.
    pub async fn push_frame(&self, frame: impl Into<Frame>) -> Result<BufferResponse, ApiError> {
        self.around.uplink.buffer(&frame.into()).await
    }

    /// Has the server judge what it holds of a source. Ends within a minute.
    ///
    /// # Errors
    /// [`ApiError`]. A failed analysis says nothing about what there was to see.
    pub async fn analyze(&self, source: &SourceId) -> Result<AnalysisResponse, ApiError> {
        self.around.uplink.analyze(source).await
    }

    /// Reads a source, sends its frames in order and asks for analyses, until a film ends or it is stopped.
    /// What happens is told to [`SecureVideoAnalyzerBuilder::on_event`]. Dropping the future ends it at once.
    ///
    /// # Errors
    /// When the source cannot be opened or the key is refused; an event has said why. A server that is away is waited for (unless
    /// [`crate::ReadOptions::once`]), as is a camera that was there before.
    pub async fn run(&self, source: Source) -> Result<(), RunError> {
        self.run_in(source, None).await
    }

    /// Runs several sources side by side. Cameras that cannot be opened are tried again once another is open.
    ///
    /// # Errors
    /// As [`Self::run`]; and [`RunError::NothingOpened`], after an event for each source has said why.
    pub async fn run_all(&self, sources: Vec<Source>) -> Result<(), RunError> {
        fleet::run_all(self, sources).await
    }

    /// Reads a source as [`Self::run`] does and shows its pictures to a motion gate, until a film ends or it is
    /// stopped. Sends nothing and needs neither key nor server. Each look is told to `on_look`, and news to
    /// [`SecureVideoAnalyzerBuilder::on_event`] as [`Event::Motion`].
    ///
    /// # Errors
    /// When the source cannot be opened; an event has said why.
    pub async fn watch_motion(
        &self,
        source: Source,
        gate: &mut dyn MotionGate,
        on_look: &mut (dyn FnMut(MotionLook<'_>) + Send),
    ) -> Result<(), RunError> {
        let camera = self.camera(&source);
        let counters = Arc::new(Counters::new(source.id.clone()));
        let session = Session::new(source.clone(), camera, counters, self.around.clone());
        session.watch(gate, on_look).await
    }

    /// Stops every run, for good: what is being sent may take five more seconds, then they return `Ok`, and so does at
    /// once each that is begun later. To go on another day, build another analyzer.
    pub fn stop(&self) {
        self.around.stop.cancel();
    }

    /// Whether [`Self::stop`] was called.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        self.around.stop.is_cancelled()
    }

    /// Where each source that is being run stands now.
    #[must_use]
    pub fn progress(&self) -> Vec<SourceProgress> {
        let now = self.around.clock.elapsed();
        self.lock_counters()
            .iter()
            .map(|counters| counters.read(now))
            .collect()
    }

    /// How the server is. Needs no key.
    ///
    /// # Errors
    /// [`ApiError`]
    pub async fn health(&self) -> Result<HealthResponse, ApiError> {
        self.around.uplink.health().await
    }

    /// Runs a source, by itself or as one of several.
    pub(crate) async fn run_in(&self, source: Source, seat: Option<Seat>) -> Result<(), RunError> {
        let camera = self.camera(&source);
        let counters = self.counters_of(&source.id);
        let _shown = Shown {
            analyzer: self,
            counters: Arc::clone(&counters),
        };
        let session = Session::new(source, camera, counters, self.around.clone());
        let session = session.with_seat(seat);
        if self.has_key() {
            session.run().await
        } else {
            session.only_try().await
        }
    }

    pub(crate) fn camera(&self, source: &Source) -> FfmpegCamera {
        let clock = Arc::clone(&self.around.clock);
        FfmpegCamera::new(source.location.clone(), source.options, clock)
    }

    fn lock_counters(&self) -> MutexGuard<'_, Vec<Arc<Counters>>> {
        self.counters.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Fresh counters, in place of those of an earlier run of the same source.
    fn counters_of(&self, source: &SourceId) -> Arc<Counters> {
        let fresh = Arc::new(Counters::new(source.clone()));
        let mut counters = self.lock_counters();
        counters.retain(|old| old.source_id() != source);
        counters.push(Arc::clone(&fresh));
        fresh
    }
}

/// A run in [`SecureVideoAnalyzer::progress`], for as long as this is kept: one whose future is dropped ends there, too.
struct Shown<'a> {
    analyzer: &'a SecureVideoAnalyzer,
    counters: Arc<Counters>,
}

impl Drop for Shown<'_> {
    fn drop(&mut self) {
        let mut all = self.analyzer.lock_counters();
        all.retain(|other| !Arc::ptr_eq(other, &self.counters));
    }
}

impl std::fmt::Debug for SecureVideoAnalyzer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SecureVideoAnalyzer")
            .field("server", &self.server())
            .field("has_key", &self.has_key())
            .finish_non_exhaustive()
    }
}
