//! `create`: a client and its first key.

use std::io;

use vigint_core::client::ClientDetails;
use vigint_core::key::ApiKey;
use vigint_core::wire::{CreateClientRequest, CreatedClientResponse, KEY_SHOWN_ONCE};
use vigint_db::DbError;
use vigint_db::clients::NewClient;
use vigint_db::keys::NewKey;

use super::Session;
use crate::console;
use crate::failure::Failure;

pub(super) fn run(session: &Session, asked: &CreateClientRequest) -> Result<(), Failure> {
    let details = ClientDetails::check(asked, session.default_locale)?;
    let key = ApiKey::generate(&session.random);
    let created = session
        .db
        .write(|conn| insert(session, conn, &details, &key));
    let created = created.map_err(|failure| match failure {
        Failure::Database(DbError::EmailTaken { .. }) => Failure::EmailTaken(details.email.clone()),
        other => other,
    })?;
    show(session.json, &created).map_err(|cause| Failure::KeyNotShown {
        client: created.client_id,
        cause,
    })
}

fn show(json: bool, created: &CreatedClientResponse) -> io::Result<()> {
    if json {
        return console::answer_json(created);
    }
    console::answer_line(&format!(
        "Client:  {} (id {})\nAPI Key: {}",
        created.name, created.client_id, created.api_key
    ))?;
    console::say(KEY_SHOWN_ONCE);
    Ok(())
}

fn insert(
    session: &Session,
    conn: &mut vigint_db::AnyConnection,
    details: &ClientDetails,
    key: &ApiKey,
) -> Result<CreatedClientResponse, Failure> {
    let now = session.now();
    let new = NewClient {
        name: details.name.clone(),
        email: details.email.clone(),
        locale: details.locale,
        time_zone: details.time_zone.clone(),
    };
    let client = vigint_db::clients::create(conn, &session.operator, &new, now)?;
    let new_key = NewKey {
        hash: key.hash(),
        prefix: key.shown_prefix().to_owned(),
        name: "default".to_owned(),
        expires_at: None,
    };
    let row = vigint_db::keys::create(conn, &session.tenant(client.id), &new_key, now)?;
    let detail = format!("client made, key {}…", row.key_prefix);
    session.audit(conn, "create", Some(client.id), Some(row.id), detail)?;
    Ok(CreatedClientResponse {
        success: true,
        client_id: client.id,
        name: client.name,
        email: client.email,
        key_id: row.id,
        api_key: key.reveal().to_owned(),
        warning: KEY_SHOWN_ONCE.to_owned(),
    })
}
