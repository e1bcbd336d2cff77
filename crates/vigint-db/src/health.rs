//! Whether the database answers.

use diesel::RunQueryDsl;

use crate::{AnyConnection, DbError};

/// Asks the database for nothing.
///
/// # Errors
/// When it does not answer.
pub fn ping(conn: &mut AnyConnection) -> Result<(), DbError> {
    diesel::sql_query("SELECT 1").execute(conn)?;
    Ok(())
}
