//! The alerts service: from a claimed alert to a mail handed over.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use vigint_core::clock::{Clock, UtcTime};
use vigint_core::ids::ClientId;
use vigint_core::incident::ClipState;
use vigint_db::alerts::{AlertRow, ClaimedAlert};
use vigint_db::clients::ClientRow;
use vigint_db::clips::ClipRow;
use vigint_db::incidents::IncidentRow;
use vigint_db::{DbError, Tenant};

use super::compose::{ClipNews, IncidentMail, Sender};
use super::mailer::{Envelope, MailError, Mailer};
use crate::clips::ClipLinks;
use crate::database::Database;
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
    /// How many mails a client may get an hour.
    pub max_per_hour: u32,
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
        let Some(told) = self.read(claimed, now).await? else {
            return Ok(Delivery::Obsolete);
        };
        if told.sent_this_hour >= i64::from(self.options.max_per_hour) {
            return Ok(Delivery::Later);
        }
        let sent = self.send(&claimed.alert, told, now).await;
        // Health speaks of the way out, not of what one client's incident holds.
        self.options
            .vital
            .note(!sent.as_ref().is_err_and(DeliverError::is_passing));
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

    async fn read(
        &self,
        claimed: &ClaimedAlert,
        now: UtcTime,
    ) -> Result<Option<WhatToTell>, DbError> {
        let Some(tenant) = claimed.tenant.clone() else {
            return Ok(None);
        };
        let incident_id = claimed.alert.incident_id;
        self.options
            .database
            .read(move |conn| what_to_tell(conn, &tenant, incident_id, now))
            .await
    }

    async fn send(
        &self,
        alert: &AlertRow,
        told: WhatToTell,
        now: UtcTime,
    ) -> Result<(), DeliverError> {
        let mail = IncidentMail {
            sender: &self.options.sender,
            client: &told.client,
            incident: &told.incident,
            clip: self.clip_news(told.clip.as_ref()),
            recipient: &alert.recipient,
            message_id: &alert.message_id,
            now,
        }
        .compose()?;
        let envelope = Envelope {
            client: alert.client_id,
            alert: alert.id,
            created_at: alert.created_at,
        };
        let mailer = self.options.mailer.clone();
        tokio::task::spawn_blocking(move || mailer.send(&envelope, &mail))
            .await
            .unwrap_or_else(|panic| Err(std::io::Error::other(panic).into()))?;
        Ok(())
    }

    fn clip_news(&self, clip: Option<&ClipRow>) -> ClipNews {
        match clip {
            Some(clip) if clip.state == ClipState::Ready => ClipNews::Ready {
                url: self.options.links.video_url(clip.id, clip.expires_at),
                expires_at: clip.expires_at,
            },
            Some(clip) if clip.state == ClipState::Pending => ClipNews::Late,
            _ => ClipNews::Missing,
        }
    }
}

struct WhatToTell {
    client: ClientRow,
    incident: IncidentRow,
    clip: Option<ClipRow>,
    sent_this_hour: i64,
}

fn what_to_tell(
    conn: &mut vigint_db::AnyConnection,
    tenant: &Tenant,
    incident_id: Option<vigint_core::ids::IncidentId>,
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
