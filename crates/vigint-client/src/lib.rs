//! The customer's side of Vigint: reads cameras and films, sends their frames to a Vigint server in order,
//! asks it for analyses. What the program `vigint-client` does, it does through this library.
//!
//! The key is the only secret a customer holds. There are three ways to give it.
//!
//! From the environment or a `.env` file, which [`Settings::of_process`] reads; here with both named, as a test would:
//!
//! ```
//! use vigint_client::{SecureVideoAnalyzer, Settings, settings::Given};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let folder = tempfile::tempdir()?;
//! std::fs::write(folder.path().join(".env"), "VIGINT_API_KEY=8xK9mP2nQ5rT7vW1xZ4aC6eG8hJ0kL3m")?;
//! let environment = |name: &str| (name == "VIGINT_SERVER_URL").then(|| "https://vigint.example.com".to_owned());
//! let settings = Settings::resolve(Given::default(), environment, folder.path())?;
//!
//! let analyzer = SecureVideoAnalyzer::builder().settings(&settings).build()?;
//! assert_eq!(analyzer.server(), "https://vigint.example.com");
//! assert!(analyzer.has_key());
//! # Ok(()) }
//! ```
//!
//! From a command line, which goes before all of that:
//!
//! ```
//! use vigint_client::{Secret, Settings, settings::Given};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let typed = Given {
//!     api_key: Some(Secret::new("2zN5pR8sV1wY4bD7fH0jL3nP6qS9tW2x")),
//!     api_url: Some("http://localhost:5002".to_owned()),
//!     ..Given::default()
//! };
//! let environment = |name: &str| (name == "VIGINT_API_KEY").then(|| "a-key-of-the-environment".to_owned());
//! # let folder = tempfile::tempdir()?;
//! let settings = Settings::resolve(typed, environment, folder.path())?;
//! assert_eq!(settings.server_url, "http://localhost:5002");
//! assert!(settings.api_key.is_some_and(|key| key.reveal().starts_with("2zN5")));
//! # Ok(()) }
//! ```
//!
//! From code. Nothing is connected to yet, but what cannot be right is told:
//!
//! ```
//! use vigint_client::{BuildError, InvalidKey, SecureVideoAnalyzer};
//!
//! let builder = || SecureVideoAnalyzer::builder().api_base_url("https://your-vigint-server.com:5002");
//! let analyzer = builder().api_key("5yB8eH1kN4qT7wZ0cF3iL6oR9uX2aD5g").build().unwrap();
//! assert!(!analyzer.is_exposed());
//!
//! let unchanged = builder().api_key("your-api-key-here").build();
//! assert!(matches!(unchanged, Err(BuildError::Key(InvalidKey::Placeholder))));
//! let mistyped = format!("vgt_{}", "0".repeat(60));
//! let error = builder().api_key(mistyped).build().unwrap_err();
//! assert!(error.to_string().contains("mistyped"));
//! let no_url = SecureVideoAnalyzer::builder().api_base_url("your-vigint-server.com:5002").build();
//! assert!(matches!(no_url, Err(BuildError::Address(_))));
//! ```
//!
//! Then a source is watched, or pictures of one's own are sent. Nothing is global, and whatever is dropped is ended:
//! with the future of a run goes its camera's process, with the analyzer its connections.
//!
//! ```no_run
//! use vigint_client::{SecureVideoAnalyzer, Source};
//!
//! # async fn watch() -> Result<(), Box<dyn std::error::Error>> {
//! let analyzer = SecureVideoAnalyzer::builder()
//!     .api_base_url("https://your-vigint-server.com:5002")
//!     .api_key("8xK9mP2nQ5rT7vW1xZ4aC6eG8hJ0kL3mN6oP9qR2sT5uV8wX1yZ4bC7dF0gH3jK6")
//!     .on_event(|event| { /* an analysis, an error, … */ })
//!     .build()?;
//! analyzer.run("till=rtsp://192.168.1.20/stream1".parse::<Source>()?).await?;
//!
//! // Or with pictures of one's own:
//! # let jpeg: Vec<u8> = Vec::new();
//! analyzer.push_frame(jpeg).await?;
//! let answer = analyzer.analyze(&"default".parse()?).await?;
//! if answer.has_security_incident { /* … */ }
//! # Ok(()) }
//! ```
//!
//! Inside, top to bottom: [`SecureVideoAnalyzer`] is a thin face; `fleet` runs several sources; `session` owns
//! one source (`capture` → `queue` → `uplink`); `capture` knows cameras and no server, `uplink` the server and no
//! camera; `gate` says whether something moves; `account` is what can be asked besides, `usage_walk` goes through all
//! that was used, `saved_clip` keeps a film. It prints nothing, and of the environment only [`settings`] knows (and
//! reqwest, of the proxies that it names).

pub mod settings;

mod account;
mod analyzer;
mod backoff;
mod capture;
mod event;
mod fleet;
mod frame;
mod gate;
mod key;
mod mask;
mod outage;
mod progress;
mod queue;
mod saved_clip;
mod schedule;
mod session;
mod source;
mod uplink;
mod usage_walk;

/// Whether there is an ffmpeg, for the unit tests of what it is told.
#[cfg(test)]
#[path = "../tests/it/has_ffmpeg.rs"]
mod has_ffmpeg;

/// The scripted server of the integration tests, for the unit tests of what needs a scripted camera too.
#[cfg(test)]
#[path = "../tests/it/scripted_server.rs"]
#[allow(
    dead_code,
    reason = "shared with the integration tests, which use more of it"
)]
mod scripted_server;

pub use account::SourceLook;
pub use analyzer::{BuildError, SecureVideoAnalyzer, SecureVideoAnalyzerBuilder};
pub use capture::{CaptureError, FfmpegInspection, MpjpegError, NativeStream, inspect_ffmpeg};
pub use event::{Event, MotionArea};
pub use frame::Frame;
pub use gate::{DetectorGate, MotionGate, MotionLook};
pub use key::{InvalidKey, parse_key};
pub use mask::Mask;
pub use progress::SourceProgress;
pub use saved_clip::{SaveError, SaveOptions};
pub use session::RunError;
pub use settings::Settings;
pub use source::{
    DEFAULT_QUALITY, Location, ReadOptions, Source, SourceError, check_ids, parse_sources,
};
pub use uplink::{
    AddressError, ApiError, AuthorityError, IncidentQuery, ServerCertificate, UsageQuery,
};
pub use usage_walk::UsageWalk;
pub use vigint_core::ids::{IncidentId, SourceId};
pub use vigint_core::incident::Triage;
pub use vigint_core::key::Secret;
pub use vigint_core::wire;
pub use vigint_video::grey::DecodeError;
pub use vigint_video::motion::{MotionBox, MotionSample, MotionSettings, MotionState};
