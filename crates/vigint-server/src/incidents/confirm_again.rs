//! The careful look, tried again at incidents that went out unconfirmed.

use vigint_core::clock::UtcTime;
use vigint_core::incident::Triage;
use vigint_core::money::MicroEuros;
use vigint_core::text::{clean_line, clean_text};
use vigint_core::verdict::{Confirmation, RiskLevel, Stage};
use vigint_db::DbError;
use vigint_db::auth::Caller;
use vigint_db::clients::ClientStatus;
use vigint_db::incidents::SecondLook;

use super::charges::Charge;
use super::doubts::Doubt;
use super::service::Incidents;
use crate::analysis::{AnalyzerError, Calls, Opinion};

impl Incidents {
    /// Tries again what is due, one after the other. Those that nobody can confirm now wait longer. What belongs to
    /// somebody who is no longer let in is forgotten.
    pub async fn confirm_again(&self) {
        self.forget_unserved().await;
        while let Some(doubt) = self.parts.doubts.take_due() {
            match self.settle(&doubt).await {
                Ok(true) => {}
                Ok(false) => self.parts.doubts.put_back(doubt),
                Err(error) => {
                    tracing::error!(%error, incident = %doubt.incident, "a confirmation could not be tried again");
                    self.parts.doubts.put_back(doubt);
                }
            }
        }
    }

    async fn forget_unserved(&self) {
        for caller in self.parts.doubts.callers() {
            match self.is_still_served(&caller).await {
                Ok(true) => {}
                Ok(false) => self.parts.doubts.forget_key(&caller),
                Err(error) => tracing::error!(%error, "whether a key is let in cannot be read"),
            }
        }
    }

    /// Whether nothing is left to do for it.
    async fn settle(&self, doubt: &Doubt) -> Result<bool, DbError> {
        let parts = &self.parts;
        let tenant = &doubt.caller.tenant;
        if !self.is_still_served(&doubt.caller).await? || !self.is_still_in_doubt(doubt).await? {
            return Ok(true);
        }
        // Each try is written down by itself.
        let mut whole = doubt.whole.clone();
        whole.calls = Calls::default();
        let Some(turn) = parts.turns.turn(Some(tenant.client_id())).await else {
            return Ok(false);
        };
        let outcome = parts.judge.confirm(&whole, &parts.purse(tenant)).await;
        drop(turn);
        let now = parts.clock.now();
        let mut usage = parts.usage(&Charge {
            key_id: doubt.caller.key_id,
            status_code: outcome
                .as_ref()
                .map_or_else(AnalyzerError::status_code, |_| 200),
            requests: 0,
            price: MicroEuros::ZERO,
            calls: &whole.calls,
            at: now,
        });
        let was_asked = !whole.calls.list().is_empty();
        let second_look = outcome
            .ok()
            .map(|opinion| second_look(&opinion, doubt.occurrences, now));
        let is_settled = second_look.is_some();
        let price = parts.prices.of_stage(Stage::Confirm);
        let (incident, tenant_of_row) = (doubt.incident, tenant.clone());
        parts
            .database
            .write(move |conn| {
                let settled = match &second_look {
                    Some(look) => vigint_db::incidents::settle_confirmation(
                        conn,
                        &tenant_of_row,
                        incident,
                        look,
                    )?,
                    None => None,
                };
                // What changed nothing costs the customer nothing.
                if settled.is_some() {
                    usage.cost = price;
                }
                if was_asked {
                    vigint_db::usage::insert(conn, &tenant_of_row, &usage)?;
                }
                Ok::<_, DbError>(())
            })
            .await?;
        if was_asked {
            parts.tell_of_budgets(tenant).await;
        }
        Ok(is_settled)
    }

    /// A client that is suspended or gone is not worked for, nor whose key is no longer honoured.
    async fn is_still_served(&self, caller: &Caller) -> Result<bool, DbError> {
        let (tenant, key, now) = (caller.tenant.clone(), caller.key_id, self.parts.clock.now());
        self.parts
            .database
            .read(move |conn| {
                let client = vigint_db::clients::get(conn, &tenant)?;
                let is_active = client.is_some_and(|client| client.status == ClientStatus::Active);
                let keys = vigint_db::keys::list(conn, &tenant)?;
                let is_live = keys.iter().any(|row| row.id == key && row.is_live(now));
                Ok(is_active && is_live)
            })
            .await
    }

    /// Not when a later detection was confirmed, nor when its owner has dealt with it.
    async fn is_still_in_doubt(&self, doubt: &Doubt) -> Result<bool, DbError> {
        let (tenant, incident) = (doubt.caller.tenant.clone(), doubt.incident);
        let row = self
            .parts
            .database
            .read(move |conn| vigint_db::incidents::get(conn, &tenant, incident))
            .await?;
        Ok(row.is_some_and(|row| {
            row.confirmation == Confirmation::Unavailable && row.triage == Triage::New
        }))
    }
}

fn second_look(opinion: &Opinion, occurrences: i64, at: UtcTime) -> SecondLook {
    SecondLook {
        occurrences,
        confirmation: if opinion.saw_incident {
            Confirmation::Confirmed
        } else {
            Confirmation::Vetoed
        },
        incident_type: clean_line(&opinion.incident_type),
        risk_level: if opinion.saw_incident {
            opinion.risk_level
        } else {
            RiskLevel::Low
        },
        description: clean_text(&opinion.description),
        detailed_analysis: Some(clean_text(&opinion.analysis)),
        at,
    }
}
