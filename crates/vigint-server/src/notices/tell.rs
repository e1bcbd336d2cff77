//! Writing a notice down: all of it in one transaction, once an hour.

use std::time::Duration;

use vigint_core::clock::UtcTime;
use vigint_core::ids::{AlertId, ClientId};
use vigint_core::incident::AlertKind;
use vigint_db::alerts::NewAlert;
use vigint_db::audit::AuditEntry;
use vigint_db::notices::{Claimed, NoticeClaim};
use vigint_db::spending::{self, Cap};
use vigint_db::{AnyConnection, DbError, Tenant};

use super::notice::{BudgetReached, Notice};
use super::service::Notices;

/// A kind is told of one key or address once in so long.
pub(super) const QUIET: Duration = Duration::from_secs(3600);
/// The most that is told in that time of one client's keys, and of addresses: an attack from everywhere must not
/// bury the reader, nor fill the disk.
const MOST: i64 = 20;

impl Notices {
    /// Tells that so much of a budget is spent: of this client's, or of the one over all. Once a month each.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn tell_of_budget(
        &self,
        reached: BudgetReached,
        tenant: Option<Tenant>,
    ) -> Result<(), DbError> {
        self.tell(Notice::BudgetReached { reached }, tenant)
            .await
            .map(drop)
    }

    /// Tells something, unless it was told within the hour.
    ///
    /// # Errors
    /// When the database fails.
    pub(super) async fn tell(
        &self,
        notice: Notice,
        tenant: Option<Tenant>,
    ) -> Result<Claimed, DbError> {
        let random = &*self.options.random;
        let telling = Telling {
            tenant,
            operator: self.options.operator.clone(),
            ids: [AlertId::generate(random), AlertId::generate(random)],
            now: self.options.clock.now(),
            notice: notice.clone(),
        };
        let client = telling.tenant.as_ref().map(|tenant| tenant.client_id().0);
        let kind = notice.kind();
        let claimed = self.options.database.write(move |conn| telling.write(conn));
        let claimed = match claimed.await {
            // Erased meanwhile: there is nobody to tell.
            Err(DbError::Gone) => return Ok(Claimed::ToldBefore(self.options.clock.now())),
            claimed => claimed?,
        };
        let (key, what) = (notice.key().map(|key| key.id.0), notice.detail());
        match claimed {
            Claimed::Granted => {
                self.options.metrics.count_notice(kind.as_str());
                tracing::warn!(
                    kind = kind.as_str(),
                    client,
                    key,
                    what,
                    "{}",
                    notice.title()
                );
            }
            Claimed::TooMany => {
                tracing::warn!(
                    kind = kind.as_str(),
                    client,
                    key,
                    what,
                    "{}: too much was told within the hour to tell this",
                    notice.title()
                );
            }
            Claimed::ToldBefore(_) => {}
        }
        Ok(claimed)
    }
}

/// A notice, and all that its rows need.
struct Telling {
    notice: Notice,
    /// The client it concerns; none when it is only an address, or all clients.
    tenant: Option<Tenant>,
    /// The operator's mail address.
    operator: Option<String>,
    /// For the client's mail, and for the operator's.
    ids: [AlertId; 2],
    now: UtcTime,
}

impl Telling {
    /// Writes the audit row and the mails, unless it was told already. In one transaction.
    fn write(&self, conn: &mut AnyConnection) -> Result<Claimed, DbError> {
        let claimed = self.claim(conn)?;
        if claimed == Claimed::Granted {
            vigint_db::audit::record(conn, &self.audit_entry())?;
            self.put_into_outbox(conn)?;
        }
        Ok(claimed)
    }

    fn claim(&self, conn: &mut AnyConnection) -> Result<Claimed, DbError> {
        if let Notice::BudgetReached { reached } = &self.notice {
            let cap = self.tenant.as_ref().map_or(Cap::OverAll, Cap::OfClient);
            let is_first =
                spending::claim_warning(conn, cap, reached.most, reached.percent, self.now)?;
            return Ok(if is_first {
                Claimed::Granted
            } else {
                Claimed::ToldBefore(self.now)
            });
        }
        let claim = NoticeClaim {
            kind: self.notice.kind().as_str(),
            subject: &self.notice.subject(),
            quiet: QUIET,
            most: match self.notice {
                // An attack from everywhere must not hide it.
                Notice::DiskNearlyFull { .. } | Notice::DiskHasRoom { .. } => i64::MAX,
                _ => MOST,
            },
        };
        vigint_db::notices::claim(conn, self.tenant.as_ref(), &claim, self.now)
    }

    fn audit_entry(&self) -> AuditEntry {
        AuditEntry {
            at: self.now,
            actor: "server".to_owned(),
            action: self.notice.kind().as_str().to_owned(),
            client_id: self.client_id(),
            key_id: self.notice.key().map(|key| key.id),
            detail: self.notice.detail(),
        }
    }

    fn client_id(&self) -> Option<ClientId> {
        self.tenant.as_ref().map(Tenant::client_id)
    }

    /// The operator's mail carries the client, too: it goes with the client.
    fn put_into_outbox(&self, conn: &mut AnyConnection) -> Result<(), DbError> {
        let client = match &self.tenant {
            Some(tenant) => vigint_db::clients::get(conn, tenant)?.map(|client| client.email),
            None => None,
        };
        let mails = [
            (AlertKind::Account, client),
            (AlertKind::Operator, self.operator.clone()),
        ];
        for ((kind, recipient), id) in mails.into_iter().zip(self.ids) {
            if let Some(recipient) = recipient {
                let alert = self.alert(id, kind, recipient);
                vigint_db::alerts::insert(conn, self.tenant.as_ref(), &alert)?;
            }
        }
        Ok(())
    }

    fn alert(&self, id: AlertId, kind: AlertKind, recipient: String) -> NewAlert {
        NewAlert {
            id,
            incident_id: None,
            kind,
            channel: "email".to_owned(),
            recipient,
            not_before: self.now,
            message_id: format!("note-{id}"),
            created_at: self.now,
            notice: Some(serde_json::to_string(&self.notice).unwrap_or_default()),
        }
    }
}
