//! What models cost and could not be written down, because the database failed: kept until it can be.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use vigint_core::clock::UtcTime;
use vigint_core::money::MicroEuros;
use vigint_db::spending::Month;
use vigint_db::usage::NewUsage;
use vigint_db::{DbError, Tenant};

use crate::database::Database;

/// How many may wait. While the database fails nobody's key is known: few analyses come so far.
const MOST: usize = 1_000;

/// Costs that wait to be written down, oldest first.
#[derive(Default)]
pub(super) struct Unwritten {
    rows: Mutex<VecDeque<(Tenant, NewUsage)>>,
    /// One at a time writes: the oldest stays the oldest until it is written.
    writing: tokio::sync::Mutex<()>,
}

impl Unwritten {
    /// Keeps what the provider takes. The request is counted elsewhere, and the customer pays nothing.
    pub(super) fn keep(&self, tenant: &Tenant, usage: &NewUsage) {
        let usage = NewUsage {
            requests: 0,
            cost: MicroEuros::ZERO,
            ..usage.clone()
        };
        let mut rows = self.lock();
        if rows.len() < MOST {
            rows.push_back((tenant.clone(), usage));
        } else {
            tracing::error!(
                ?usage,
                "too much waits to be written down: this cost is lost"
            );
        }
    }

    /// What of it falls into the month of `now`: of all, and of this client.
    pub(super) fn costs(&self, tenant: &Tenant, now: UtcTime) -> (MicroEuros, MicroEuros) {
        let month = Month::from(now);
        let rows = self.lock();
        let of_month = rows
            .iter()
            .filter(|(_, usage)| Month::from(usage.timestamp) == month);
        of_month.fold(
            (MicroEuros::ZERO, MicroEuros::ZERO),
            |(all, own), (whose, usage)| {
                let cost = usage.known_provider_cost;
                let is_own = whose == tenant;
                (all + cost, if is_own { own + cost } else { own })
            },
        )
    }

    /// Writes them down until the database fails. Each counts until it is written.
    pub(super) async fn write_down(&self, database: &Database) {
        let _writing = self.writing.lock().await;
        for _ in 0..MOST {
            let oldest = self.lock().front().cloned();
            let Some((tenant, usage)) = oldest else {
                return;
            };
            let written = database
                .write(move |conn| vigint_db::usage::insert(conn, &tenant, &usage))
                .await;
            match written {
                // With its client, its rows are gone.
                Ok(()) | Err(DbError::Gone) => {
                    self.lock().pop_front();
                }
                Err(error) => {
                    tracing::error!(%error, "what models cost cannot be written down; it is kept");
                    // Were it for this row alone, the others need not wait for it.
                    self.lock().rotate_left(1);
                    return;
                }
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<(Tenant, NewUsage)>> {
        self.rows.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
