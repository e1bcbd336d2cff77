//! `vigint-admin` as an operator runs it: what it prints, what it exits with, what it leaves in the database.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests fail by panicking"
)]

mod shell;

mod clients;
mod erasure;
mod help;
mod import;
mod keys;
mod outputs;
mod questions;
mod remote;
mod reports;
mod rotation;
