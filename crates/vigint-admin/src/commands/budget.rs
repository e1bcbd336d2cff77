//! `budget`: what a client's AI may cost a month.

use vigint_core::ids::ClientId;
use vigint_core::money::MicroEuros;
use vigint_core::wire::{AdminClient, UpdateClientRequest};
use vigint_db::admin::AdminError;

use super::Session;
use crate::console;
use crate::failure::Failure;

pub(super) fn run(
    session: &Session,
    id: ClientId,
    monthly: Option<MicroEuros>,
) -> Result<(), Failure> {
    let client = match monthly {
        Some(_) => session.reach.update(
            id,
            &UpdateClientRequest {
                monthly_budget: monthly,
                ..UpdateClientRequest::default()
            },
        )?,
        None => find(session, id)?,
    };
    if session.json {
        console::answer_json(&client)?;
        return Ok(());
    }
    let most = client.monthly_budget.map_or_else(
        || "has no cap of its own".to_owned(),
        |most| format!("may cost {most} euros a month"),
    );
    console::answer_line(&format!(
        "The AI of {} (id {id}) {most}; spent this month: {} euros.",
        client.name, client.spent_this_month
    ))?;
    Ok(())
}

fn find(session: &Session, id: ClientId) -> Result<AdminClient, Failure> {
    let listed = session.reach.list(Some(id))?;
    let client = listed.clients.into_iter().next();
    client.ok_or_else(|| AdminError::NoClient(id).into())
}
