//! What models may cost in a calendar month: of all clients, and of each. Asked before each call; told when most of it
//! is spent, and when all is.
//!
//! Calls that are under way when the last of it is spent are finished: a budget is overdrawn by a few calls at most.

use futures_util::future::BoxFuture;
use vigint_core::money::MicroEuros;
use vigint_db::Tenant;
use vigint_db::spending::Spending;

use super::service::IncidentsParts;
use crate::analysis::{Allowance, AllowanceError};
use crate::notices::BudgetReached;

/// At how many percent of a budget somebody is told, most first.
const TOLD_AT: [u8; 2] = [100, 80];

/// What one client's analyses may still cost.
pub(super) struct Purse<'a> {
    parts: &'a IncidentsParts,
    tenant: &'a Tenant,
}

impl Allowance for Purse<'_> {
    fn is_left(&self) -> BoxFuture<'_, Result<bool, AllowanceError>> {
        Box::pin(async {
            let spending = self.parts.spending(self.tenant).await;
            let spending = spending.map_err(|error| AllowanceError(error.to_string()))?;
            let mut caps = self.parts.caps(&spending).into_iter();
            Ok(caps.all(|cap| cap.spent < cap.most))
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

impl IncidentsParts {
    pub(super) const fn purse<'a>(&'a self, tenant: &'a Tenant) -> Purse<'a> {
        Purse {
            parts: self,
            tenant,
        }
    }

    /// Tells of budgets of which most, or all, is spent: once a month each. What cannot be told now is told after the
    /// next call.
    pub(super) async fn tell_of_budgets(&self, tenant: &Tenant) {
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
                currency: self.currency.clone(),
            };
            let tenant = (!cap.is_of_all).then(|| tenant.clone());
            if let Err(error) = self.notices.tell_of_budget(reached, tenant).await {
                tracing::error!(%error, "a budget is nearly spent and it could not be told");
            }
        }
    }

    async fn spending(&self, tenant: &Tenant) -> Result<Spending, vigint_db::DbError> {
        let (tenant, now) = (tenant.clone(), self.clock.now());
        self.database
            .read(move |conn| vigint_db::spending::state(conn, &tenant, now))
            .await
    }

    fn caps(&self, spending: &Spending) -> Vec<Cap> {
        let of_all = self.monthly_budget.map(|most| Cap {
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
