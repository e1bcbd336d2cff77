//! The program and the library against a scripted server.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    reason = "tests fail by panicking, and say loudly what they skip"
)]

mod accounts;
mod authority;
mod cameras;
mod checks;
mod deploy;
mod films;
mod gate;
mod has_ffmpeg;
mod help;
mod incidents;
mod keys;
mod library;
mod program;
#[allow(dead_code, reason = "shared with the unit tests, which use more of it")]
mod scripted_server;
mod secrets;
mod stopping;
mod tls;
mod usage;
