//! What crosses the network, as `http-api.md` promises it: the server writes these types and the client
//! and the admin's command line read them.
//!
//! Unknown fields are ignored when read; a field is never renamed or removed within a major version.

mod account;
mod admin;
mod analysis;
mod error;
mod frames;
mod health;
mod import;
mod incidents;
mod object;

pub use account::{
    ApiKeyInfo, ClientInfo, ClientResponse, KeysResponse, SourceInfo, SourceSeconds,
    SourcesResponse, UsageResponse, UsageRow, WhoamiResponse,
};
pub use admin::{
    ActiveCountResponse, AddKeyRequest, AdminAlert, AdminAlertsResponse, AdminClient,
    AdminClientsResponse, AdminKey, AdminUsageResponse, AdminUsageRow, AuditLine, AuditResponse,
    CreateClientRequest, CreatedClientResponse, CreatedKeyResponse, DeletedClientResponse,
    HostedLeft, KEY_SHOWN_ONCE, KeyState, KeyTotal, ReactivateRequest, ReplacedKey,
    RotateKeyRequest, RotatedKeyResponse, StatusResponse, UpdateClientRequest,
};
pub use analysis::{
    AlertRequest, AlertResponse, AlertStatus, AnalysisResponse, AnalyzeRequest, CostInfo,
    IncidentRef,
};
pub use error::ErrorBody;
pub use frames::{BatchRequest, BatchResponse, BufferResponse, BufferStatus, FrameRequest};
pub use health::{Checks, HealthResponse, HealthStatus};
pub use import::{ImportResponse, SkippedRow};
pub use incidents::{ClipInfo, IncidentInfo, IncidentsResponse, TriageRequest};
pub use object::Object;
