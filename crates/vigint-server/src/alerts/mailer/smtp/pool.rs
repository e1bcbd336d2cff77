//! Connections that wait for the next mail.
//!
//! Only one whose last command was answered gets here. lettre's own pool takes a connection back also when who was
//! waiting for its answer has gone, and the next mail would read the answer that was meant for the last.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use lettre::transport::smtp::client::AsyncSmtpConnection;
use vigint_core::clock::Clock;

/// Enough for mails that go out at once; servers do not like many.
const MOST_IDLE: usize = 4;
/// Servers close an idle connection after some minutes.
const LONGEST_IDLE: Duration = Duration::from_secs(60);

pub(super) struct Pool {
    clock: Arc<dyn Clock>,
    idle: Mutex<Vec<Idle>>,
}

struct Idle {
    connection: AsyncSmtpConnection,
    since: Duration,
}

impl Pool {
    pub(super) fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            clock,
            idle: Mutex::default(),
        }
    }

    /// The one that has waited least; those that waited too long are closed.
    pub(super) fn take(&self) -> Option<AsyncSmtpConnection> {
        let now = self.clock.elapsed();
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.retain(|idle| now.saturating_sub(idle.since) < LONGEST_IDLE);
        idle.pop().map(|idle| idle.connection)
    }

    /// Keeps it for the next mail, or closes it when enough are kept.
    pub(super) fn put(&self, connection: AsyncSmtpConnection) {
        let since = self.clock.elapsed();
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < MOST_IDLE {
            idle.push(Idle { connection, since });
        }
    }
}
