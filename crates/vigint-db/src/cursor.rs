//! Where a page of a list ended: the time and the id of its last row, as an opaque text.

use std::fmt;
use std::str::FromStr;

use vigint_core::clock::UtcTime;

use crate::DbError;

/// The place behind the last row of a page, in a list that goes from newest to oldest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cursor<Id> {
    pub(crate) at: UtcTime,
    pub(crate) id: Id,
}

impl<Id: fmt::Display> fmt::Display for Cursor<Id> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}_{}", self.at.unix_millis(), self.id)
    }
}

impl<Id: FromStr> FromStr for Cursor<Id> {
    type Err = DbError;
    fn from_str(text: &str) -> Result<Self, DbError> {
        let (millis, id) = text.split_once('_').ok_or(DbError::BadCursor)?;
        Ok(Self {
            at: UtcTime::from_unix_millis(millis.parse().map_err(|_| DbError::BadCursor)?),
            id: id.parse().map_err(|_| DbError::BadCursor)?,
        })
    }
}

/// Cuts what was read with one row more than `limit` down to a page; true when more follows.
pub(crate) fn cut_to_page<Row>(rows: &mut Vec<Row>, limit: i64) -> bool {
    let limit = usize::try_from(limit).unwrap_or(0);
    let more = rows.len() > limit;
    rows.truncate(limit);
    more
}
