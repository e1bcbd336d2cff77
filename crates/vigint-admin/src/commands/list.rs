//! `list`: clients and their keys.

use std::io;

use vigint_core::clock::UtcTime;
use vigint_core::ids::ClientId;
use vigint_core::wire::{AdminClient, AdminClientsResponse, ApiKeyInfo};
use vigint_db::clients::ClientRow;
use vigint_db::keys::KeyRow;

use super::Session;
use crate::console;
use crate::failure::Failure;

pub(super) fn run(session: &Session, only: Option<ClientId>) -> Result<(), Failure> {
    let rows = session.db.read(|conn| match only {
        None => Ok::<_, Failure>(vigint_db::clients::list(conn, &session.operator)?),
        Some(id) => {
            let client = session.client(conn, id)?;
            let keys = vigint_db::keys::list(conn, &session.tenant(id))?;
            Ok(vec![(client, keys)])
        }
    })?;
    let now = session.now();
    if session.json {
        let clients: Vec<_> = rows.into_iter().map(|row| admin_client(row, now)).collect();
        let count = clients.len();
        console::answer_json(&AdminClientsResponse { clients, count })?;
    } else if rows.is_empty() {
        console::answer_line("There are no clients yet: make one with `vigint-admin create`.")?;
    } else {
        print_table(&rows, now)?;
    }
    Ok(())
}

fn admin_client((client, keys): (ClientRow, Vec<KeyRow>), now: UtcTime) -> AdminClient {
    AdminClient {
        id: client.id,
        name: client.name,
        email: client.email,
        locale: client.locale.to_string(),
        time_zone: client.time_zone,
        status: client.status.to_string(),
        created_at: client.created_at,
        api_keys: keys
            .into_iter()
            .map(|key| ApiKeyInfo {
                id: key.id,
                is_active: key.is_live(now),
                name: key.name,
                prefix: key.key_prefix,
                created_at: key.created_at,
                expires_at: key.expires_at,
                last_used_at: key.last_used_at,
            })
            .collect(),
    }
}

/// A line a key; a client's own columns stand on its first.
fn print_table(rows: &[(ClientRow, Vec<KeyRow>)], now: UtcTime) -> io::Result<()> {
    let header = [
        "CLIENT",
        "NAME",
        "E-MAIL",
        "STATUS",
        "KEY",
        "PREFIX",
        "STATE",
        "LAST USED",
    ];
    let mut lines = Vec::new();
    for (client, keys) in rows {
        let of_client = [
            client.id.to_string(),
            client.name.clone(),
            client.email.clone(),
            client.status.to_string(),
        ];
        if keys.is_empty() {
            let none = ["-", "-", "no key", "-"].map(str::to_owned);
            lines.push(of_client.iter().cloned().chain(none).collect());
        }
        for (index, key) in keys.iter().enumerate() {
            let shown = if index == 0 {
                of_client.clone()
            } else {
                Default::default()
            };
            let of_key = [
                key.id.to_string(),
                if key.key_prefix.is_empty() {
                    "-".to_owned()
                } else {
                    key.key_prefix.clone()
                },
                state(key, now),
                key.last_used_at
                    .map_or_else(|| "never".to_owned(), |at| at.to_string()),
            ];
            lines.push(shown.into_iter().chain(of_key).collect());
        }
    }
    console::answer_table(&header, lines)
}

fn state(key: &KeyRow, now: UtcTime) -> String {
    if key.revoked_at.is_some() {
        "revoked for good".to_owned()
    } else if !key.is_active {
        "revoked".to_owned()
    } else {
        match key.expires_at {
            Some(end) if end <= now => "expired".to_owned(),
            Some(end) => format!("active until {end}"),
            None => "active".to_owned(),
        }
    }
}
