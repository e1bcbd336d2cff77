//! What tests share and no user runs: drawn scenes, the battery of the motion gate, stand-ins for AI model services and
//! for the service that hosts films, private PostgreSQL clusters, a mail server, cameras, a proxy with faults, the real
//! programs, the mails they leave, French punctuation, a database of the earlier Vigint.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test fails by panicking, and says why on standard error"
)]

pub mod battery;
#[cfg(feature = "camera")]
pub mod camera;
pub mod earlier;
#[cfg(feature = "fault-proxy")]
pub mod fault_proxy;
pub mod footage;
pub mod french;
pub mod hosting;
mod http;
pub mod mailbox;
pub mod model;
pub mod name_server;
pub mod postgres;
pub mod programs;
pub mod scene;
#[cfg(feature = "smtp")]
pub mod smtp;
pub mod splitmix;
