//! The only place that knows actix: the routes, who may call them, and how answers look.
//!
//! A handler extracts, calls one service and maps the answer; it holds no rule of its own.

mod auth;
mod body;
mod error;
mod expect;
mod handlers;
mod leaks;
mod middleware;
mod query;
mod routes;
mod server;
mod services;
mod stuck_readers;

pub use auth::ADMIN_KEY_HEADER;
pub use body::InflightBytes;
pub use routes::{Access, RouteInfo, routes};
pub use server::{ServeOptions, serve};
pub use services::{CameraPatience, HttpLimits, Services};
