//! Attempts at admin routes that were refused: each is a row of the audit log, within bounds. What is over them
//! is counted, and the next row says how many there were.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use actix_web::http::Method;
use vigint_core::clock::Clock;
use vigint_db::audit::AuditEntry;

use super::error::ApiError;
use super::middleware::method_name;
use super::rate::Rate;
use super::refused_keys::Refusal;
use super::services::Services;

/// Rows a minute, from all addresses together: somebody with many must not fill the disk.
const ROWS_PER_MINUTE: u32 = 120;

/// One attempt.
pub(super) struct Attempt<'a> {
    /// From where.
    pub(super) address: IpAddr,
    /// The method asked for.
    pub(super) method: &'a Method,
    /// The route's pattern.
    pub(super) path: &'static str,
    /// Why it was refused.
    pub(super) refusal: Refusal,
}

/// What was refused, and what of it was not written down.
pub struct RefusedAdmins {
    rows: Rate<()>,
    unwritten: AtomicU64,
}

impl RefusedAdmins {
    /// Nothing was refused yet.
    #[must_use]
    pub fn new(clock: &Arc<dyn Clock>) -> Self {
        Self {
            rows: Rate::per_minute(ROWS_PER_MINUTE, clock),
            unwritten: AtomicU64::new(0),
        }
    }

    /// Writes an attempt that was answered with `error` to the audit log, or counts it when there are too many
    /// from its address or from all. The answer does not depend on it.
    pub(super) async fn note(&self, attempt: &Attempt<'_>, error: &ApiError, services: &Services) {
        if error.is_rate_limited() || self.rows.take(&()).is_err() {
            self.unwritten.fetch_add(1, Ordering::Relaxed);
            services.metrics.count_unwritten_audit();
            return;
        }
        let entry = AuditEntry {
            at: services.clock.now(),
            actor: attempt.address.to_string(),
            action: "refused".to_owned(),
            client_id: None,
            key_id: None,
            detail: attempt.detail(self.unwritten.swap(0, Ordering::Relaxed)),
        };
        tracing::warn!(
            address = entry.actor,
            detail = entry.detail,
            "an admin request was refused"
        );
        let written = services
            .database
            .write(move |conn| vigint_db::audit::record(conn, &entry))
            .await;
        if let Err(error) = written {
            tracing::error!(%error, "a refused admin attempt could not be written to the audit log");
        }
    }
}

impl Attempt<'_> {
    /// What is kept of it: never anything of a key, and of the path its pattern alone.
    fn detail(&self, unwritten_before: u64) -> String {
        let why = match self.refusal {
            Refusal::AdminMissing => "no admin key",
            Refusal::AdminInUrl => "a key in the URL",
            _ => "wrong admin key",
        };
        let detail = format!("{} {}: {why}", method_name(self.method), self.path);
        if unwritten_before == 0 {
            detail
        } else {
            format!("{detail}; {unwritten_before} attempts before it were only counted")
        }
    }
}
