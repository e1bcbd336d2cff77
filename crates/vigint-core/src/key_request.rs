//! What may be asked of keys: what a new one is called, when it ends by itself, how long an old one goes on.
//! Checked alike by the command line and the admin API.

use std::time::Duration;

use crate::clock::UtcTime;
use crate::ids::KeyId;
use crate::text::{MAX_LINE_CHARS, clean_line};
use crate::wire::{AddKeyRequest, RotateKeyRequest};

/// What a key is called when nobody says.
pub const DEFAULT_KEY_NAME: &str = "default";
/// How long a replaced key goes on when nobody says: time to bring the new one to every camera.
pub const DEFAULT_GRACE: Duration = Duration::from_secs(24 * 3600);

/// Longer than this is surely a slip of the hand.
const MOST_GRACE: Duration = Duration::from_secs(366 * 24 * 3600);
const MOST_LIFE: Duration = Duration::from_secs(100 * 366 * 24 * 3600);

/// What cannot be asked of a key. The text names the field and the cure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidKeyRequest {
    /// The name.
    #[error("name: write 1 to {MAX_LINE_CHARS} characters on one line")]
    Name,
    /// The life of a new key.
    #[error("expires_seconds: a key lives for at least one second and at most 100 years")]
    Life,
    /// The end of a new key.
    #[error("expires_at: write a time to come, within 100 years, or expires_seconds instead")]
    End,
    /// The life of an old one.
    #[error("grace_seconds: a replaced key goes on for at most 366 days")]
    Grace,
}

/// A key to make beside the others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyAddition {
    /// What it is called.
    pub name: String,
    /// From when on it is refused, if ever.
    pub expires_at: Option<UtcTime>,
}

impl KeyAddition {
    /// Checks what was asked for at `now`.
    ///
    /// # Errors
    /// The first field that cannot be.
    pub fn check(asked: &AddKeyRequest, now: UtcTime) -> Result<Self, InvalidKeyRequest> {
        let name = asked.name.as_deref().unwrap_or(DEFAULT_KEY_NAME).trim();
        let fits = (1..=MAX_LINE_CHARS).contains(&name.chars().count());
        if !fits || clean_line(name) != name {
            return Err(InvalidKeyRequest::Name);
        }
        let expires_at = match (asked.expires_at, asked.expires_seconds) {
            (None, life) => end_of_life(life, now)?,
            (Some(end), None) if end > now && end.since(now) <= MOST_LIFE => Some(end),
            (Some(_), _) => return Err(InvalidKeyRequest::End),
        };
        Ok(Self {
            name: name.to_owned(),
            expires_at,
        })
    }
}

/// A key to make in the place of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyRotation {
    /// The key to replace; none when the client has only one that is honoured.
    pub key_id: Option<KeyId>,
    /// From when on the old one is refused.
    pub old_ends_at: UtcTime,
    /// From when on the new one is refused, if ever.
    pub expires_at: Option<UtcTime>,
}

impl KeyRotation {
    /// Checks what was asked for at `now`.
    ///
    /// # Errors
    /// The first field that cannot be.
    pub fn check(asked: &RotateKeyRequest, now: UtcTime) -> Result<Self, InvalidKeyRequest> {
        let grace = asked
            .grace_seconds
            .map_or(DEFAULT_GRACE, Duration::from_secs);
        if grace > MOST_GRACE {
            return Err(InvalidKeyRequest::Grace);
        }
        Ok(Self {
            key_id: asked.key_id,
            old_ends_at: now + grace,
            expires_at: end_of_life(asked.expires_seconds, now)?,
        })
    }
}

fn end_of_life(seconds: Option<u64>, now: UtcTime) -> Result<Option<UtcTime>, InvalidKeyRequest> {
    match seconds.map(Duration::from_secs) {
        None => Ok(None),
        Some(life) if life.is_zero() || life > MOST_LIFE => Err(InvalidKeyRequest::Life),
        Some(life) => Ok(Some(now + life)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UtcTime = UtcTime::UNIX_EPOCH;

    #[test]
    fn a_key_lives_for_ever_and_a_replaced_one_for_a_day_unless_said_otherwise() {
        let added = KeyAddition::check(&AddKeyRequest::default(), NOW).unwrap();
        assert_eq!((added.name.as_str(), added.expires_at), ("default", None));
        let rotation = KeyRotation::check(&RotateKeyRequest::default(), NOW).unwrap();
        assert_eq!(rotation.old_ends_at, NOW + DEFAULT_GRACE);
        assert_eq!((rotation.key_id, rotation.expires_at), (None, None));
        let at_once = RotateKeyRequest {
            grace_seconds: Some(0),
            expires_seconds: Some(60),
            ..RotateKeyRequest::default()
        };
        let rotation = KeyRotation::check(&at_once, NOW).unwrap();
        assert_eq!(rotation.old_ends_at, NOW);
        assert_eq!(rotation.expires_at, Some(NOW + Duration::from_secs(60)));
    }

    #[test]
    fn what_cannot_be_is_named() {
        let added = |name: &str, expires_seconds| {
            let name = Some(name.to_owned());
            let asked = AddKeyRequest {
                name,
                expires_seconds,
                expires_at: None,
            };
            KeyAddition::check(&asked, NOW)
        };
        for bad in ["", " ", "two\nlines", &"x".repeat(201)] {
            assert_eq!(added(bad, None), Err(InvalidKeyRequest::Name), "{bad:?}");
        }
        for bad in [0, u64::MAX] {
            assert_eq!(added("till", Some(bad)), Err(InvalidKeyRequest::Life));
        }
        let ends = |expires_at, expires_seconds| {
            let asked = AddKeyRequest {
                name: None,
                expires_seconds,
                expires_at: Some(expires_at),
            };
            KeyAddition::check(&asked, NOW)
        };
        let tomorrow = NOW + DEFAULT_GRACE;
        assert_eq!(ends(tomorrow, None).unwrap().expires_at, Some(tomorrow));
        assert_eq!(ends(NOW, None), Err(InvalidKeyRequest::End));
        assert_eq!(ends(tomorrow, Some(1)), Err(InvalidKeyRequest::End));
        let long = RotateKeyRequest {
            grace_seconds: Some(u64::MAX),
            ..RotateKeyRequest::default()
        };
        assert_eq!(
            KeyRotation::check(&long, NOW),
            Err(InvalidKeyRequest::Grace)
        );
    }
}
