//! The database as programs use it, from outside; every fact on SQLite and on PostgreSQL, from the same code.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests fail by panicking"
)]

#[macro_use]
mod fixture;

mod admin;
mod alerts;
mod auth;
mod clients;
mod clips;
mod clips_folder;
mod erasure;
mod export;
mod hosting;
mod import;
mod incidents;
mod key_watch;
mod migrations;
mod notices;
mod opening;
mod readers;
mod second_looks;
mod silence;
mod spending;
mod tenants;
mod transactions;
mod usage;
