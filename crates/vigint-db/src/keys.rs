//! API keys: kept as their SHA-256, never given out again.

use diesel::prelude::*;
use vigint_core::clock::UtcTime;
use vigint_core::ids::{ClientId, KeyId};
use vigint_core::key::KeyHash;
use vigint_core::wire::KeyState;

use crate::schema::api_keys;
use crate::stored::{Moment, moment, time};
use crate::{AnyConnection, DbError, Operator, Tenant};

/// A key, as kept, without its hash.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the columns are described in ARCHITECTURE.md")]
pub struct KeyRow {
    pub id: KeyId,
    pub client_id: ClientId,
    /// How the key begins, for people to tell keys apart.
    pub key_prefix: String,
    pub name: String,
    pub scope: String,
    /// False: put out by a client-wide revoke, which can be taken back.
    pub is_active: bool,
    /// From then on it is refused.
    pub expires_at: Option<UtcTime>,
    /// Revoked by its own id, for good.
    pub revoked_at: Option<UtcTime>,
    pub last_used_at: Option<UtcTime>,
    pub created_at: UtcTime,
    pub updated_at: UtcTime,
}

impl KeyRow {
    /// Whether the key itself is accepted at `now`; its client may still be suspended.
    #[must_use]
    pub fn is_live(&self, now: UtcTime) -> bool {
        self.state(now) == KeyState::Active
    }

    /// What the key is worth at `now`.
    #[must_use]
    pub fn state(&self, now: UtcTime) -> KeyState {
        if !self.is_active || self.revoked_at.is_some() {
            KeyState::Revoked
        } else if self.expires_at.is_some_and(|end| end <= now) {
            KeyState::Expired
        } else {
            KeyState::Active
        }
    }
}

/// A key to keep.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "as in KeyRow")]
pub struct NewKey {
    pub hash: KeyHash,
    pub prefix: String,
    pub name: String,
    pub expires_at: Option<UtcTime>,
}

/// All columns but the hash.
const SHOWN: (
    api_keys::id,
    api_keys::client_id,
    api_keys::key_prefix,
    api_keys::name,
    api_keys::scope,
    api_keys::is_active,
    api_keys::expires_at,
    api_keys::revoked_at,
    api_keys::last_used_at,
    api_keys::created_at,
    api_keys::updated_at,
) = (
    api_keys::id,
    api_keys::client_id,
    api_keys::key_prefix,
    api_keys::name,
    api_keys::scope,
    api_keys::is_active,
    api_keys::expires_at,
    api_keys::revoked_at,
    api_keys::last_used_at,
    api_keys::created_at,
    api_keys::updated_at,
);

#[derive(Queryable)]
struct Stored {
    id: i64,
    client_id: i64,
    key_prefix: String,
    name: String,
    scope: String,
    is_active: bool,
    expires_at: Option<Moment>,
    revoked_at: Option<Moment>,
    last_used_at: Option<Moment>,
    created_at: Moment,
    updated_at: Moment,
}

impl From<Stored> for KeyRow {
    fn from(stored: Stored) -> Self {
        Self {
            id: KeyId(stored.id),
            client_id: ClientId(stored.client_id),
            key_prefix: stored.key_prefix,
            name: stored.name,
            scope: stored.scope,
            is_active: stored.is_active,
            expires_at: time(stored.expires_at),
            revoked_at: time(stored.revoked_at),
            last_used_at: time(stored.last_used_at),
            created_at: stored.created_at.0,
            updated_at: stored.updated_at.0,
        }
    }
}

/// Keeps a new key.
///
/// # Errors
/// [`DbError::Gone`] when the client is not there.
pub fn create(
    conn: &mut AnyConnection,
    tenant: &Tenant,
    new: &NewKey,
    now: UtcTime,
) -> Result<KeyRow, DbError> {
    let made: Stored = diesel::insert_into(api_keys::table)
        .values((
            api_keys::client_id.eq(tenant.client_id().0),
            api_keys::key_hash.eq(new.hash.to_hex()),
            api_keys::key_prefix.eq(&new.prefix),
            api_keys::name.eq(&new.name),
            api_keys::expires_at.eq(moment(new.expires_at)),
            api_keys::created_at.eq(Moment(now)),
            api_keys::updated_at.eq(Moment(now)),
        ))
        .returning(SHOWN)
        .get_result(conn)?;
    Ok(made.into())
}

/// The client's keys, in the order they were made.
///
/// # Errors
/// When the database fails.
pub fn list(conn: &mut AnyConnection, tenant: &Tenant) -> Result<Vec<KeyRow>, DbError> {
    let keys: Vec<Stored> = api_keys::table
        .filter(api_keys::client_id.eq(tenant.client_id().0))
        .order(api_keys::id)
        .select(SHOWN)
        .load(conn)?;
    Ok(keys.into_iter().map(KeyRow::from).collect())
}

/// A key by its id, whoever's it is: an operator who names a key does not have to name its client.
///
/// # Errors
/// When the database fails.
pub fn find(
    conn: &mut AnyConnection,
    _operator: &Operator,
    id: KeyId,
) -> Result<Option<KeyRow>, DbError> {
    let key: Option<Stored> = api_keys::table
        .find(id.0)
        .select(SHOWN)
        .get_result(conn)
        .optional()?;
    Ok(key.map(KeyRow::from))
}

pub(crate) fn of_all_clients(
    conn: &mut AnyConnection,
    _operator: &Operator,
) -> Result<Vec<KeyRow>, DbError> {
    let keys: Vec<Stored> = api_keys::table
        .order(api_keys::id)
        .select(SHOWN)
        .load(conn)?;
    Ok(keys.into_iter().map(KeyRow::from).collect())
}

/// Whether the key is this client's.
pub(crate) fn belongs(
    conn: &mut AnyConnection,
    tenant: &Tenant,
    key: KeyId,
) -> Result<bool, DbError> {
    let mine = api_keys::table
        .find(key.0)
        .filter(api_keys::client_id.eq(tenant.client_id().0));
    Ok(diesel::select(diesel::dsl::exists(mine)).get_result(conn)?)
}

/// Puts every key of the client out; [`reactivate_all`] takes it back. How many of them were honoured at `now` until
/// then. Those whose time is over are put out, too: another machine's clock may think otherwise.
///
/// # Errors
/// When the database fails.
pub fn revoke_all(
    conn: &mut AnyConnection,
    tenant: &Tenant,
    now: UtcTime,
) -> Result<usize, DbError> {
    let live = list(conn, tenant)?
        .iter()
        .filter(|key| key.is_live(now))
        .count();
    diesel::update(api_keys::table)
        .filter(api_keys::client_id.eq(tenant.client_id().0))
        .filter(api_keys::is_active.eq(true))
        .filter(api_keys::revoked_at.is_null())
        .set((
            api_keys::is_active.eq(false),
            api_keys::updated_at.eq(Moment(now)),
        ))
        .execute(conn)?;
    Ok(live)
}

/// Revives the keys that [`revoke_all`] put out; one revoked by its own id stays dead. How many of them are honoured
/// at `now` from then on.
///
/// # Errors
/// When the database fails.
pub fn reactivate_all(
    conn: &mut AnyConnection,
    tenant: &Tenant,
    now: UtcTime,
) -> Result<usize, DbError> {
    let count_live = |conn: &mut AnyConnection| {
        let keys = list(conn, tenant)?;
        Ok::<_, DbError>(keys.iter().filter(|key| key.is_live(now)).count())
    };
    let before = count_live(conn)?;
    diesel::update(api_keys::table)
        .filter(api_keys::client_id.eq(tenant.client_id().0))
        .filter(api_keys::is_active.eq(false))
        .filter(api_keys::revoked_at.is_null())
        .set((
            api_keys::is_active.eq(true),
            api_keys::updated_at.eq(Moment(now)),
        ))
        .execute(conn)?;
    Ok(count_live(conn)?.saturating_sub(before))
}

/// Revokes one key for good; false when the client has no such key, or it was revoked before.
///
/// # Errors
/// When the database fails.
pub fn revoke(
    conn: &mut AnyConnection,
    tenant: &Tenant,
    key: KeyId,
    now: UtcTime,
) -> Result<bool, DbError> {
    let revoked = diesel::update(api_keys::table.find(key.0))
        .filter(api_keys::client_id.eq(tenant.client_id().0))
        .filter(api_keys::revoked_at.is_null())
        .set((
            api_keys::revoked_at.eq(Moment(now)),
            api_keys::updated_at.eq(Moment(now)),
        ))
        .execute(conn)?;
    Ok(revoked > 0)
}

/// Revives one key that [`revoke_all`] put out; false when the client has no such key, it lives already, or
/// it was revoked by its own id.
///
/// # Errors
/// When the database fails.
pub fn reactivate(
    conn: &mut AnyConnection,
    tenant: &Tenant,
    key: KeyId,
    now: UtcTime,
) -> Result<bool, DbError> {
    let revived = diesel::update(api_keys::table.find(key.0))
        .filter(api_keys::client_id.eq(tenant.client_id().0))
        .filter(api_keys::is_active.eq(false))
        .filter(api_keys::revoked_at.is_null())
        .set((
            api_keys::is_active.eq(true),
            api_keys::updated_at.eq(Moment(now)),
        ))
        .execute(conn)?;
    Ok(revived > 0)
}

/// Lets one key end by itself at `expires_at`, or before when it would have; false when the client has no such key.
///
/// # Errors
/// When the database fails.
pub fn expire(
    conn: &mut AnyConnection,
    tenant: &Tenant,
    key: KeyId,
    expires_at: UtcTime,
    now: UtcTime,
) -> Result<bool, DbError> {
    let ends_later = api_keys::expires_at.is_null().or(api_keys::expires_at
        .gt(Moment(expires_at))
        .assume_not_null());
    if !belongs(conn, tenant, key)? {
        return Ok(false);
    }
    diesel::update(api_keys::table.find(key.0))
        .filter(api_keys::client_id.eq(tenant.client_id().0))
        .filter(ends_later)
        .set((
            api_keys::expires_at.eq(Moment(expires_at)),
            api_keys::updated_at.eq(Moment(now)),
        ))
        .execute(conn)?;
    Ok(true)
}
