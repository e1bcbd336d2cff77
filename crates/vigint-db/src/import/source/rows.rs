//! Rows of the earlier database, as found.

use std::ops::Deref;

use diesel::QueryableByName;
use diesel::deserialize::{self, FromSql, FromSqlRow};
use diesel::sql_types::{BigInt, Binary, Bool, Double, Nullable};

use crate::connection::{MultiBackend, MultiRawValue};

/// A text of whatever bytes: what is no UTF-8 is U+FFFD here, and fails nothing.
#[derive(Debug, FromSqlRow)]
pub(in crate::import) struct LooseText(String);

impl FromSql<Binary, MultiBackend> for LooseText {
    fn from_sql(value: MultiRawValue<'_>) -> deserialize::Result<Self> {
        let bytes = value.from_sql::<Vec<u8>, Binary>()?;
        Ok(Self(String::from_utf8_lossy(&bytes).into_owned()))
    }
}

impl Deref for LooseText {
    type Target = str;
    fn deref(&self) -> &str {
        &self.0
    }
}

/// A client, as found.
#[derive(Debug, QueryableByName)]
pub(in crate::import) struct OldClient {
    #[diesel(sql_type = BigInt)]
    pub(in crate::import) id: i64,
    #[diesel(sql_type = Nullable<Binary>)]
    pub(in crate::import) name: Option<LooseText>,
    #[diesel(sql_type = Nullable<Binary>)]
    pub(in crate::import) email: Option<LooseText>,
    #[diesel(sql_type = Nullable<Binary>)]
    pub(in crate::import) created_at: Option<LooseText>,
    #[diesel(sql_type = Nullable<Binary>)]
    pub(in crate::import) updated_at: Option<LooseText>,
}

/// A key, as found.
#[derive(QueryableByName)]
pub(in crate::import) struct OldKey {
    #[diesel(sql_type = BigInt)]
    pub(in crate::import) id: i64,
    #[diesel(sql_type = Nullable<BigInt>)]
    pub(in crate::import) client_id: Option<i64>,
    #[diesel(sql_type = Nullable<Binary>)]
    pub(in crate::import) key_hash: Option<LooseText>,
    #[diesel(sql_type = Nullable<Binary>)]
    pub(in crate::import) name: Option<LooseText>,
    #[diesel(sql_type = Bool)]
    pub(in crate::import) is_active: bool,
    #[diesel(sql_type = Nullable<Binary>)]
    pub(in crate::import) created_at: Option<LooseText>,
    #[diesel(sql_type = Nullable<Binary>)]
    pub(in crate::import) updated_at: Option<LooseText>,
}

/// A use, as found.
#[derive(Debug, QueryableByName)]
pub(in crate::import) struct OldUsage {
    #[diesel(sql_type = BigInt)]
    pub(in crate::import) id: i64,
    #[diesel(sql_type = Nullable<BigInt>)]
    pub(in crate::import) api_key_id: Option<i64>,
    #[diesel(sql_type = Nullable<Binary>)]
    pub(in crate::import) endpoint: Option<LooseText>,
    #[diesel(sql_type = Nullable<Binary>)]
    pub(in crate::import) method: Option<LooseText>,
    #[diesel(sql_type = Nullable<BigInt>)]
    pub(in crate::import) status_code: Option<i64>,
    #[diesel(sql_type = Nullable<Double>)]
    pub(in crate::import) cost: Option<f64>,
    #[diesel(sql_type = Bool)]
    pub(in crate::import) cost_is_no_number: bool,
    #[diesel(sql_type = Nullable<Binary>)]
    pub(in crate::import) timestamp: Option<LooseText>,
    #[diesel(sql_type = Nullable<BigInt>)]
    pub(in crate::import) prompt_tokens: Option<i64>,
    #[diesel(sql_type = Nullable<BigInt>)]
    pub(in crate::import) completion_tokens: Option<i64>,
}
