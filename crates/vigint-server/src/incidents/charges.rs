//! What an analysis costs: the customer, by the operator's price list, and the operator, by the providers'. Written
//! down with what it belongs to; also when it failed, for models that answered are paid all the same.

use vigint_core::clock::UtcTime;
use vigint_core::ids::KeyId;
use vigint_core::money::MicroEuros;
use vigint_core::verdict::{StageReport, StageVerdict};
use vigint_db::auth::Caller;
use vigint_db::usage::NewUsage;
use vigint_db::{DbError, Tenant};

use super::service::IncidentsParts;
use crate::analysis::{AnalyzerError, Calls};

/// What is written down of one analysis.
pub(super) struct Charge<'a> {
    pub(super) key_id: KeyId,
    /// As its caller is answered.
    pub(super) status_code: u16,
    /// How many requests it answers: none when nobody asked for it.
    pub(super) requests: i64,
    /// What the customer pays.
    pub(super) price: MicroEuros,
    pub(super) calls: &'a Calls,
    pub(super) at: UtcTime,
}

impl IncidentsParts {
    /// The row for it.
    pub(super) fn usage(&self, charge: &Charge<'_>) -> NewUsage {
        let spent = self.budgets.spent(charge.calls);
        NewUsage {
            key_id: charge.key_id,
            endpoint: "/api/video/analyze".to_owned(),
            method: "POST".to_owned(),
            status_code: i32::from(charge.status_code),
            requests: charge.requests,
            bytes_in: 0,
            prompt_tokens: spent.prompt_tokens,
            completion_tokens: spent.completion_tokens,
            cost: charge.price,
            provider_cost: spent.cost,
            known_provider_cost: spent.known_cost,
            timestamp: charge.at,
        }
    }

    /// What the customer pays for the stages that answered.
    pub(super) fn price(&self, stages: &[StageReport]) -> MicroEuros {
        stages
            .iter()
            .filter(|report| report.verdict != StageVerdict::Failed)
            .map(|report| self.prices.of_stage(report.stage))
            .sum()
    }

    pub(super) async fn charge(&self, tenant: &Tenant, usage: NewUsage) -> Result<(), DbError> {
        let tenant = tenant.clone();
        self.database
            .write(move |conn| vigint_db::usage::insert(conn, &tenant, &usage))
            .await
    }

    /// Writes down what models counted for an analysis that failed. Whether there was anything to write, and it is
    /// written: else its request is counted like any other.
    pub(super) async fn charge_failure(
        &self,
        caller: &Caller,
        calls: &Calls,
        error: &AnalyzerError,
    ) -> bool {
        if calls.list().is_empty() {
            return false;
        }
        let usage = self.usage(&Charge {
            key_id: caller.key_id,
            status_code: error.status_code(),
            requests: 1,
            price: MicroEuros::ZERO,
            calls,
            at: self.clock.now(),
        });
        let charged = self.charge(&caller.tenant, usage.clone()).await;
        if let Err(error) = &charged {
            tracing::error!(%error, "what a failed analysis cost could not be written down");
            self.budgets.keep(&caller.tenant, &usage);
        }
        charged.is_ok()
    }
}
