//! Everything Vigint keeps in a database: the pool, the migrations, the rows, the queries and the proof of
//! whose rows they are. SQLite and PostgreSQL behind one type; the only crate that holds SQL.
//!
//! Calls block: a server makes them on its blocking threads. A query on a customer's table takes a
//! [`Tenant`], which only [`auth::authenticate`] and a named operator can make. Must not know HTTP,
//! settings or files other than the database's own.

mod connection;
mod cursor;
mod database_url;
mod error;
mod key_watch;
mod migrations;
mod pool;
mod readers;
mod schema;
mod server_lock;
mod stored;
mod tenant;

pub mod admin;
pub mod alerts;
pub mod audit;
pub mod auth;
pub mod clients;
pub mod clips;
pub mod clips_folder;
pub mod erasures;
pub mod export;
pub mod health;
pub mod import;
pub mod incidents;
pub mod keys;
pub mod leases;
pub mod notices;
pub mod sources;
pub mod spending;
pub mod usage;

pub use connection::AnyConnection;
pub use database_url::{Backend, DatabaseUrl, InvalidUrl};
pub use error::DbError;
pub use key_watch::KeyWatch;
pub use migrations::Migrated;
pub use pool::Db;
pub use readers::Readers;
pub use server_lock::ServerLock;
pub use tenant::{Operator, Tenant};
