//! Who sends an alert: claimed under a lease, which its holder renews while it sends.

use diesel::prelude::*;
use vigint_core::clock::UtcTime;
use vigint_core::ids::{AlertId, ClientId};
use vigint_core::incident::{AlertKind, AlertState};

use super::{AlertRow, Stored};
use crate::schema::{alerts, clients};
use crate::stored::Moment;
use crate::{AnyConnection, DbError, Operator, Tenant};

/// An alert to send, and whose it is.
#[derive(Clone, Debug)]
pub struct ClaimedAlert {
    /// The alert.
    pub alert: AlertRow,
    /// Its client; none when it is nobody's.
    pub tenant: Option<Tenant>,
    /// What its next step is taken under.
    pub lease: Lease,
}

/// The right to take an alert's next step, until then. Made by [`claim_due`]; whoever let it run out may find that
/// another server has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    id: AlertId,
    until: UtcTime,
}

impl Lease {
    /// Which alert.
    #[must_use]
    pub const fn alert(&self) -> AlertId {
        self.id
    }

    /// Until when.
    #[must_use]
    pub const fn until(&self) -> UtcTime {
        self.until
    }
}

/// An update of the alert, as long as it is being sent under this lease and not under a later one.
macro_rules! update_under {
    ($lease:expr) => {
        diesel::update(alerts::table.find($lease.alert().to_string()))
            .filter(alerts::state.eq(AlertState::Sending.as_str()))
            .filter(alerts::lease_until.eq(Some(Moment($lease.until()))))
    };
}
pub(super) use update_under;

/// Takes the alert that has been due longest: a pending one whose time has come, or one whose sender's lease
/// ran out. It is `sending` and counts as tried once more; nobody else is given it before `lease_until`. A client's goes
/// to where its client has its mail by now. Those of the clients `but_of` are left. To be called in a transaction.
///
/// # Errors
/// When the database fails.
pub fn claim_due(
    conn: &mut AnyConnection,
    _operator: &Operator,
    now: UtcTime,
    lease_until: UtcTime,
    but_of: &[ClientId],
) -> Result<Option<ClaimedAlert>, DbError> {
    let but_of: Vec<i64> = but_of.iter().map(|client| client.0).collect();
    let due = || {
        let waiting = alerts::state
            .eq(AlertState::Pending.as_str())
            .and(alerts::next_attempt_at.le(Moment(now)));
        let abandoned = alerts::state
            .eq(AlertState::Sending.as_str())
            .and(alerts::lease_until.le(Moment(now)).assume_not_null());
        waiting.or(abandoned)
    };
    loop {
        let oldest: Option<String> = alerts::table
            .filter(due())
            .filter(
                alerts::client_id
                    .is_null()
                    .or(alerts::client_id.ne_all(&but_of).assume_not_null()),
            )
            .order((alerts::next_attempt_at, alerts::id))
            .select(alerts::id)
            .first(conn)
            .optional()?;
        let Some(id) = oldest else {
            return Ok(None);
        };
        let claimed: Option<Stored> = diesel::update(alerts::table.find(id))
            .filter(due())
            .set((
                alerts::state.eq(AlertState::Sending.as_str()),
                alerts::attempts.eq(alerts::attempts + 1),
                alerts::lease_until.eq(Moment(lease_until)),
                alerts::updated_at.eq(Moment(now)),
            ))
            .returning(alerts::all_columns)
            .get_result(conn)
            .optional()?;
        // None: another server was faster with this one.
        if let Some(claimed) = claimed {
            let mut alert = claimed.row()?;
            address(conn, &mut alert)?;
            let tenant = alert.client_id.map(Tenant::proven);
            let lease = Lease {
                id: alert.id,
                until: lease_until,
            };
            return Ok(Some(ClaimedAlert {
                alert,
                tenant,
                lease,
            }));
        }
    }
}

/// Addresses a mail of a client, and not one to the operator, to the client: since it was written the address may have
/// been corrected.
fn address(conn: &mut AnyConnection, alert: &mut AlertRow) -> Result<(), DbError> {
    let Some(client) = alert
        .client_id
        .filter(|_| alert.kind != AlertKind::Operator)
    else {
        return Ok(());
    };
    let present: Option<String> = clients::table
        .find(client.0)
        .select(clients::email)
        .first(conn)
        .optional()?;
    if let Some(present) = present.filter(|email| *email != alert.recipient) {
        diesel::update(alerts::table.find(alert.id.to_string()))
            .set(alerts::recipient.eq(&present))
            .execute(conn)?;
        alert.recipient = present;
    }
    Ok(())
}

/// Goes on sending until then. The lease to go on under; `None` when it ran out and another server has taken over, or
/// the alert is gone.
///
/// # Errors
/// When the database fails.
pub fn renew(
    conn: &mut AnyConnection,
    lease: &Lease,
    until: UtcTime,
) -> Result<Option<Lease>, DbError> {
    let renewed = update_under!(lease)
        .set(alerts::lease_until.eq(Moment(until)))
        .execute(conn)?;
    Ok((renewed > 0).then_some(Lease {
        id: lease.id,
        until,
    }))
}
