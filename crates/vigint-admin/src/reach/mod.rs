//! By which way the operator's commands are done: on the server's database, or over its admin API.
//!
//! A command is written once, against [`Reach`]; whichever way it goes, it answers with the very object that
//! the admin API answers with.

mod address;
mod chosen;
mod local;
mod no_answer;
mod remote;
mod transport;

use vigint_core::ids::{AlertId, ClientId, KeyId};
use vigint_core::wire::{
    ActiveCountResponse, AddKeyRequest, AdminAlert, AdminAlertsResponse, AdminClient,
    AdminClientsResponse, AdminUsageResponse, AuditResponse, CreateClientRequest,
    CreatedClientResponse, CreatedKeyResponse, DeletedClientResponse, ReactivateRequest,
    RotateKeyRequest, RotatedKeyResponse, StatusResponse, UpdateClientRequest,
};
use vigint_db::alerts::OutboxQuery;
use vigint_db::audit::AuditQuery;
use vigint_db::clients::ClientStatus;
use vigint_db::usage::UsageQuery;

pub(crate) use self::address::{InvalidAddress, ServerAddress};
pub(crate) use self::chosen::{Chosen, operator};
pub(crate) use self::local::Local;
pub(crate) use self::remote::Remote;
use crate::failure::Failure;

/// Everything that can be asked of a server's clients and keys.
pub(crate) trait Reach {
    fn create(&self, asked: &CreateClientRequest) -> Result<CreatedClientResponse, Failure>;
    fn list(&self, only: Option<ClientId>) -> Result<AdminClientsResponse, Failure>;
    fn update(&self, id: ClientId, asked: &UpdateClientRequest) -> Result<AdminClient, Failure>;
    fn add_key(&self, id: ClientId, asked: &AddKeyRequest) -> Result<CreatedKeyResponse, Failure>;
    fn rotate(&self, id: ClientId, asked: &RotateKeyRequest)
    -> Result<RotatedKeyResponse, Failure>;
    fn revoke_client(&self, id: ClientId) -> Result<ActiveCountResponse, Failure>;
    fn revoke_key(&self, id: KeyId) -> Result<ActiveCountResponse, Failure>;
    fn reactivate(
        &self,
        id: ClientId,
        asked: &ReactivateRequest,
    ) -> Result<ActiveCountResponse, Failure>;
    fn set_status(&self, id: ClientId, status: ClientStatus) -> Result<StatusResponse, Failure>;
    fn delete(&self, id: ClientId) -> Result<Erased, Failure>;
    fn usage(
        &self,
        only: Option<ClientId>,
        query: &UsageQuery,
    ) -> Result<AdminUsageResponse, Failure>;
    fn audit(&self, query: &AuditQuery) -> Result<AuditResponse, Failure>;
    fn alerts(&self, query: &OutboxQuery) -> Result<AdminAlertsResponse, Failure>;
    fn retry_alert(&self, id: AlertId) -> Result<AdminAlert, Failure>;
}

/// A client that was erased.
pub(crate) struct Erased {
    pub(crate) answer: DeletedClientResponse,
    /// What a person must know of its files.
    pub(crate) about_files: &'static str,
}

/// Said when a server has removed the files.
const FILES_GONE: &str = "Its files and frames are gone.";
/// Said when one has not, but runs.
const FILES_TO_GO: &str = "No server has removed its files yet: a running one does so within a second, another when it starts.";
