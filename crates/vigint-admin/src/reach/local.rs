//! Commands done on the server's own database.

use std::sync::mpsc;
use std::time::Duration;

use vigint_core::client::{ClientChanges, ClientDetails};
use vigint_core::clock::{Clock as _, SystemClock, UtcTime};
use vigint_core::ids::{AlertId, ClientId, KeyId};
use vigint_core::key::ApiKey;
use vigint_core::key_request::{KeyAddition, KeyRotation};
use vigint_core::locale::Locale;
use vigint_core::random::SystemRandom;
use vigint_core::wire::{
    ActiveCountResponse, AddKeyRequest, AdminAlert, AdminAlertsResponse, AdminClient,
    AdminClientsResponse, AdminUsageResponse, AuditResponse, CreateClientRequest,
    CreatedClientResponse, CreatedKeyResponse, ReactivateRequest, RotateKeyRequest,
    RotatedKeyResponse, StatusResponse, UpdateClientRequest,
};
use vigint_db::admin::{Admin, AdminError};
use vigint_db::alerts::OutboxQuery;
use vigint_db::audit::AuditQuery;
use vigint_db::clients::{ClientStatus, Deleted};
use vigint_db::erasures::ErasedFiles;
use vigint_db::usage::UsageQuery;
use vigint_db::{AnyConnection, Db, DbError};

use super::chosen::{Chosen, operator};
use super::{Erased, FILES_GONE, FILES_TO_GO, Reach};
use crate::console;
use crate::failure::Failure;

/// How long to wait for a server to remove a client's files.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often to look whether it has.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// The server's database.
pub(crate) struct Local {
    db: Db,
    admin: Admin,
    clock: SystemClock,
    random: SystemRandom,
    default_locale: Locale,
    currency: String,
}

impl Local {
    /// Opens the server's own database, and says which it is.
    pub(crate) fn open(chosen: Chosen, may_make: bool) -> Result<Self, Failure> {
        Ok(Self {
            db: chosen.open(may_make)?,
            admin: Admin::new(operator(), chosen.actor),
            clock: SystemClock::new(),
            random: SystemRandom,
            default_locale: chosen.default_locale,
            currency: chosen.currency,
        })
    }

    fn now(&self) -> UtcTime {
        self.clock.now()
    }

    fn write<T>(
        &self,
        act: impl FnOnce(&mut AnyConnection) -> Result<T, AdminError>,
    ) -> Result<T, Failure> {
        Ok(self.db.write(act)?)
    }

    /// Waits until a server has removed the files, and says what it removed; `None` when none has.
    fn wait_for_server(&self, deleted: &Deleted) -> Result<Option<ErasedFiles>, DbError> {
        // Nobody ever sends: the wait is for its time limit.
        let (_sender, nobody) = mpsc::channel::<()>();
        let began = self.clock.elapsed();
        loop {
            let erased = self
                .db
                .read(|conn| self.admin.erased(conn, deleted.erasure_id))?;
            if erased.is_some() {
                return Ok(erased);
            }
            let waited = self.clock.elapsed().saturating_sub(began);
            if waited > PATIENCE || self.db.server_is_running()? == Some(false) {
                return Ok(None);
            }
            let _ = nobody.recv_timeout(LOOK_EVERY);
        }
    }
}

impl Reach for Local {
    fn create(&self, asked: &CreateClientRequest) -> Result<CreatedClientResponse, Failure> {
        let details = ClientDetails::check(asked, self.default_locale).map_err(AdminError::from)?;
        let key = ApiKey::generate(&self.random);
        self.write(|conn| self.admin.create_client(conn, &details, &key, self.now()))
    }

    fn list(&self, only: Option<ClientId>) -> Result<AdminClientsResponse, Failure> {
        Ok(self
            .db
            .read(|conn| self.admin.list_clients(conn, only, self.now()))?)
    }

    fn update(&self, id: ClientId, asked: &UpdateClientRequest) -> Result<AdminClient, Failure> {
        let changes = ClientChanges::check(asked).map_err(AdminError::from)?;
        self.write(|conn| self.admin.update_client(conn, id, &changes, self.now()))
    }

    fn add_key(&self, id: ClientId, asked: &AddKeyRequest) -> Result<CreatedKeyResponse, Failure> {
        let now = self.now();
        let asked = KeyAddition::check(asked, now).map_err(AdminError::from)?;
        let key = ApiKey::generate(&self.random);
        self.write(|conn| self.admin.add_key(conn, id, &asked, &key, now))
    }

    fn rotate(
        &self,
        id: ClientId,
        asked: &RotateKeyRequest,
    ) -> Result<RotatedKeyResponse, Failure> {
        let now = self.now();
        let asked = KeyRotation::check(asked, now).map_err(AdminError::from)?;
        let key = ApiKey::generate(&self.random);
        self.write(|conn| self.admin.rotate_key(conn, id, &asked, &key, now))
    }

    fn revoke_client(&self, id: ClientId) -> Result<ActiveCountResponse, Failure> {
        self.write(|conn| self.admin.revoke_client(conn, id, self.now()))
    }

    fn revoke_key(&self, id: KeyId) -> Result<ActiveCountResponse, Failure> {
        self.write(|conn| self.admin.revoke_key(conn, id, self.now()))
    }

    fn reactivate(
        &self,
        id: ClientId,
        asked: &ReactivateRequest,
    ) -> Result<ActiveCountResponse, Failure> {
        self.write(|conn| self.admin.reactivate(conn, id, asked.key_id, self.now()))
    }

    fn set_status(&self, id: ClientId, status: ClientStatus) -> Result<StatusResponse, Failure> {
        self.write(|conn| self.admin.set_status(conn, id, status, self.now()))
    }

    fn delete(&self, id: ClientId) -> Result<Erased, Failure> {
        let deleted = self.write(|conn| self.admin.delete_client(conn, id, self.now()))?;
        // The rows are gone: nothing that fails from here on may hide that.
        if let Err(error) = self.db.truncate_wal() {
            console::say(&format!(
                "Warning: for a while yet, what was erased may stand in the database's log beside its file ({error})."
            ));
        }
        let erased = self.wait_for_server(&deleted).unwrap_or_else(|error| {
            console::say(&format!(
                "Warning: whether its files are gone could not be seen: {error}."
            ));
            None
        });
        let about_files = if erased.is_some() {
            FILES_GONE
        } else if matches!(self.db.server_is_running(), Ok(Some(false))) {
            "No server is running: its files will be removed when one starts."
        } else {
            FILES_TO_GO
        };
        Ok(Erased {
            answer: deleted.response(id, erased),
            about_files,
        })
    }

    fn usage(
        &self,
        only: Option<ClientId>,
        query: &UsageQuery,
    ) -> Result<AdminUsageResponse, Failure> {
        Ok(self
            .db
            .read(|conn| self.admin.usage(conn, only, query, &self.currency))?)
    }

    fn audit(&self, query: &AuditQuery) -> Result<AuditResponse, Failure> {
        Ok(self.db.read(|conn| self.admin.audit(conn, query))?)
    }

    fn alerts(&self, query: &OutboxQuery) -> Result<AdminAlertsResponse, Failure> {
        Ok(self.db.read(|conn| self.admin.alerts(conn, query))?)
    }

    fn retry_alert(&self, id: AlertId) -> Result<AdminAlert, Failure> {
        self.write(|conn| self.admin.retry_alert(conn, id, self.now()))
    }
}
