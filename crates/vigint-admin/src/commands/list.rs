//! `list`: clients and their keys.

use std::io;

use vigint_core::clock::UtcTime;
use vigint_core::ids::ClientId;
use vigint_core::wire::{AdminClient, AdminClientsResponse, AdminKey, KeyState};

use super::Session;
use crate::console::{self, spans};
use crate::failure::Failure;

pub(super) fn run(session: &Session, only: Option<ClientId>) -> Result<(), Failure> {
    let listed = session.reach.list(only)?;
    if session.json {
        console::answer_json(&listed)?;
    } else if listed.clients.is_empty() {
        console::answer_line("There are no clients yet: make one with `vigint-admin create`.")?;
    } else {
        print_table(&listed, session.now())?;
    }
    Ok(())
}

/// What a client is called, for a question.
pub(super) fn name_of(session: &Session, id: ClientId) -> Result<String, Failure> {
    let listed = session.reach.list(Some(id))?;
    let client = listed.clients.into_iter().next();
    Ok(client.map_or_else(String::new, |client| client.name))
}

/// A line a key; a client's own columns stand on its first.
pub(super) fn print_table(listed: &AdminClientsResponse, now: UtcTime) -> io::Result<()> {
    let header = [
        "CLIENT",
        "NAME",
        "E-MAIL",
        "STATUS",
        "KEY",
        "KEY NAME",
        "PREFIX",
        "STATE",
        "LAST USED",
    ];
    console::answer_table(
        &header,
        listed.clients.iter().flat_map(|client| lines(client, now)),
    )
}

fn lines(client: &AdminClient, now: UtcTime) -> Vec<Vec<String>> {
    let of_client = [
        client.id.to_string(),
        client.name.clone(),
        client.email.clone(),
        client.status.clone(),
    ];
    if client.api_keys.is_empty() {
        let none = ["-", "-", "-", "no key", "-"].map(str::to_owned);
        return vec![of_client.into_iter().chain(none).collect()];
    }
    let mut shown = Some(of_client);
    let mut lines = Vec::new();
    for key in &client.api_keys {
        let first = shown.take().unwrap_or_default();
        lines.push(first.into_iter().chain(of_key(key, now)).collect());
    }
    lines
}

fn of_key(key: &AdminKey, now: UtcTime) -> [String; 5] {
    let prefix = match key.key.prefix.as_str() {
        "" => "-".to_owned(),
        prefix => format!("{prefix}…"),
    };
    let used = key.key.last_used_at;
    [
        key.key.id.to_string(),
        key.key.name.clone(),
        prefix,
        state(key, now),
        used.map_or_else(|| "never".to_owned(), |at| spans::with_distance(at, now)),
    ]
}

fn state(key: &AdminKey, now: UtcTime) -> String {
    match (key.state, key.key.expires_at) {
        (KeyState::Active, Some(end)) => format!("active, expires {}", spans::distance(end, now)),
        (KeyState::Active, None) => "active".to_owned(),
        (KeyState::Expired, Some(end)) => format!("expired {}", spans::distance(end, now)),
        (KeyState::Expired, None) => "expired".to_owned(),
        (KeyState::Revoked, _) if key.revoked_at.is_some() => "revoked for good".to_owned(),
        (KeyState::Revoked, _) => "revoked".to_owned(),
    }
}
