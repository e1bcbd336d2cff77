//! What models may cost in a calendar month: of all clients, and of each. Asked before each call; told when most of it
//! is spent, and when all is.
//!
//! Calls that are under way when the last of it is spent are finished: a budget is overdrawn by a few calls at most.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::future::BoxFuture;
use vigint_config::ModelPrices;
use vigint_core::clock::Clock;
use vigint_core::money::MicroEuros;
use vigint_db::spending::Spending;
use vigint_db::usage::NewUsage;
use vigint_db::{DbError, Tenant};

use super::unwritten::Unwritten;
use crate::analysis::{Allowance, AllowanceError, Calls};
use crate::database::Database;
use crate::notices::{BudgetReached, Notices};
use crate::usage::{Spent, is_priced, spent};

/// At how many percent of a budget somebody is told, most first.
const TOLD_AT: [u8; 2] = [100, 80];
/// How many models without a price are remembered as told: providers name them.
const MOST_UNPRICED: usize = 64;

/// What budgets are kept with.
pub struct BudgetsOptions {
    /// Where spending is kept.
    pub database: Database,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// What models cost.
    pub model_prices: ModelPrices,
    /// What they may cost in a calendar month over all clients.
    pub monthly_budget: Option<MicroEuros>,
    /// What amounts are in.
    pub currency: String,
    /// Who tells that a budget is spent.
    pub notices: Arc<Notices>,
}

/// What models cost, and may.
pub struct Budgets {
    options: BudgetsOptions,
    /// Models of which it was told that nobody knows what they cost.
    unpriced: Mutex<HashSet<String>>,
    /// What is paid for and could not be written down yet.
    unwritten: Unwritten,
}

/// What one client's analyses may still cost.
struct Purse {
    budgets: Arc<Budgets>,
    tenant: Tenant,
}

impl Allowance for Purse {
    fn is_left<'a>(&'a self, calls: &'a Calls) -> BoxFuture<'a, Result<bool, AllowanceError>> {
        Box::pin(async {
            let spending = self.budgets.spending(&self.tenant).await;
            let spending = spending.map_err(|error| AllowanceError(error.to_string()))?;
            let coming = self.budgets.spent(calls).known_cost;
            let mut caps = self.budgets.caps(&spending).into_iter();
            Ok(caps.all(|cap| cap.spent + coming < cap.most))
        })
    }
}

/// A budget and what was spent of it.
struct Cap {
    is_of_all: bool,
    spent: MicroEuros,
    most: MicroEuros,
}

impl Cap {
    /// What of [`TOLD_AT`] it has reached.
    fn reached(&self) -> Option<u8> {
        let reached = |percent: &u8| {
            i128::from(self.spent.0) * 100 >= i128::from(self.most.0) * i128::from(*percent)
        };
        TOLD_AT.into_iter().find(reached)
    }
}

impl Budgets {
    /// Nothing is waiting to be written down yet.
    #[must_use]
    pub fn new(options: BudgetsOptions) -> Self {
        Self {
            options,
            unpriced: Mutex::default(),
            unwritten: Unwritten::default(),
        }
    }

    /// What may still be spent for this client.
    pub(super) fn purse(self: &Arc<Self>, tenant: &Tenant) -> Arc<dyn Allowance> {
        Arc::new(Purse {
            budgets: Arc::clone(self),
            tenant: tenant.clone(),
        })
    }

    /// What these calls came to. A model of which that is not known is named in the log, once.
    pub(super) fn spent(&self, calls: &Calls) -> Spent {
        let calls = calls.list();
        let prices = &self.options.model_prices;
        for call in calls.iter().filter(|call| !is_priced(&call.model, prices)) {
            let mut told = self.unpriced.lock().unwrap_or_else(PoisonError::into_inner);
            if told.len() < MOST_UNPRICED && told.insert(call.model.clone()) {
                tracing::warn!(
                    model = call.model,
                    "[AI] model_prices has no price of this model: what it costs is not known, and counts towards no \
                     budget"
                );
            }
        }
        spent(&calls, prices)
    }

    /// Tells of budgets of which most, or all, is spent: once a month each. What cannot be told now is told after the
    /// next call.
    pub(super) async fn tell(&self, tenant: &Tenant) {
        let spending = match self.spending(tenant).await {
            Ok(spending) => spending,
            Err(error) => return tracing::error!(%error, "what was spent cannot be read"),
        };
        for cap in self.caps(&spending) {
            let Some(percent) = cap.reached() else {
                continue;
            };
            let reached = BudgetReached {
                is_of_all: cap.is_of_all,
                percent,
                spent: cap.spent,
                most: cap.most,
                currency: self.options.currency.clone(),
            };
            let tenant = (!cap.is_of_all).then(|| tenant.clone());
            if let Err(error) = self.options.notices.tell_of_budget(reached, tenant).await {
                tracing::error!(%error, "a budget is nearly spent and it could not be told");
            }
        }
    }

    /// Keeps what models cost though it could not be written down with what it was for: that is lost and free for the
    /// customer; the provider is paid.
    pub(super) fn keep(&self, tenant: &Tenant, usage: &NewUsage) {
        self.unwritten.keep(tenant, usage);
    }

    /// Writes down what could not be written down before.
    pub(super) async fn write_down(&self) {
        self.unwritten.write_down(&self.options.database).await;
    }

    async fn spending(&self, tenant: &Tenant) -> Result<Spending, DbError> {
        let (of, now) = (tenant.clone(), self.options.clock.now());
        let spending = self
            .options
            .database
            .read(move |conn| vigint_db::spending::state(conn, &of, now));
        let mut spending = spending.await?;
        let (of_all, of_client) = self.unwritten.costs(tenant, now);
        spending.all_spent = spending.all_spent + of_all;
        spending.client_spent = spending.client_spent + of_client;
        Ok(spending)
    }

    fn caps(&self, spending: &Spending) -> Vec<Cap> {
        let of_all = self.options.monthly_budget.map(|most| Cap {
            is_of_all: true,
            spent: spending.all_spent,
            most,
        });
        let of_client = spending.client_cap.map(|most| Cap {
            is_of_all: false,
            spent: spending.client_spent,
            most,
        });
        of_all.into_iter().chain(of_client).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_told_at_eighty_and_at_a_hundred_percent() {
        let reached = |spent, most| {
            let cap = Cap {
                is_of_all: true,
                spent: MicroEuros(spent),
                most: MicroEuros(most),
            };
            cap.reached()
        };
        assert_eq!(reached(0, 10), None);
        assert_eq!(reached(799_999, 1_000_000), None);
        assert_eq!(reached(800_000, 1_000_000), Some(80));
        assert_eq!(reached(999_999, 1_000_000), Some(80));
        assert_eq!(reached(1_000_000, 1_000_000), Some(100));
        assert_eq!(reached(i64::MAX, i64::MAX), Some(100));
    }
}
