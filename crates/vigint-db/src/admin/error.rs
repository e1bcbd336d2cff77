//! Why a command was not done.

use vigint_core::client::InvalidDetails;
use vigint_core::ids::{AlertId, ClientId, KeyId};
use vigint_core::key_request::InvalidKeyRequest;

use crate::DbError;

/// Why an operator's command was not done. Nothing was changed then.
#[derive(Debug, thiserror::Error)]
pub enum AdminError {
    /// A client's details.
    #[error("{0}")]
    Details(#[from] InvalidDetails),
    /// What was asked of a key.
    #[error("{0}")]
    KeyRequest(#[from] InvalidKeyRequest),
    /// No such client.
    #[error("there is no client {0}")]
    NoClient(ClientId),
    /// No such key.
    #[error("there is no key {0}")]
    NoKey(KeyId),
    /// No such alert.
    #[error("there is no alert {0}")]
    NoAlert(AlertId),
    /// The client has no such key; somebody else may.
    #[error("client {client} has no key {key}")]
    KeyOfAnother {
        /// Whose key it was said to be.
        client: ClientId,
        /// The key.
        key: KeyId,
    },
    /// Somebody has the address.
    #[error("a client with the e-mail address {0} is there already")]
    EmailTaken(String),
    /// What was revoked by its own number stays so.
    #[error("key {0} was revoked by its own number, which is for good: make a new key instead")]
    KeyIsDead(KeyId),
    /// Only a key that is honoured can be replaced by another without a gap.
    #[error("key {0} is not honoured any more, so there is nothing to replace: add a key instead")]
    KeyNotLive(KeyId),
    /// The client has no key that could be replaced.
    #[error("client {0} has no key that is honoured: add a key instead")]
    NoLiveKey(ClientId),
    /// It must be said which.
    #[error("client {client} has several keys that are honoured, say which one by its number: {}", .keys.join("; "))]
    SeveralLiveKeys {
        /// Whose.
        client: ClientId,
        /// Each, for a person to choose from.
        keys: Vec<String>,
    },
    /// Only what waits, was held back or given up can be tried again.
    #[error("alert {id} is {state}: only one that waits, is held or dead can be tried again")]
    NotToRetry {
        /// Which.
        id: AlertId,
        /// How far it is.
        state: &'static str,
    },
    /// The database.
    #[error("{0}")]
    Database(DbError),
}

impl From<DbError> for AdminError {
    fn from(error: DbError) -> Self {
        match error {
            DbError::EmailTaken { email } => Self::EmailTaken(email),
            other => Self::Database(other),
        }
    }
}

impl From<diesel::result::Error> for AdminError {
    fn from(error: diesel::result::Error) -> Self {
        Self::Database(error.into())
    }
}
