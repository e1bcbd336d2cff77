//! Delivers alerts that are due: several at once, each claimed by one server under a lease.

use std::pin::pin;
use std::time::Duration;

use tracing::Instrument as _;
use vigint_core::clock::UtcTime;
use vigint_core::ids::{AlertId, ClientId};
use vigint_core::incident::AlertKind;
use vigint_db::alerts::{ClaimedAlert, Lease, NewAlert};
use vigint_db::{AnyConnection, DbError, Operator};

use super::JobParts;
use super::mail_slots::MailSlots;
use super::schedule::Schedule;
use crate::alerts::{Attempt, Delivery, Pass, wait_after};

/// A server that died is replaced after this.
const LEASE: Duration = Duration::from_secs(20);
/// One that lives says so this often: a mail server may take its time.
const RENEW_EVERY: Duration = Duration::from_secs(5);
/// Alerts become due by time: looked for this often.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How often something is tried that was begun and never ended: it may be what the server died of.
const MOST_ATTEMPTS: i32 = 32;
/// A digest waits so long for what else is held back.
const DIGEST_WAIT: Duration = Duration::from_secs(60);
/// The next digest of a client comes after this.
const DIGEST_QUIET: Duration = Duration::from_secs(3600);
/// What became of a mail is tried again to be written down after these: else it is sent twice.
const CONCLUDE_AGAIN_AFTER: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(3)];

pub(super) async fn run(parts: JobParts, schedule: Schedule) {
    let mut slots = MailSlots::default();
    loop {
        if let Err(error) = send_due(&parts, &mut slots, &schedule).await {
            tracing::error!(%error, "an alert's row could not be read or written");
        }
        tokio::select! {
            Some(ended) = slots.ended() => {
                if let Err(error) = ended {
                    tracing::error!(%error, "a mail was not handed over: it is tried again when its lease is over");
                }
            }
            goes_on = schedule.called(&parts.alerts.due, LOOK_EVERY) => if !goes_on { break },
        }
    }
    while slots.ended().await.is_some() {}
}

/// Begins to send what is due, as far as there is room for it.
async fn send_due(
    parts: &JobParts,
    slots: &mut MailSlots,
    schedule: &Schedule,
) -> Result<(), DbError> {
    while slots.has_room()
        && let Some(pass) = parts.alerts.pass()
        && let Some(claimed) = claim(parts, slots.full_of()).await?
    {
        let span = tracing::info_span!("mail", alert = %claimed.alert.id);
        let client = claimed.alert.client_id;
        let sending = send(parts.clone(), schedule.clone(), claimed, pass);
        slots.send(client, sending.instrument(span));
    }
    Ok(())
}

async fn claim(parts: &JobParts, but_of: Vec<ClientId>) -> Result<Option<ClaimedAlert>, DbError> {
    let now = parts.clock.now();
    parts
        .database
        .write(move |conn| {
            let job = Operator::named("alert job");
            vigint_db::alerts::claim_due(conn, &job, now, now + LEASE, &but_of)
        })
        .await
}

async fn send(parts: JobParts, schedule: Schedule, claimed: ClaimedAlert, pass: Pass) {
    let (attempt, lease) = if claimed.alert.attempts > MOST_ATTEMPTS {
        (
            Attempt::GivenUp("it was begun too often and never ended".to_owned()),
            claimed.lease.clone(),
        )
    } else {
        match send_under_lease(&parts, &claimed).await {
            Some(sent) => sent,
            // Another server has it.
            None => return,
        }
    };
    drop(pass);
    let ending = Ending::of(&parts, &claimed, &attempt);
    let concluded = schedule
        .tried_again_after(&CONCLUDE_AGAIN_AFTER, || {
            conclude(&parts, &claimed, &ending, &lease)
        })
        .await;
    if let Err(error) = concluded {
        tracing::error!(%error, "what became of a mail could not be written down: it may be sent again");
    }
}

/// Sends it, and renews the lease until it is sent. None when the lease ran out: then it is another server's.
async fn send_under_lease(parts: &JobParts, claimed: &ClaimedAlert) -> Option<(Attempt, Lease)> {
    let mut lease = claimed.lease.clone();
    let mut sending = pin!(parts.alerts.deliver(claimed));
    loop {
        if let Ok(attempt) = tokio::time::timeout(RENEW_EVERY, &mut sending).await {
            return Some((attempt, lease));
        }
        let until = parts.clock.now() + LEASE;
        let held = lease.clone();
        let renewed = parts
            .database
            .write(move |conn| vigint_db::alerts::renew(conn, &held, until))
            .await;
        match renewed {
            Ok(Some(renewed)) => lease = renewed,
            Ok(None) => {
                tracing::warn!("the lease of a mail ran out: another server sends it");
                return None;
            }
            Err(error) => {
                tracing::warn!(%error, "the lease of a mail could not be renewed");
                // Another server may send it from now on.
                if lease.until() <= parts.clock.now() {
                    return None;
                }
            }
        }
    }
}

/// What is to be written down of a mail.
struct Ending {
    step: Step,
    at: UtcTime,
    /// Tells what was held back, if anything was.
    digest: Option<NewAlert>,
}

impl Ending {
    fn of(parts: &JobParts, claimed: &ClaimedAlert, attempt: &Attempt) -> Self {
        let at = parts.clock.now();
        let step = step(parts, claimed, attempt, at);
        let leaves_untold = step.leaves_untold(claimed.alert.kind);
        Self {
            digest: leaves_untold.then(|| digest(parts, claimed, at)),
            step,
            at,
        }
    }
}

/// Writes down what became of it.
async fn conclude(
    parts: &JobParts,
    claimed: &ClaimedAlert,
    ending: &Ending,
    lease: &Lease,
) -> Result<(), DbError> {
    let (step, digest, now) = (ending.step.clone(), ending.digest.clone(), ending.at);
    let (lease, tenant) = (lease.clone(), claimed.tenant.clone());
    let gone = parts
        .database
        .write(move |conn| {
            let is_noted = step.take(conn, &lease, now)?;
            if let (true, Some(tenant), Some(digest)) = (is_noted, &tenant, &digest) {
                vigint_db::alerts::ensure_digest(conn, tenant, digest, DIGEST_QUIET)?;
            }
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

/// What is written down of an attempt.
#[derive(Clone)]
enum Step {
    Sent {
        subject: String,
    },
    Hold,
    Dead {
        why: String,
    },
    Postpone {
        until: UtcTime,
        why: String,
        /// The subject under which it may be out.
        doubt: Option<String>,
    },
    Defer {
        until: UtcTime,
        why: String,
    },
}

impl Step {
    /// Whether something may be held back after it that no digest will tell: what was held back while a digest was on
    /// its way is not in it.
    fn leaves_untold(&self, kind: AlertKind) -> bool {
        match self {
            Self::Hold => true,
            Self::Sent { .. } | Self::Dead { .. } => kind == AlertKind::Digest,
            Self::Postpone { .. } | Self::Defer { .. } => false,
        }
    }

    fn take(&self, conn: &mut AnyConnection, lease: &Lease, now: UtcTime) -> Result<bool, DbError> {
        match self {
            Self::Sent { subject } => vigint_db::alerts::mark_sent(conn, lease, subject, now),
            Self::Dead { why } => vigint_db::alerts::mark_dead(conn, lease, why, now),
            Self::Postpone { until, why, doubt } => {
                if let Some(subject) = doubt {
                    vigint_db::alerts::note_may_be_out(conn, lease, subject)?;
                }
                vigint_db::alerts::postpone(conn, lease, *until, why)
            }
            Self::Defer { until, why } => vigint_db::alerts::defer(conn, lease, *until, why),
            Self::Hold => vigint_db::alerts::hold(conn, lease, now),
        }
    }
}

fn step(parts: &JobParts, claimed: &ClaimedAlert, attempt: &Attempt, now: UtcTime) -> Step {
    let attempts = claimed.alert.attempts;
    let dead = |why: &str| {
        tracing::error!(why, attempts, "a mail is given up");
        Step::Dead {
            why: why.to_owned(),
        }
    };
    let again = |why: &str, doubt: Option<&String>| match wait_after(attempts, &*parts.random) {
        None => dead(why),
        Some(wait) => {
            tracing::warn!(
                why,
                attempts,
                "a mail was not handed over; it is tried again"
            );
            Step::Postpone {
                until: now + wait,
                why: why.to_owned(),
                doubt: doubt.cloned(),
            }
        }
    };
    match attempt {
        Attempt::Ended(Delivery::Sent { subject }) => {
            tracing::info!(attempts, "a mail was handed over");
            Step::Sent {
                subject: subject.clone(),
            }
        }
        Attempt::Ended(Delivery::OverShare) => {
            tracing::info!("a mail is held back: its client has had its share of this hour");
            Step::Hold
        }
        Attempt::Ended(Delivery::Obsolete) => Step::Dead {
            why: "what it is about is gone or over, or another mail tells it".to_owned(),
        },
        Attempt::GivenUp(why) => dead(why),
        Attempt::Failed(why) => again(why, None),
        Attempt::InDoubt { why, subject } => again(why, Some(subject)),
        // It is tried as soon as the way out is open: its own tries are not used up by that.
        Attempt::Closed(why) => Step::Defer {
            until: now,
            why: why.clone(),
        },
    }
}

fn digest(parts: &JobParts, claimed: &ClaimedAlert, now: UtcTime) -> NewAlert {
    let id = AlertId::generate(&*parts.random);
    NewAlert {
        id,
        incident_id: None,
        kind: AlertKind::Digest,
        channel: claimed.alert.channel.clone(),
        recipient: claimed.alert.recipient.clone(),
        not_before: now + DIGEST_WAIT,
        message_id: format!("digest-{id}"),
        created_at: now,
        notice: None,
    }
}
