//! Which folder of clips is this database's: an id that the folder holds, too.

use diesel::prelude::*;
use vigint_core::clock::UtcTime;
use vigint_core::ids::ClipsFolderId;

use crate::connection::each;
use crate::schema::clips_folder;
use crate::stored::{Moment, parse};
use crate::{AnyConnection, DbError, Operator};

/// The number of the only row.
const ONLY: i32 = 1;

/// What the database knows of its folder of clips.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClipsFolderRow {
    /// The folder's id.
    pub id: ClipsFolderId,
    /// Whether the folder is known to have held the id.
    pub is_marked: bool,
}

/// What is known; none before a server started on this database.
///
/// # Errors
/// When the database fails.
pub fn get(
    conn: &mut AnyConnection,
    _operator: &Operator,
) -> Result<Option<ClipsFolderRow>, DbError> {
    let row: Option<(String, Option<Moment>)> = clips_folder::table
        .find(ONLY)
        .select((clips_folder::folder_id, clips_folder::marked_at))
        .get_result(conn)
        .optional()?;
    row.map(|(id, marked_at)| {
        Ok(ClipsFolderRow {
            id: parse("clips_folder", "folder_id", &id)?,
            is_marked: marked_at.is_some(),
        })
    })
    .transpose()
}

/// Gives the folder an id: this one, unless it has one that no folder holds yet, so that of two servers that start at
/// once both get the same. An id that a folder holds is replaced: that folder is not this database's any more, should
/// its disk come back. The one it has now.
///
/// # Errors
/// When the database fails.
pub fn name(
    conn: &mut AnyConnection,
    operator: &Operator,
    new: ClipsFolderId,
) -> Result<ClipsFolderId, DbError> {
    let row = (
        clips_folder::id.eq(ONLY),
        clips_folder::folder_id.eq(new.to_string()),
    );
    let insert = diesel::insert_into(clips_folder::table).values(row);
    each!(conn, c => insert.on_conflict(clips_folder::id).do_nothing().execute(c))?;
    diesel::update(clips_folder::table.filter(clips_folder::marked_at.is_not_null()))
        .set((
            clips_folder::folder_id.eq(new.to_string()),
            clips_folder::marked_at.eq(None::<Moment>),
        ))
        .execute(conn)?;
    get(conn, operator)?.map(|row| row.id).ok_or(DbError::Gone)
}

/// Notes that the folder holds the id.
///
/// # Errors
/// When the database fails.
pub fn note_marked(
    conn: &mut AnyConnection,
    _operator: &Operator,
    now: UtcTime,
) -> Result<(), DbError> {
    let unmarked = clips_folder::table.filter(clips_folder::marked_at.is_null());
    diesel::update(unmarked)
        .set(clips_folder::marked_at.eq(Moment(now)))
        .execute(conn)?;
    Ok(())
}
