//! The Vigint service. [`state::build`] puts the parts together, [`App::run`](state::App::run) answers
//! requests until it is told to stop; the program and every test use these two.
//!
//! The rooms and who may use whom: `ARCHITECTURE.md`.

pub mod administration;
pub mod alerts;
pub mod analysis;
pub mod buffer;
pub mod clips;
pub mod database;
pub mod export;
pub mod hosting;
pub mod http;
pub mod incidents;
pub mod jobs;
pub mod metrics;
pub mod notices;
pub mod presence;
pub mod state;
pub mod telemetry;
pub mod usage;
pub mod vitals;

mod background;
mod descriptors;
mod fair_turns;
mod http_client;
mod private_files;
mod secret_file;
