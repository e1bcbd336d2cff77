//! Clients: made, shown, changed, suspended, erased.

use serde::{Deserialize, Serialize};

use crate::clock::UtcTime;
use crate::ids::{ClientId, KeyId};
use crate::money::MicroEuros;
use crate::wire::AdminKey;

/// `POST /admin/clients`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CreateClientRequest {
    /// What people call it.
    pub name: String,
    /// Where its mails go; one client an address.
    pub email: String,
    /// `fr` or `en`.
    #[serde(default)]
    pub locale: Option<String>,
    /// An IANA name such as `Europe/Paris`.
    #[serde(default)]
    pub time_zone: Option<String>,
}

/// The one time a client's first key is shown.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CreatedClientResponse {
    /// Always true.
    pub success: bool,
    /// The new client.
    pub client_id: ClientId,
    /// Its name.
    pub name: String,
    /// Its address.
    pub email: String,
    /// The number of its first key.
    pub key_id: KeyId,
    /// The key itself.
    pub api_key: String,
    /// [`crate::wire::KEY_SHOWN_ONCE`].
    pub warning: String,
}

/// `PATCH /admin/clients/{id}`: what is not there stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct UpdateClientRequest {
    /// What people call it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Where its mails go.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// `fr` or `en`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locale: Option<String>,
    /// An IANA name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
    /// What its AI may cost a calendar month (UTC), in euros; 0 takes the cap away.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub monthly_budget: Option<MicroEuros>,
}

/// One client with its keys.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AdminClient {
    /// Its number.
    pub id: ClientId,
    /// Its name.
    pub name: String,
    /// Its address.
    pub email: String,
    /// `fr` or `en`.
    pub locale: String,
    /// An IANA name.
    pub time_zone: String,
    /// `active` or `suspended`.
    pub status: String,
    /// What its AI may cost a calendar month (UTC), in euros; none: no cap of its own.
    #[serde(default)]
    pub monthly_budget: Option<MicroEuros>,
    /// What its AI cost this calendar month (UTC), in euros.
    #[serde(default)]
    pub spent_this_month: MicroEuros,
    /// When it was made.
    pub created_at: UtcTime,
    /// Oldest first.
    pub api_keys: Vec<AdminKey>,
}

/// `GET /admin/clients`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AdminClientsResponse {
    /// By number.
    pub clients: Vec<AdminClient>,
    /// How many.
    pub count: usize,
}

/// What a suspend or a resume did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatusResponse {
    /// Always true.
    pub success: bool,
    /// Whom.
    pub client_id: ClientId,
    /// `active` or `suspended`, as it is now.
    pub status: String,
    /// Whether it was not so before.
    pub changed: bool,
}

/// What a delete did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the fields are what they count")]
pub struct DeletedClientResponse {
    pub success: bool,
    pub client_id: ClientId,
    pub api_keys: usize,
    pub incidents: usize,
    pub clips: usize,
    pub usage_rows: usize,
    #[serde(default)]
    pub alerts: usize,
    #[serde(default)]
    pub sources: usize,
    #[serde(default)]
    pub notices: usize,
    #[serde(default)]
    pub budget_warnings: usize,
    /// Whether the server has already removed the files and emptied the rings.
    pub files_erased: bool,
    /// How many files of clips and mails it removed; none when it has not yet.
    #[serde(default)]
    pub files: Option<i64>,
    /// How many bytes they had.
    #[serde(default)]
    pub bytes: Option<i64>,
    /// Films that lie at the hosting service, or may: only it can remove them before their time is over.
    #[serde(default)]
    pub hosted: Vec<HostedLeft>,
}

/// A film of an erased client at the hosting service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostedLeft {
    /// What the service calls it; where it never said, what we called it: the `X-Video-ID` of its upload.
    pub video_id: String,
    /// When its time there is over.
    pub until: UtcTime,
    /// Whether the service said that it has it; else its upload was begun, and what came of it is not known.
    pub is_certain: bool,
}
