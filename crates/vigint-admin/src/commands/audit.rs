//! `audit`: who did what, newest first.

use vigint_core::ids::{ClientId, KeyId};
use vigint_db::audit::AuditQuery;

use super::Session;
use crate::cli::PageArgs;
use crate::console;
use crate::failure::Failure;

pub(super) fn run(
    session: &Session,
    client_id: Option<ClientId>,
    key_id: Option<KeyId>,
    action: Option<String>,
    page: PageArgs,
) -> Result<(), Failure> {
    let usual = AuditQuery::default();
    let found = session.reach.audit(&AuditQuery {
        client_id,
        key_id,
        action,
        limit: page.limit.map_or(usual.limit, i64::from),
        cursor: page.cursor,
    })?;
    if session.json {
        console::answer_json(&found)?;
        return Ok(());
    }
    if found.audit.is_empty() {
        console::answer_line("Nothing was done.")?;
        return Ok(());
    }
    let number = |id: Option<i64>| id.map_or_else(|| "-".to_owned(), |id| id.to_string());
    let header = ["TIME", "WHO", "WHAT", "CLIENT", "KEY", "DETAIL"];
    console::answer_table(
        &header,
        found.audit.iter().map(|line| {
            vec![
                line.at.to_string(),
                line.actor.clone(),
                line.action.clone(),
                number(line.client_id.map(|id| id.0)),
                number(line.key_id.map(|id| id.0)),
                line.detail.clone(),
            ]
        }),
    )?;
    console::say_next_page(found.next_cursor.as_deref());
    Ok(())
}
