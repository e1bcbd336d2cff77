//! Commands done over a server's admin API.

use std::path::Path;

use reqwest::Method;
use serde::Serialize;
use serde::de::DeserializeOwned;
use vigint_core::clock::UtcTime;
use vigint_core::ids::{AlertId, ClientId, KeyId};
use vigint_core::key::Secret;
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

use super::transport::Transport;
use super::{Erased, FILES_GONE, FILES_TO_GO, Reach, ServerAddress};
use crate::console;
use crate::failure::Failure;

/// A server's admin API.
pub(crate) struct Remote(Transport);

impl Remote {
    /// Says which server it is. Nothing is sent yet.
    pub(crate) fn new(
        server: ServerAddress,
        key: &Secret,
        ca_file: Option<&Path>,
    ) -> Result<Self, Failure> {
        console::say(&format!("Server: {server}"));
        Transport::new(server, key, ca_file).map(Self)
    }

    fn get<Answer: DeserializeOwned>(
        &self,
        path: &str,
        query: Vec<(&'static str, Option<String>)>,
    ) -> Result<Answer, Failure> {
        let query: Vec<_> = query
            .into_iter()
            .filter_map(|(name, value)| Some((name, value?)))
            .collect();
        self.0.ask(Method::GET, path, &query, None::<&()>)
    }

    fn post<Answer: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
    ) -> Result<Answer, Failure> {
        self.0.ask(Method::POST, path, &[], Some(body))
    }

    /// A command that has nothing to say beyond its path.
    fn order<Answer: DeserializeOwned>(&self, path: &str) -> Result<Answer, Failure> {
        self.0.ask(Method::POST, path, &[], None::<&()>)
    }
}

impl Reach for Remote {
    fn create(&self, asked: &CreateClientRequest) -> Result<CreatedClientResponse, Failure> {
        self.post("admin/clients", asked)
    }

    fn list(&self, only: Option<ClientId>) -> Result<AdminClientsResponse, Failure> {
        self.get("admin/clients", vec![("client_id", text(only))])
    }

    fn update(&self, id: ClientId, asked: &UpdateClientRequest) -> Result<AdminClient, Failure> {
        let path = format!("admin/clients/{id}");
        self.0.ask(Method::PATCH, &path, &[], Some(asked))
    }

    fn add_key(&self, id: ClientId, asked: &AddKeyRequest) -> Result<CreatedKeyResponse, Failure> {
        self.post(&format!("admin/clients/{id}/keys"), asked)
    }

    fn rotate(
        &self,
        id: ClientId,
        asked: &RotateKeyRequest,
    ) -> Result<RotatedKeyResponse, Failure> {
        self.post(&format!("admin/clients/{id}/rotate"), asked)
    }

    fn revoke_client(&self, id: ClientId) -> Result<ActiveCountResponse, Failure> {
        self.order(&format!("admin/clients/{id}/revoke"))
    }

    fn revoke_key(&self, id: KeyId) -> Result<ActiveCountResponse, Failure> {
        self.order(&format!("admin/keys/{id}/revoke"))
    }

    fn reactivate(
        &self,
        id: ClientId,
        asked: &ReactivateRequest,
    ) -> Result<ActiveCountResponse, Failure> {
        self.post(&format!("admin/clients/{id}/reactivate"), asked)
    }

    fn set_status(&self, id: ClientId, status: ClientStatus) -> Result<StatusResponse, Failure> {
        let step = match status {
            ClientStatus::Active => "resume",
            ClientStatus::Suspended => "suspend",
        };
        self.order(&format!("admin/clients/{id}/{step}"))
    }

    fn delete(&self, id: ClientId) -> Result<Erased, Failure> {
        let path = format!("admin/clients/{id}");
        let answer: DeletedClientResponse = self.0.ask(Method::DELETE, &path, &[], None::<&()>)?;
        let about_files = if answer.files_erased {
            FILES_GONE
        } else {
            FILES_TO_GO
        };
        Ok(Erased {
            answer,
            about_files,
        })
    }

    fn usage(
        &self,
        only: Option<ClientId>,
        query: &UsageQuery,
    ) -> Result<AdminUsageResponse, Failure> {
        let query = vec![
            ("client_id", text(only)),
            ("key_id", text(query.key_id)),
            ("from", text::<UtcTime>(query.from)),
            ("to", text::<UtcTime>(query.to)),
            ("limit", Some(query.limit.to_string())),
            ("cursor", query.cursor.clone()),
        ];
        self.get("admin/usage", query)
    }

    fn audit(&self, query: &AuditQuery) -> Result<AuditResponse, Failure> {
        let query = vec![
            ("client_id", text(query.client_id)),
            ("key_id", text(query.key_id)),
            ("action", query.action.clone()),
            ("limit", Some(query.limit.to_string())),
            ("cursor", query.cursor.clone()),
        ];
        self.get("admin/audit", query)
    }

    fn alerts(&self, query: &OutboxQuery) -> Result<AdminAlertsResponse, Failure> {
        let query = vec![
            ("client_id", text(query.client_id)),
            ("state", text(query.state)),
            ("limit", Some(query.limit.to_string())),
            ("cursor", query.cursor.clone()),
        ];
        self.get("admin/alerts", query)
    }

    fn retry_alert(&self, id: AlertId) -> Result<AdminAlert, Failure> {
        self.order(&format!("admin/alerts/{id}/retry"))
    }
}

fn text<T: ToString>(value: Option<T>) -> Option<String> {
    value.map(|value| value.to_string())
}
