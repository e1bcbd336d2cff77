//! The customer's side of Vigint: reads cameras and films, sends their frames to a Vigint server in order,
//! asks it for analyses. What the program `vigint-client` does, it does through this library.
//!
//! The key is the only secret a customer holds. It may come from the environment or a `.env` file
//! ([`Settings::of_process`]), from a command line, or from code:
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
//! camera; `gate` says whether something moves. It prints nothing, and of the environment only [`settings`] knows.

pub mod settings;

mod analyzer;
mod backoff;
mod capture;
mod event;
mod fleet;
mod frame;
mod gate;
mod key;
mod mask;
mod progress;
mod queue;
mod schedule;
mod session;
mod source;
mod uplink;

/// The scripted server of the integration tests, for the unit tests of what needs a scripted camera too.
#[cfg(test)]
#[path = "../tests/it/scripted_server.rs"]
#[allow(
    dead_code,
    reason = "shared with the integration tests, which use more of it"
)]
mod scripted_server;

pub use analyzer::{BuildError, SecureVideoAnalyzer, SecureVideoAnalyzerBuilder};
pub use capture::{CaptureError, MpjpegError};
pub use event::{Event, MotionArea};
pub use frame::Frame;
pub use gate::{DetectorGate, MotionGate, MotionLook};
pub use key::{InvalidKey, parse_key};
pub use mask::Mask;
pub use progress::SourceProgress;
pub use session::RunError;
pub use settings::Settings;
pub use source::{Location, ReadOptions, Source, SourceError, check_ids, parse_sources};
pub use uplink::{AddressError, ApiError, AuthorityError, ServerCertificate};
pub use vigint_video::grey::DecodeError;
pub use vigint_video::motion::{MotionBox, MotionSample, MotionSettings, MotionState};
