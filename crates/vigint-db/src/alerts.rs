//! The outbox: messages to customers and to the operator, sent by whichever server claims them.

mod digest;
mod lease;
mod life;
mod outbox;
mod thread;

use diesel::prelude::*;
use vigint_core::clock::UtcTime;
use vigint_core::ids::{AlertId, ClientId, IncidentId};
use vigint_core::incident::{AlertKind, AlertState};

pub use self::digest::{HeldAlerts, ensure_digest, held_for, sent_before};
pub use self::lease::{ClaimedAlert, Lease, claim_due, renew};
pub use self::life::{
    defer, hold, mark_dead, mark_sent, note_may_be_out, postpone, wake_for_incident,
};
pub use self::outbox::{OutboxPage, OutboxQuery, find, list, retry};
pub use self::thread::{Thread, thread_of_incident, will_be_told};
use crate::schema::alerts;
use crate::stored::{Moment, parse, time};
use crate::{AnyConnection, DbError, Tenant};

/// An alert, as kept.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the columns are described in ARCHITECTURE.md")]
pub struct AlertRow {
    pub id: AlertId,
    pub incident_id: Option<IncidentId>,
    /// None when it tells the operator of something that concerns no client.
    pub client_id: Option<ClientId>,
    pub kind: AlertKind,
    pub channel: String,
    pub recipient: String,
    pub state: AlertState,
    /// How often sending it was begun.
    pub attempts: i32,
    /// Not before.
    pub next_attempt_at: UtcTime,
    /// While it is being sent: until then nobody else begins.
    pub lease_until: Option<UtcTime>,
    pub last_error: Option<String>,
    /// The `Message-ID` of its mail, the same in every attempt.
    pub message_id: String,
    pub created_at: UtcTime,
    pub updated_at: UtcTime,
    /// What it tells when it is about no incident; for the server to read.
    pub notice: Option<String>,
}

/// An alert to send.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "as in AlertRow")]
pub struct NewAlert {
    pub id: AlertId,
    pub incident_id: Option<IncidentId>,
    pub kind: AlertKind,
    /// `email`.
    pub channel: String,
    pub recipient: String,
    /// When it is due.
    pub not_before: UtcTime,
    pub message_id: String,
    pub created_at: UtcTime,
    pub notice: Option<String>,
}

#[derive(Queryable)]
struct Stored {
    id: String,
    incident_id: Option<String>,
    client_id: Option<i64>,
    kind: String,
    channel: String,
    recipient: String,
    state: String,
    attempts: i32,
    next_attempt_at: Moment,
    lease_until: Option<Moment>,
    last_error: Option<String>,
    message_id: String,
    created_at: Moment,
    updated_at: Moment,
    notice: Option<String>,
    _subject: Option<String>,
    _told_in: Option<String>,
}

impl Stored {
    fn row(self) -> Result<AlertRow, DbError> {
        let incident_id = self.incident_id.as_deref();
        Ok(AlertRow {
            id: parse("alerts", "id", &self.id)?,
            incident_id: incident_id
                .map(|id| parse("alerts", "incident_id", id))
                .transpose()?,
            client_id: self.client_id.map(ClientId),
            kind: parse("alerts", "kind", &self.kind)?,
            channel: self.channel,
            recipient: self.recipient,
            state: parse("alerts", "state", &self.state)?,
            attempts: self.attempts,
            next_attempt_at: self.next_attempt_at.0,
            lease_until: time(self.lease_until),
            last_error: self.last_error,
            message_id: self.message_id,
            created_at: self.created_at.0,
            updated_at: self.updated_at.0,
            notice: self.notice,
        })
    }
}

/// Puts an alert of this client, or of none, into the outbox. One about an incident always is a client's.
///
/// # Errors
/// [`DbError::Gone`] when the client, or the incident as one of its own, is not there.
pub fn insert<'a>(
    conn: &mut AnyConnection,
    tenant: impl Into<Option<&'a Tenant>>,
    new: &NewAlert,
) -> Result<(), DbError> {
    let client_id = tenant.into().map(|tenant| tenant.client_id().0);
    diesel::insert_into(alerts::table)
        .values((
            alerts::id.eq(new.id.to_string()),
            alerts::incident_id.eq(new.incident_id.map(|id| id.to_string())),
            alerts::client_id.eq(client_id),
            alerts::kind.eq(new.kind.as_str()),
            alerts::channel.eq(&new.channel),
            alerts::recipient.eq(&new.recipient),
            alerts::state.eq(AlertState::Pending.as_str()),
            alerts::next_attempt_at.eq(Moment(new.not_before)),
            alerts::message_id.eq(&new.message_id),
            alerts::created_at.eq(Moment(new.created_at)),
            alerts::updated_at.eq(Moment(new.created_at)),
            alerts::notice.eq(&new.notice),
        ))
        .execute(conn)?;
    Ok(())
}

/// An alert of this client.
///
/// # Errors
/// When the database fails.
pub fn get(
    conn: &mut AnyConnection,
    tenant: &Tenant,
    id: AlertId,
) -> Result<Option<AlertRow>, DbError> {
    alerts::table
        .find(id.to_string())
        .filter(alerts::client_id.eq(tenant.client_id().0))
        .get_result(conn)
        .optional()?
        .map(Stored::row)
        .transpose()
}
