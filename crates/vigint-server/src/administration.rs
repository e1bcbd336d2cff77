//! What an operator orders over the network: each command as it is done on the database, and at once what it
//! means for what this server holds in memory.
//!
//! The commands themselves are `vigint_db::admin`'s, the same that the command line runs.

mod clients;
mod keys;
mod ledgers;

use std::sync::Arc;

use vigint_core::clock::Clock;
use vigint_core::locale::Locale;
use vigint_core::random::Random;
use vigint_db::AnyConnection;
use vigint_db::admin::AdminError;

use crate::database::Database;
use crate::presence::Presence;
use crate::usage::Meter;

/// What the commands need.
pub struct Administration {
    /// Rows.
    pub database: Database,
    /// Who is here.
    pub presence: Presence,
    /// Counts not yet written.
    pub meter: Arc<Meter>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Where keys come from.
    pub random: Arc<dyn Random>,
    /// The language of a client when nobody says.
    pub default_locale: Locale,
    /// What amounts are in.
    pub currency: String,
}

impl Administration {
    /// Shows out at once whose key is no longer honoured. The change itself is made by now: when this fails, the next
    /// look of the background does it.
    async fn show_out(&self) {
        if let Err(error) = self.presence.check_now().await {
            tracing::warn!(%error, "who was put out could not be shown out yet");
        }
    }

    async fn read<T: Send + 'static>(
        &self,
        query: impl FnOnce(&mut AnyConnection) -> Result<T, AdminError> + Send + 'static,
    ) -> Result<T, AdminError> {
        self.database.read(query).await
    }

    async fn write<T: Send + 'static>(
        &self,
        change: impl FnOnce(&mut AnyConnection) -> Result<T, AdminError> + Send + 'static,
    ) -> Result<T, AdminError> {
        self.database.write(change).await
    }
}
