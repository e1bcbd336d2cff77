//! How a key stands that a request carried, for the operator's eyes: callers are never told.

use diesel::prelude::*;
use vigint_core::clock::UtcTime;
use vigint_core::ids::{ClientId, KeyId};
use vigint_core::key::KeyHash;

use crate::clients::ClientStatus;
use crate::schema::{api_keys, clients};
use crate::stored::{Moment, parse};
use crate::{AnyConnection, DbError, Operator, Tenant};

/// A key of a client's, whether it is accepted or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PresentedKey {
    /// Whose it is. That it was presented proves nothing here: it may be refused.
    pub tenant: Tenant,
    /// Which key.
    pub key_id: KeyId,
    /// How it begins.
    pub prefix: String,
    /// Whether it would be let in.
    pub standing: KeyStanding,
}

/// Why a key is accepted or refused. What ended the key itself comes before what its client may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyStanding {
    /// It is accepted.
    Live,
    /// Its client is suspended.
    Suspended,
    /// It ended by itself, at this time.
    Expired(UtcTime),
    /// It was revoked: by its own id at this time, or (none) together with all keys of its client.
    Revoked(Option<UtcTime>),
}

#[derive(Queryable)]
struct Stored {
    key_id: i64,
    prefix: String,
    is_active: bool,
    expires_at: Option<Moment>,
    revoked_at: Option<Moment>,
    client_id: i64,
    client_status: String,
}

/// The key with this hash, if there is one, and how it stands at `now`. The same look-up whether it is accepted,
/// refused or unknown; and only to be made when the answer to the request does not wait for it.
///
/// # Errors
/// When the database fails.
pub fn presented_key(
    conn: &mut AnyConnection,
    _operator: &Operator,
    hash: KeyHash,
    now: UtcTime,
) -> Result<Option<PresentedKey>, DbError> {
    let found: Option<Stored> = api_keys::table
        .inner_join(clients::table)
        .filter(api_keys::key_hash.eq(hash.to_hex()))
        .select((
            api_keys::id,
            api_keys::key_prefix,
            api_keys::is_active,
            api_keys::expires_at,
            api_keys::revoked_at,
            clients::id,
            clients::status,
        ))
        .get_result(conn)
        .optional()?;
    let Some(stored) = found else {
        return Ok(None);
    };
    Ok(Some(PresentedKey {
        tenant: Tenant::proven(ClientId(stored.client_id)),
        key_id: KeyId(stored.key_id),
        standing: stored.standing(now)?,
        prefix: stored.prefix,
    }))
}

impl Stored {
    fn standing(&self, now: UtcTime) -> Result<KeyStanding, DbError> {
        if self.revoked_at.is_some() || !self.is_active {
            return Ok(KeyStanding::Revoked(self.revoked_at.map(|at| at.0)));
        }
        if let Some(end) = self.expires_at.filter(|end| end.0 <= now) {
            return Ok(KeyStanding::Expired(end.0));
        }
        Ok(match parse("clients", "status", &self.client_status)? {
            ClientStatus::Active => KeyStanding::Live,
            ClientStatus::Suspended => KeyStanding::Suspended,
        })
    }
}
