//! From a key to the client it belongs to: the one query that proves who calls.

mod presented;

use diesel::prelude::*;
use vigint_core::clock::UtcTime;
use vigint_core::ids::{ClientId, KeyId};
use vigint_core::key::KeyHash;
use vigint_core::locale::Locale;

pub use self::presented::{KeyStanding, PresentedKey, presented_key};
use crate::clients::ClientStatus;
use crate::connection::each;
use crate::schema::{api_keys, clients};
use crate::stored::{Moment, parse, time};
use crate::{AnyConnection, DbError, Operator, Tenant};

/// A statement has room for so many values on either database.
const ASKED_AT_ONCE: usize = 500;

/// Who calls, proven by a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The proof.
    pub tenant: Tenant,
    /// The key that was used.
    pub key_id: KeyId,
    /// The client's name.
    pub client_name: String,
    /// The client's e-mail address.
    pub client_email: String,
    /// The client's language.
    pub locale: Locale,
    /// The client's time zone, an IANA name.
    pub time_zone: String,
    /// What the key is called.
    pub key_name: String,
    /// How the key begins.
    pub key_prefix: String,
    /// When the key was made.
    pub key_created_at: UtcTime,
    /// From when on the key is refused, if ever.
    pub key_expires_at: Option<UtcTime>,
    /// The last use of the key that was counted.
    pub key_last_used_at: Option<UtcTime>,
}

#[derive(Queryable)]
struct Stored {
    key_id: i64,
    key_name: String,
    key_prefix: String,
    is_active: bool,
    key_expires_at: Option<Moment>,
    revoked_at: Option<Moment>,
    key_last_used_at: Option<Moment>,
    key_created_at: Moment,
    client_id: i64,
    client_name: String,
    client_email: String,
    locale: String,
    time_zone: String,
    client_status: String,
}

/// The caller whose key this is; `None` when the key is unknown, put out, revoked or expired
/// (`expires_at <= now`), or its client is suspended: the caller is not told which.
///
/// One look-up by index over both tables, on every request. There is no cache: what was revoked is refused
/// from the next request on.
///
/// # Errors
/// When the database fails.
pub fn authenticate(
    conn: &mut AnyConnection,
    hash: KeyHash,
    now: UtcTime,
) -> Result<Option<Caller>, DbError> {
    let look_up = api_keys::table
        .inner_join(clients::table)
        .filter(api_keys::key_hash.eq(hash.to_hex()))
        .select((
            api_keys::id,
            api_keys::name,
            api_keys::key_prefix,
            api_keys::is_active,
            api_keys::expires_at,
            api_keys::revoked_at,
            api_keys::last_used_at,
            api_keys::created_at,
            clients::id,
            clients::name,
            clients::email,
            clients::locale,
            clients::time_zone,
            clients::status,
        ));
    // On the connection inside, diesel knows the statement by its type and writes it once a connection.
    let found: Option<Stored> = each!(conn, c => look_up.get_result(c).optional())?;
    match found {
        Some(stored) if stored.is_accepted(now)? => stored.caller().map(Some),
        _ => Ok(None),
    }
}

/// A key that is accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AcceptedKey {
    /// The key.
    pub key: KeyId,
    /// Whose it is.
    pub client: ClientId,
    /// From when on it is refused, if ever.
    pub expires_at: Option<UtcTime>,
}

/// Of these clients every key that [`authenticate`] accepts at `now`.
///
/// # Errors
/// When the database fails.
pub fn accepted_keys(
    conn: &mut AnyConnection,
    _: &Operator,
    of: &[ClientId],
    now: UtcTime,
) -> Result<Vec<AcceptedKey>, DbError> {
    let mut accepted = Vec::new();
    for some in of.chunks(ASKED_AT_ONCE) {
        let lives_on = api_keys::expires_at
            .is_null()
            .or(api_keys::expires_at.gt(Moment(now)));
        let look_up = api_keys::table
            .inner_join(clients::table)
            .filter(clients::id.eq_any(some.iter().map(|client| client.0)))
            .filter(clients::status.eq(ClientStatus::Active.as_str()))
            .filter(api_keys::is_active.eq(true))
            .filter(api_keys::revoked_at.is_null())
            .filter(lives_on.assume_not_null())
            .select((api_keys::id, clients::id, api_keys::expires_at));
        let found: Vec<(i64, i64, Option<Moment>)> = each!(conn, c => look_up.load(c))?;
        accepted.extend(found.into_iter().map(|(key, client, end)| AcceptedKey {
            key: KeyId(key),
            client: ClientId(client),
            expires_at: time(end),
        }));
    }
    Ok(accepted)
}

impl Stored {
    fn is_accepted(&self, now: UtcTime) -> Result<bool, DbError> {
        let status: ClientStatus = parse("clients", "status", &self.client_status)?;
        let key_lives = self.is_active
            && self.revoked_at.is_none()
            && self.key_expires_at.is_none_or(|end| end.0 > now);
        Ok(key_lives && status == ClientStatus::Active)
    }

    fn caller(self) -> Result<Caller, DbError> {
        Ok(Caller {
            tenant: Tenant::proven(ClientId(self.client_id)),
            key_id: KeyId(self.key_id),
            client_name: self.client_name,
            client_email: self.client_email,
            locale: parse("clients", "locale", &self.locale)?,
            time_zone: self.time_zone,
            key_name: self.key_name,
            key_prefix: self.key_prefix,
            key_created_at: self.key_created_at.0,
            key_expires_at: time(self.key_expires_at),
            key_last_used_at: time(self.key_last_used_at),
        })
    }
}
