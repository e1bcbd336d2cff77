//! `alerts`: the mails in the outbox, and trying one again.

use vigint_core::ids::{AlertId, ClientId};
use vigint_core::incident::AlertState;
use vigint_db::alerts::OutboxQuery;

use super::Session;
use crate::cli::PageArgs;
use crate::console;
use crate::failure::Failure;

/// The most that a page of mails has.
const LARGEST_PAGE: i64 = 200;

pub(super) fn list(
    session: &Session,
    client_id: Option<ClientId>,
    state: Option<AlertState>,
    page: PageArgs,
) -> Result<(), Failure> {
    let usual = OutboxQuery::default();
    let found = session.reach.alerts(&OutboxQuery {
        client_id,
        state,
        limit: page.limit.map_or(usual.limit, i64::from).min(LARGEST_PAGE),
        cursor: page.cursor,
    })?;
    if session.json {
        console::answer_json(&found)?;
        return Ok(());
    }
    if found.alerts.is_empty() {
        console::answer_line("There is no such mail.")?;
        return Ok(());
    }
    let header = [
        "ID", "CLIENT", "KIND", "TO", "STATE", "TRIES", "MADE", "NEXT TRY", "WHY NOT",
    ];
    console::answer_table(
        &header,
        found.alerts.iter().map(|alert| {
            let is_waiting = alert.state == AlertState::Pending;
            vec![
                alert.id.to_string(),
                alert
                    .client_id
                    .map_or_else(|| "-".to_owned(), |id| id.to_string()),
                alert.kind.clone(),
                alert.recipient.clone(),
                alert.state.to_string(),
                alert.attempts.to_string(),
                alert.created_at.to_string(),
                if is_waiting {
                    alert.next_attempt_at.to_string()
                } else {
                    "-".to_owned()
                },
                alert.last_error.clone().unwrap_or_else(|| "-".to_owned()),
            ]
        }),
    )?;
    console::say_next_page(found.next_cursor.as_deref());
    Ok(())
}

pub(super) fn retry(session: &Session, id: AlertId) -> Result<(), Failure> {
    let alert = session.reach.retry_alert(id)?;
    if session.json {
        console::answer_json(&alert)?;
    } else {
        let to = &alert.recipient;
        console::answer_line(&format!(
            "The mail to {to} is due now; a running server sends it within seconds."
        ))?;
    }
    Ok(())
}
