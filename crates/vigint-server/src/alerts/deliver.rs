//! The alerts service: from a claimed alert to a mail handed over.

use std::sync::Arc;
use std::time::Duration;

use lettre::Message;
use tokio::sync::Notify;
use vigint_core::clock::{Clock, UtcTime};
use vigint_core::ids::{ClientId, IncidentId};
use vigint_core::incident::{AlertKind, ClipState};
use vigint_core::locale::Locale;
use vigint_db::alerts::{AlertRow, ClaimedAlert};
use vigint_db::clients::ClientRow;
use vigint_db::clips::ClipRow;
use vigint_db::incidents::IncidentRow;
use vigint_db::{AnyConnection, DbError, Tenant};

use super::compose::{ClipHost, ClipNews, IncidentMail, IncidentNews, WhyNoClip};
use super::mailer::{Envelope, MailError, Mailer};
use super::message::{MailHead, Sender};
use super::notice::{NoticeMail, Reader};
use crate::clips::ClipLinks;
use crate::database::Database;
use crate::notices::Notice;
use crate::vitals::Vital;

/// How long a mail waits for its clip.
pub(super) const CLIP_PATIENCE: Duration = Duration::from_secs(30);

/// What the service is made of.
pub struct AlertsOptions {
    /// Where incidents are read.
    pub database: Database,
    /// The way out.
    pub mailer: Mailer,
    /// Who mails come from.
    pub sender: Sender,
    /// Links to clips.
    pub links: ClipLinks,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// How many mails about incidents a client may get an hour.
    pub max_per_hour: u32,
    /// The operator's language.
    pub operator_locale: Locale,
    /// What health asks.
    pub vital: Arc<Vital>,
}

/// Composes mails and hands them over.
pub struct Alerts {
    options: AlertsOptions,
    /// Rung when an alert became due.
    pub due: Notify,
}

/// What became of a claimed alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// The mail is handed over.
    Sent,
    /// The client has had its share of this hour: later.
    Later,
    /// What it was about is gone.
    Obsolete,
}

/// Why an alert was not delivered.
#[derive(Debug, thiserror::Error)]
pub enum DeliverError {
    /// The mail could not be made or handed over.
    #[error(transparent)]
    Mail(#[from] MailError),
    /// The incident could not be read.
    #[error(transparent)]
    Database(#[from] DbError),
}

impl DeliverError {
    /// Whether another try could succeed. A mail that cannot be composed never will be.
    #[must_use]
    pub const fn is_passing(&self) -> bool {
        !matches!(self, Self::Mail(MailError::Compose(_)))
    }
}

impl Alerts {
    /// The service.
    #[must_use]
    pub fn new(options: AlertsOptions) -> Self {
        Self {
            options,
            due: Notify::new(),
        }
    }

    /// The name of the way out, as health shows it.
    #[must_use]
    pub const fn mailer_kind(&self) -> &'static str {
        self.options.mailer.kind()
    }

    /// When an alert made at `now` is due: once its clip is there, or after half a minute without it.
    #[must_use]
    pub fn due_at(now: UtcTime, waits_for_clip: bool) -> UtcTime {
        if waits_for_clip {
            now + CLIP_PATIENCE
        } else {
            now
        }
    }

    /// Hands over the mail of a claimed alert.
    ///
    /// # Errors
    /// When it should be tried again later.
    pub async fn deliver(&self, claimed: &ClaimedAlert) -> Result<Delivery, DeliverError> {
        let now = self.options.clock.now();
        let (alert, tenant) = (&claimed.alert, claimed.tenant.as_ref());
        let composed = match (&alert.notice, tenant) {
            (Some(notice), tenant) => self.notice_mail(alert, tenant, notice, now).await?,
            (None, Some(tenant)) => self.incident_mail(alert, tenant, now).await?,
            (None, None) => Composed::Not(Delivery::Obsolete),
        };
        let mail = match composed {
            Composed::Mail(mail) => mail,
            Composed::Not(outcome) => return Ok(outcome),
        };
        let sent = self.send(alert, mail).await;
        // Health speaks of the way out, not of what one client's incident holds.
        self.options.vital.note(sent.is_ok());
        sent.map(|()| Delivery::Sent)
    }

    /// Removes what is left of a client's mails.
    ///
    /// # Errors
    /// When the folder refuses.
    pub async fn forget_client(&self, client: ClientId) -> std::io::Result<()> {
        let mailer = self.options.mailer.clone();
        tokio::task::spawn_blocking(move || mailer.forget_client(client))
            .await
            .unwrap_or_else(|panic| Err(std::io::Error::other(panic)))
    }

    async fn incident_mail(
        &self,
        alert: &AlertRow,
        tenant: &Tenant,
        now: UtcTime,
    ) -> Result<Composed, DeliverError> {
        let (tenant, incident_id) = (tenant.clone(), alert.incident_id);
        let told = self
            .options
            .database
            .read(move |conn| what_to_tell(conn, &tenant, incident_id, now))
            .await?;
        let Some(told) = told else {
            return Ok(Composed::Not(Delivery::Obsolete));
        };
        if told.sent_this_hour >= i64::from(self.options.max_per_hour) {
            return Ok(Composed::Not(Delivery::Later));
        }
        let mail = IncidentMail {
            head: self.head(alert, now),
            client: &told.client,
            incident: &told.incident,
            news: IncidentNews::First,
            clip: self.clip_news(&told.incident, told.clip.as_ref()),
            still: None,
        };
        Ok(Composed::Mail(mail.compose()?.message))
    }

    async fn notice_mail(
        &self,
        alert: &AlertRow,
        tenant: Option<&Tenant>,
        notice: &str,
        now: UtcTime,
    ) -> Result<Composed, DeliverError> {
        let notice: Notice = serde_json::from_str(notice)
            .map_err(|error| MailError::Compose(format!("a notice not understood: {error}")))?;
        let client = match tenant.cloned() {
            None => None,
            Some(tenant) => {
                let read = move |conn: &mut AnyConnection| vigint_db::clients::get(conn, &tenant);
                match self.options.database.read(read).await? {
                    None => return Ok(Composed::Not(Delivery::Obsolete)),
                    client => client,
                }
            }
        };
        let reader = match alert.kind {
            AlertKind::Operator => Reader::Operator(self.options.operator_locale),
            _ => Reader::Client,
        };
        let mail = NoticeMail {
            head: self.head(alert, now),
            notice: &notice,
            client: client.as_ref(),
            reader,
        };
        Ok(Composed::Mail(mail.compose()?.message))
    }

    fn head<'a>(&'a self, alert: &'a AlertRow, now: UtcTime) -> MailHead<'a> {
        MailHead {
            sender: &self.options.sender,
            recipient: &alert.recipient,
            message_id: &alert.message_id,
            in_reply_to: None,
            subject: None,
            now,
        }
    }

    async fn send(&self, alert: &AlertRow, mail: Message) -> Result<(), DeliverError> {
        let envelope = Envelope {
            client: alert.client_id,
            alert: alert.id,
            created_at: alert.created_at,
        };
        self.options.mailer.send(&envelope, &mail).await?;
        Ok(())
    }

    fn clip_news(&self, incident: &IncidentRow, clip: Option<&ClipRow>) -> ClipNews {
        let known = |number: Option<i64>| number.and_then(|number| u64::try_from(number).ok());
        match clip {
            Some(clip) => match clip.state {
                ClipState::Ready => ClipNews::Ready {
                    url: self.options.links.video_url(clip.id, clip.expires_at),
                    expires_at: clip.expires_at,
                    bytes: known(clip.bytes),
                    duration_ms: known(clip.duration_ms),
                    host: ClipHost::Ours,
                },
                ClipState::Pending => ClipNews::Late,
                ClipState::Failed => ClipNews::Missing(WhyNoClip::Failed),
                ClipState::Expired => ClipNews::Missing(WhyNoClip::Expired),
            },
            None if incident.frame_count > 0 => ClipNews::Missing(WhyNoClip::Failed),
            None => ClipNews::Missing(WhyNoClip::NothingBuffered),
        }
    }
}

/// A mail to hand over, or why there is none.
enum Composed {
    Mail(Message),
    Not(Delivery),
}

struct WhatToTell {
    client: ClientRow,
    incident: IncidentRow,
    clip: Option<ClipRow>,
    sent_this_hour: i64,
}

fn what_to_tell(
    conn: &mut AnyConnection,
    tenant: &Tenant,
    incident_id: Option<IncidentId>,
    now: UtcTime,
) -> Result<Option<WhatToTell>, DbError> {
    let Some(incident_id) = incident_id else {
        return Ok(None);
    };
    let Some(client) = vigint_db::clients::get(conn, tenant)? else {
        return Ok(None);
    };
    let Some(incident) = vigint_db::incidents::get(conn, tenant, incident_id)? else {
        return Ok(None);
    };
    let clip = vigint_db::clips::of_incident(conn, tenant, incident_id)?;
    let an_hour_ago = now - Duration::from_secs(3600);
    let sent_this_hour = vigint_db::alerts::sent_since(conn, tenant, an_hour_ago)?;
    Ok(Some(WhatToTell {
        client,
        incident,
        clip,
        sent_this_hour,
    }))
}
