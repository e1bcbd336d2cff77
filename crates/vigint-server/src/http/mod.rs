//! The only place that knows actix: the routes, who may call them, and how answers look.
//!
//! A handler extracts, calls one service and maps the answer; it holds no rule of its own.

mod address;
mod admin_auth;
mod auth;
mod body;
mod error;
mod expect;
mod handlers;
mod leaks;
mod metrics_server;
mod middleware;
mod query;
mod rate;
mod refused_admins;
mod refused_keys;
mod request_limits;
mod routes;
mod server;
mod services;
mod stream;
mod stuck_readers;

pub use address::TrustedProxies;
pub use admin_auth::ADMIN_KEY_HEADER;
pub use body::InflightBytes;
pub use metrics_server::serve_metrics;
pub use refused_admins::RefusedAdmins;
pub use refused_keys::RefusedKeys;
pub use request_limits::RequestLimits;
pub use routes::{Access, RouteInfo, routes};
pub use server::{ServeOptions, serve};
pub use services::{CameraPatience, HttpLimits, Services};
