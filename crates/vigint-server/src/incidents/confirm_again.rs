//! The careful look, tried again at incidents that went out unconfirmed.

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use tracing::Instrument as _;
use vigint_core::clock::UtcTime;
use vigint_core::ids::{AlertId, IncidentId};
use vigint_core::incident::Triage;
use vigint_core::money::MicroEuros;
use vigint_core::text::{clean_line, clean_text};
use vigint_core::verdict::{Confirmation, RiskLevel, Stage};
use vigint_db::DbError;
use vigint_db::auth::Caller;
use vigint_db::clients::ClientStatus;
use vigint_db::incidents::SecondLook;
use vigint_db::usage::NewUsage;

use super::charges::Charge;
use super::doubts::Trial;
use super::draft::tell_of_risk;
use super::service::{Incidents, IncidentsParts};
use crate::analysis::{AnalyzerError, Calls, Look, Opinion};

impl Incidents {
    /// Tries at what is due now. They run for as long as a look takes: whoever runs them goes on asking for more.
    #[must_use]
    pub fn confirmations_due(&self) -> Vec<BoxFuture<'static, ()>> {
        let trials = self.parts.doubts.due().into_iter();
        let tries = trials.map(|trial| {
            let incidents = self.clone();
            async move { incidents.confirm_again(trial).await }.boxed()
        });
        tries.collect()
    }

    async fn confirm_again(&self, trial: Trial) {
        let (incident, client) = (trial.incident, trial.caller.tenant.client_id());
        let span = tracing::info_span!("confirmation", %client, %incident);
        let tried = self.try_again(trial).instrument(span);
        if let Err(error) = tried.await {
            tracing::error!(%error, %incident, "a confirmation could not be tried again");
        }
    }

    async fn try_again(&self, trial: Trial) -> Result<(), DbError> {
        let parts = &self.parts;
        let Some(turn) = parts
            .turns
            .turn(Some(trial.caller.tenant.client_id()))
            .await
        else {
            return Ok(());
        };
        if !self.is_still_served(&trial.caller).await? || !self.is_still_in_doubt(&trial).await? {
            trial.settled();
            return Ok(());
        }
        // Each try is written down by itself.
        let whole = Look {
            calls: Calls::default(),
            ..trial.whole.clone()
        };
        let asked = Asked {
            parts,
            caller: &trial.caller,
            calls: &whole.calls,
            is_written: false,
        };
        let outcome = parts.judge.confirm(&whole).await;
        drop(turn);
        let said = match &outcome {
            // A "no" to one of several says nothing of the others.
            Ok(opinion) if !opinion.saw_incident => trial.refuted_with_it(),
            _ => Some(trial.refuted_with_it().unwrap_or(0)),
        };
        let look = match (&outcome, said) {
            (Ok(opinion), Some(occurrences)) => {
                Some(second_look(opinion, occurrences, parts.clock.now()))
            }
            _ => None,
        };
        let status = outcome
            .as_ref()
            .map_or_else(AnalyzerError::status_code, |_| 200);
        asked.write_down(trial.incident, look, status).await?;
        match outcome {
            Ok(opinion) if opinion.saw_incident => trial.settled(),
            Ok(_) => trial.refuted(),
            Err(error) => trial.failed(&error),
        }
        Ok(())
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
    async fn is_still_in_doubt(&self, trial: &Trial) -> Result<bool, DbError> {
        let (tenant, incident) = (trial.caller.tenant.clone(), trial.incident);
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

/// What was asked for a confirmation. Cut off before it is written down, what it cost is kept all the same.
struct Asked<'a> {
    parts: &'a IncidentsParts,
    caller: &'a Caller,
    calls: &'a Calls,
    is_written: bool,
}

impl Asked<'_> {
    /// Writes down what it came to, and what it cost.
    async fn write_down(
        mut self,
        incident: IncidentId,
        look: Option<SecondLook>,
        status_code: u16,
    ) -> Result<(), DbError> {
        let (parts, tenant) = (self.parts, self.caller.tenant.clone());
        let was_asked = !self.calls.list().is_empty();
        let price = parts.prices.of_stage(Stage::Confirm);
        let mut usage = self.usage(status_code);
        let (mail, recipient) = (
            AlertId::generate(&*parts.random),
            self.caller.client_email.clone(),
        );
        let now = usage.timestamp;
        let written = parts.database.write(move |conn| {
            let settled = match &look {
                Some(look) => {
                    vigint_db::incidents::settle_confirmation(conn, &tenant, incident, look)?
                }
                None => None,
            };
            // What changed nothing costs the customer nothing.
            if let Some(settled) = &settled {
                usage.cost = price;
                tell_of_risk(conn, &tenant, settled, mail, &recipient, now)?;
            }
            if was_asked {
                vigint_db::usage::insert(conn, &tenant, &usage)?;
            }
            Ok::<_, DbError>(settled)
        });
        // From here on it goes on without us.
        self.is_written = true;
        match written.await {
            Ok(Some(settled)) => {
                tracing::info!(confirmation = %settled.row.confirmation, "an incident in doubt is settled");
            }
            Ok(None) => {}
            Err(error) => {
                self.is_written = false;
                return Err(error);
            }
        }
        if was_asked {
            parts.budgets.tell(&self.caller.tenant).await;
        }
        Ok(())
    }

    fn usage(&self, status_code: u16) -> NewUsage {
        self.parts.usage(&Charge {
            key_id: self.caller.key_id,
            status_code,
            requests: 0,
            price: MicroEuros::ZERO,
            calls: self.calls,
            at: self.parts.clock.now(),
        })
    }
}

impl Drop for Asked<'_> {
    fn drop(&mut self) {
        if !self.is_written && !self.calls.list().is_empty() {
            let usage = self.usage(AnalyzerError::TimedOut.status_code());
            self.parts.budgets.keep(&self.caller.tenant, &usage);
        }
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
