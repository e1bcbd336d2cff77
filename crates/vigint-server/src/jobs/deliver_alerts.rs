//! Delivers alerts that are due; on several servers each alert is claimed by one.

use std::time::Duration;

use vigint_db::alerts::ClaimedAlert;
use vigint_db::{DbError, Operator};

use super::JobParts;
use super::schedule::Schedule;
use crate::alerts::{DeliverError, Delivery};

/// A mail takes seconds; a server that died is replaced after this.
const LEASE: Duration = Duration::from_secs(120);
/// Alerts become due by time: looked for this often.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// The first wait after a failure; it doubles up to [`LONGEST_WAIT`].
const FIRST_WAIT: Duration = Duration::from_secs(10);
const LONGEST_WAIT: Duration = Duration::from_secs(3600);
/// About a day of tries.
const MAX_ATTEMPTS: i32 = 32;
/// A client over its hourly share is looked at again after this.
const SHARE_WAIT: Duration = Duration::from_secs(300);

pub(super) async fn run(parts: JobParts, schedule: Schedule) {
    loop {
        while !schedule.is_over() {
            match deliver_one(&parts).await {
                Ok(true) => {}
                Ok(false) => break,
                Err(error) => {
                    tracing::error!(%error, "an alert's row could not be read or written");
                    break;
                }
            }
        }
        if !schedule.called(&parts.alerts.due, LOOK_EVERY).await {
            return;
        }
    }
}

/// Delivers one due alert; false when none is due.
async fn deliver_one(parts: &JobParts) -> Result<bool, DbError> {
    let now = parts.clock.now();
    let claimed = parts
        .database
        .write(move |conn| {
            vigint_db::alerts::claim_due(conn, &Operator::named("alert job"), now, now + LEASE)
        })
        .await?;
    let Some(claimed) = claimed else {
        return Ok(false);
    };
    let outcome = parts.alerts.deliver(&claimed).await;
    conclude(parts, claimed, outcome).await?;
    Ok(true)
}

async fn conclude(
    parts: &JobParts,
    claimed: ClaimedAlert,
    outcome: Result<Delivery, DeliverError>,
) -> Result<(), DbError> {
    let now = parts.clock.now();
    let ClaimedAlert { alert, tenant } = claimed;
    let (id, attempts) = (alert.id, alert.attempts);
    match &outcome {
        Ok(Delivery::Sent) => tracing::info!(alert = %id, "a mail was handed over"),
        Ok(_) => {}
        Err(error) => tracing::warn!(alert = %id, %error, attempts, "a mail was not handed over"),
    }
    let gone = parts
        .database
        .write(move |conn| {
            let whose = tenant.as_ref();
            let is_noted = match outcome {
                Ok(Delivery::Sent) => vigint_db::alerts::mark_sent(conn, whose, id, now)?,
                Ok(Delivery::Later) => {
                    let why = "the client has had its mails of this hour";
                    vigint_db::alerts::defer(conn, whose, id, now + SHARE_WAIT, why)?
                }
                Ok(Delivery::Obsolete) => {
                    vigint_db::alerts::mark_dead(conn, whose, id, "what it is about is gone", now)?
                }
                Err(error) if attempts >= MAX_ATTEMPTS || !error.is_passing() => {
                    vigint_db::alerts::mark_dead(conn, whose, id, &error.to_string(), now)?
                }
                Err(error) => {
                    let next = now + wait_after(attempts);
                    vigint_db::alerts::postpone(conn, whose, id, next, &error.to_string())?
                }
            };
            let gone = match tenant.filter(|_| !is_noted) {
                Some(tenant) if vigint_db::clients::get(conn, &tenant)?.is_none() => Some(tenant),
                _ => None,
            };
            Ok::<_, DbError>(gone.map(|tenant| tenant.client_id()))
        })
        .await?;
    // Erased while its mail was on the way: what was handed over since then goes, too.
    if let Some(client) = gone
        && let Err(error) = parts.alerts.forget_client(client).await
    {
        tracing::error!(%client, %error, "mails of an erased client could not be removed");
    }
    Ok(())
}

fn wait_after(attempts: i32) -> Duration {
    let doublings = u32::try_from(attempts.saturating_sub(1))
        .unwrap_or(0)
        .min(16);
    FIRST_WAIT
        .saturating_mul(2_u32.saturating_pow(doublings))
        .min(LONGEST_WAIT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_an_hour() {
        let waits: Vec<u64> = [1, 2, 3, 9, 10, 32]
            .map(|attempts| wait_after(attempts).as_secs())
            .to_vec();
        assert_eq!(waits, [10, 20, 40, 2560, 3600, 3600]);
    }
}
