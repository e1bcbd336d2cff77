//! Looking through what was used, and through what was done.

use vigint_core::ids::ClientId;
use vigint_core::wire::{
    AdminUsageResponse, AdminUsageRow, AuditLine, AuditResponse, CostInfo, KeyTotal,
};

use super::{Admin, AdminError};
use crate::audit::{self, AuditQuery};
use crate::usage::{self, UsageEntry, UsageQuery};
use crate::{AnyConnection, DbError, keys};

impl Admin {
    /// `usage`: a page of what all clients used, or only this one; amounts are in `currency`.
    ///
    /// # Errors
    /// [`AdminError::NoClient`], [`AdminError::NoKey`], [`DbError::BadCursor`].
    pub fn usage(
        &self,
        conn: &mut AnyConnection,
        only: Option<ClientId>,
        query: &UsageQuery,
        currency: &str,
    ) -> Result<AdminUsageResponse, AdminError> {
        if let Some(id) = only {
            self.client(conn, id)?;
        }
        if let Some(id) = query.key_id {
            keys::find(conn, &self.operator, id)?.ok_or(AdminError::NoKey(id))?;
        }
        let page = usage::list_all(conn, &self.operator, only, query)?;
        let totals = usage::totals_by_key(conn, &self.operator, only, query)?;
        Ok(AdminUsageResponse {
            usage_count: page.usage_count,
            total_cost: CostInfo::euros(page.total_cost),
            currency: currency.to_owned(),
            keys: totals
                .into_iter()
                .map(|total| KeyTotal {
                    client_id: total.client_id,
                    client_name: total.client_name,
                    api_key_id: total.key_id,
                    prefix: total.key_prefix,
                    usage_count: total.requests,
                    bytes_in: total.bytes_in,
                    total_cost: CostInfo::euros(total.cost),
                })
                .collect(),
            usage: page.rows.into_iter().map(row).collect(),
            next_cursor: page.next_cursor,
        })
    }

    /// `audit`: a page of what was done, newest first.
    ///
    /// # Errors
    /// [`DbError::BadCursor`].
    pub fn audit(
        &self,
        conn: &mut AnyConnection,
        query: &AuditQuery,
    ) -> Result<AuditResponse, DbError> {
        let page = audit::list(conn, &self.operator, query)?;
        let line = |(id, entry): (i64, audit::AuditEntry)| AuditLine {
            id,
            at: entry.at,
            actor: entry.actor,
            action: entry.action,
            client_id: entry.client_id,
            key_id: entry.key_id,
            detail: entry.detail,
        };
        Ok(AuditResponse {
            audit: page.entries.into_iter().map(line).collect(),
            next_cursor: page.next_cursor,
        })
    }
}

fn row(entry: UsageEntry) -> AdminUsageRow {
    AdminUsageRow {
        timestamp: entry.timestamp,
        client_id: entry.client_id,
        api_key_id: entry.key_id,
        endpoint: entry.endpoint,
        method: entry.method,
        status_code: entry.status_code,
        requests: entry.requests,
        bytes_in: entry.bytes_in,
        cost: CostInfo::euros(entry.cost),
        prompt_tokens: entry.prompt_tokens,
        completion_tokens: entry.completion_tokens,
        provider_cost: entry.provider_cost.map(CostInfo::euros),
    }
}
