//! `add-key` and `rotate`.

use std::io;
use std::time::Duration;

use vigint_core::clock::UtcTime;
use vigint_core::ids::{ClientId, KeyId};
use vigint_core::wire::{
    AddKeyRequest, CreatedKeyResponse, ReplacedKey, RotateKeyRequest, RotatedKeyResponse,
};

use super::Session;
use crate::console::{self, spans};
use crate::failure::Failure;

/// Makes another key and shows it.
pub(super) fn add(
    session: &Session,
    client: ClientId,
    name: Option<String>,
    expires: Option<Duration>,
) -> Result<(), Failure> {
    let asked = AddKeyRequest {
        name,
        expires_seconds: expires.map(|life| life.as_secs()),
        expires_at: None,
    };
    let made = session.reach.add_key(client, &asked)?;
    let show = || {
        if session.json {
            return console::answer_json(&made);
        }
        show_new(&made, session.now())?;
        console::say(&made.warning);
        Ok(())
    };
    show().map_err(|cause| not_shown(&made, cause))
}

/// Makes a key in the place of another, and shows it.
pub(super) fn rotate(
    session: &Session,
    client: ClientId,
    key_id: Option<KeyId>,
    grace: Option<Duration>,
    expires: Option<Duration>,
) -> Result<(), Failure> {
    let asked = RotateKeyRequest {
        key_id,
        grace_seconds: grace.map(|grace| grace.as_secs()),
        expires_seconds: expires.map(|life| life.as_secs()),
    };
    let rotated = session.reach.rotate(client, &asked)?;
    show_rotated(session, &rotated).map_err(|cause| not_shown(&rotated.new, cause))
}

fn show_rotated(session: &Session, rotated: &RotatedKeyResponse) -> io::Result<()> {
    if session.json {
        return console::answer_json(rotated);
    }
    let now = session.now();
    show_new(&rotated.new, now)?;
    console::answer_line(&format!("Old key: {}", about_old(&rotated.replaced, now)))?;
    console::say(&rotated.new.warning);
    if rotated.replaced.expires_at > now {
        console::say(&format!(
            "Bring the new key to every camera; `vigint-admin list --client-id {}` shows when the old one was last seen.",
            rotated.new.client_id
        ));
    }
    Ok(())
}

fn show_new(made: &CreatedKeyResponse, now: UtcTime) -> io::Result<()> {
    let ends = made.expires_at.map_or_else(String::new, |at| {
        format!(", ends {}", spans::with_distance(at, now))
    });
    console::answer_line(&format!(
        "Client:  {}\nKey id:  {} ({}{ends})\nAPI Key: {}",
        made.client_id, made.key_id, made.name, made.api_key
    ))
}

fn about_old(old: &ReplacedKey, now: UtcTime) -> String {
    let prefix = match old.prefix.as_str() {
        "" => String::new(),
        prefix => format!(" ({prefix}…)"),
    };
    let end = if old.expires_at <= now {
        "refused from now on".to_owned()
    } else {
        format!(
            "goes on until {}",
            spans::with_distance(old.expires_at, now)
        )
    };
    let seen = old.last_used_at.map_or_else(
        || "never used".to_owned(),
        |at| format!("last used {}", spans::with_distance(at, now)),
    );
    format!("{}{prefix}, {end}, {seen}", old.id)
}

fn not_shown(made: &CreatedKeyResponse, cause: io::Error) -> Failure {
    Failure::KeyNotShown {
        made: format!("key {} was made", made.key_id),
        cure: format!("vigint-admin revoke --key-id {} --yes", made.key_id),
        cause,
    }
}
