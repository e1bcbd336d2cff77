//! What Vigint is made of, without any of what it runs on: ids, keys, time, frames, verdicts, incident
//! states, signed links and the wire types that the server and its clients share.
//!
//! No I/O, no async, no database, no HTTP. Only [`clock`] and [`random`] ask the system for anything.

pub mod client;
pub mod clock;
pub mod frame;
pub mod ids;
pub mod incident;
pub mod key;
pub mod key_request;
pub mod link;
pub mod locale;
pub mod money;
pub mod names;
pub mod place;
pub mod random;
pub mod secrecy;
pub mod span;
pub mod text;
pub mod verdict;
pub mod wire;
