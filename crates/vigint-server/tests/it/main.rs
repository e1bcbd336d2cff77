//! The server from outside: in this process with a clock that tests turn, and as the real programs.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    reason = "tests fail by panicking"
)]

mod access;
mod admin_api;
mod analyses;
mod authority;
mod bad_pictures;
mod canaries;
mod config_errors;
mod crowds;
mod deploy;
mod dropping;
mod earlier_client;
mod end_to_end;
mod export;
mod fixture;
mod frames;
mod full_disk;
mod hosting;
mod https;
mod incident_life;
mod incidents;
mod isolation;
mod keep_alive;
mod kill_nine;
mod kills;
mod mail;
mod metrics;
mod models;
mod motion_verdicts;
mod one_mail;
mod outages;
mod premises;
mod refused_keys;
mod request_limits;
mod revocation;
mod service;
mod silent_cameras;
mod sqlite_file;
mod storage;
mod unread_bodies;
mod unusual_use;
mod usage;
mod videos;
