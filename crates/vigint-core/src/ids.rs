//! Ids: each its own type, so that one cannot be taken for another.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::random::Random;

macro_rules! number_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub i64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = std::num::ParseIntError;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map(Self)
            }
        }
    };
}

macro_rules! uuid_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl $name {
            /// A new id: a random UUID (version 4, RFC 9562).
            #[must_use]
            pub fn generate(random: &dyn Random) -> Self {
                let mut bytes = [0; 16];
                random.fill(&mut bytes);
                Self(uuid::Builder::from_random_bytes(bytes).into_uuid())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.hyphenated().fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Uuid::parse_str(text).map(Self)
            }
        }
    };
}

number_id!(
    /// A customer. Never used again after the customer was erased.
    ClientId
);
number_id!(
    /// One API key of a customer.
    KeyId
);
uuid_id!(
    /// One incident.
    IncidentId
);
uuid_id!(
    /// One clip: the video of an incident.
    ClipId
);
uuid_id!(
    /// One folder of clips: its database and a file in it hold the same.
    ClipsFolderId
);
uuid_id!(
    /// One message to a customer about an incident.
    AlertId
);
uuid_id!(
    /// One HTTP request, as `X-Request-Id` shows it.
    RequestId
);

/// The name by which a client tells its cameras apart: `[A-Za-z0-9][A-Za-z0-9._-]{0,63}`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SourceId(Box<str>);

/// The most characters a [`SourceId`] may have.
pub const MAX_SOURCE_ID_LENGTH: usize = 64;

/// A text that is no [`SourceId`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "source_id must be 1 to 64 characters: a letter or digit first, then letters, digits, '.', '_' or '-'"
)]
pub struct InvalidSourceId;

impl SourceId {
    /// The source of clients that have one camera and do not name it: `default`.
    #[must_use]
    pub fn default_source() -> Self {
        Self("default".into())
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for SourceId {
    type Err = InvalidSourceId;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let starts_well = text
            .bytes()
            .next()
            .is_some_and(|b| b.is_ascii_alphanumeric());
        let is_allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
        if starts_well && text.len() <= MAX_SOURCE_ID_LENGTH && text.bytes().all(is_allowed) {
            Ok(Self(text.into()))
        } else {
            Err(InvalidSourceId)
        }
    }
}

impl TryFrom<String> for SourceId {
    type Error = InvalidSourceId;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<SourceId> for String {
    fn from(id: SourceId) -> Self {
        id.0.into()
    }
}

impl fmt::Display for SourceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn source_ids_follow_their_pattern() {
        for good in ["default", "Till-2", "a", "0.1_x", &"x".repeat(64)] {
            assert_eq!(good.parse::<SourceId>().unwrap().as_str(), good);
        }
        for bad in [
            "",
            "-a",
            ".a",
            "a b",
            "a/b",
            "é",
            "..",
            &"x".repeat(65),
            "a\n",
        ] {
            assert_eq!(bad.parse::<SourceId>(), Err(InvalidSourceId), "{bad:?}");
        }
    }

    #[test]
    fn generated_ids_are_version_4_uuids() {
        let id = ClipId::generate(&crate::random::SystemRandom);
        assert_eq!(id.0.get_version_num(), 4);
        assert_eq!(id.to_string().parse::<ClipId>().unwrap(), id);
    }
}
