//! `create`, `update`, `suspend` and `resume`.

use std::io;

use vigint_core::ids::ClientId;
use vigint_core::wire::{
    AdminClientsResponse, CreateClientRequest, CreatedClientResponse, UpdateClientRequest,
};
use vigint_db::clients::ClientStatus;

use super::{Session, list};
use crate::console;
use crate::failure::Failure;

/// Makes a client and shows its first key.
pub(super) fn create(session: &Session, asked: &CreateClientRequest) -> Result<(), Failure> {
    let created = session.reach.create(asked)?;
    show_created(session.json, &created).map_err(|cause| Failure::KeyNotShown {
        made: format!("client {} was made", created.client_id),
        cure: format!(
            "vigint-admin delete --client-id {} --yes",
            created.client_id
        ),
        cause,
    })
}

fn show_created(json: bool, created: &CreatedClientResponse) -> io::Result<()> {
    if json {
        return console::answer_json(created);
    }
    console::answer_line(&format!(
        "Client:  {} (id {})\nAPI Key: {}",
        created.name, created.client_id, created.api_key
    ))?;
    console::say(&created.warning);
    Ok(())
}

/// Changes what is known of a client, and shows it.
pub(super) fn update(
    session: &Session,
    id: ClientId,
    asked: &UpdateClientRequest,
) -> Result<(), Failure> {
    let client = session.reach.update(id, asked)?;
    if session.json {
        console::answer_json(&client)?;
    } else {
        let clients = vec![client];
        list::print_table(&AdminClientsResponse { clients, count: 1 }, session.now())?;
    }
    Ok(())
}

/// Suspends a client, or resumes it.
pub(super) fn set_status(
    session: &Session,
    id: ClientId,
    status: ClientStatus,
) -> Result<(), Failure> {
    if status == ClientStatus::Suspended {
        session.confirm(|| {
            let name = list::name_of(session, id)?;
            Ok(format!(
                "Suspend {name} (id {id})? None of its keys is honoured until it is resumed."
            ))
        })?;
    }
    let done = session.reach.set_status(id, status)?;
    if session.json {
        console::answer_json(&done)?;
        return Ok(());
    }
    let already = if done.changed { "" } else { " already" };
    let what = match status {
        ClientStatus::Active => "active: its keys are honoured",
        ClientStatus::Suspended => "suspended: none of its keys is honoured",
    };
    console::answer_line(&format!("Client {id} is{already} {what}."))?;
    Ok(())
}
