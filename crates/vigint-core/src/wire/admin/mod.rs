//! The admin's view: what `/admin/…` takes and answers, and `vigint-admin --json` prints.

mod alerts;
mod audit;
mod clients;
mod keys;
mod usage;

pub use alerts::{AdminAlert, AdminAlertsResponse};
pub use audit::{AuditLine, AuditResponse};
pub use clients::{
    AdminClient, AdminClientsResponse, CreateClientRequest, CreatedClientResponse,
    DeletedClientResponse, HostedLeft, StatusResponse, UpdateClientRequest,
};
pub use keys::{
    ActiveCountResponse, AddKeyRequest, AdminKey, CreatedKeyResponse, KEY_SHOWN_ONCE, KeyState,
    ReactivateRequest, ReplacedKey, RotateKeyRequest, RotatedKeyResponse,
};
pub use usage::{AdminUsageResponse, AdminUsageRow, KeyTotal};
