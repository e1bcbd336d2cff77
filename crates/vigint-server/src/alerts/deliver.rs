//! The alerts service: from a claimed alert to a mail handed over.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use vigint_core::clock::{Clock, UtcTime};
use vigint_core::ids::ClientId;
use vigint_core::incident::AlertKind;
use vigint_core::locale::Locale;
use vigint_db::alerts::{AlertRow, ClaimedAlert};
use vigint_db::{DbError, Tenant};

use super::camera::CameraEvent;
use super::channel::{Channel, Pass};
use super::compose::{DigestMail, IncidentMail};
use super::gather::{ToldOfIncident, client_of, digest_of, told_of_incident};
use super::mailer::{Envelope, Fate, MailError, Mailer};
use super::message::{Composed, MailHead, Sender};
use super::notice::{CameraMail, NoticeMail, Reader};
use crate::clips::{ClipLinks, Clips};
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
    /// Where pictures come from.
    pub clips: Arc<Clips>,
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
    pub(super) options: AlertsOptions,
    channel: Arc<Mutex<Channel>>,
    /// Rung when an alert became due.
    pub due: Notify,
}

/// What became of a claimed alert that needs no other try.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// The mail is handed over.
    Sent {
        /// Under which subject.
        subject: String,
    },
    /// This client has had its share of this hour.
    OverShare,
    /// There is nothing to tell: what it was about is gone or over, or another mail tells it.
    Obsolete,
}

/// What became of a try to deliver an alert. Reasons are safe to show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Attempt {
    /// It is over.
    Ended(Delivery),
    /// It may go another time, for this reason.
    Failed(String),
    /// The same, and it may be out all the same: the answer to it is missing.
    InDoubt {
        /// For this reason.
        why: String,
        /// Under this subject.
        subject: String,
    },
    /// It never will, for this reason.
    GivenUp(String),
    /// Nothing goes out just now, for this reason.
    Closed(String),
}

/// A mail to hand over, or why there is none.
pub(super) enum ToSend {
    Mail(Composed),
    Not(Delivery),
}

/// Why there is no mail.
#[derive(Debug, thiserror::Error)]
pub(super) enum MakeError {
    #[error(transparent)]
    Compose(#[from] MailError),
    /// What it tells could not be read.
    #[error(transparent)]
    Database(#[from] DbError),
}

impl Alerts {
    /// The service.
    #[must_use]
    pub fn new(options: AlertsOptions) -> Self {
        Self {
            options,
            channel: Arc::default(),
            due: Notify::new(),
        }
    }

    /// The name of the way out, as health shows it.
    #[must_use]
    pub const fn mailer_kind(&self) -> &'static str {
        self.options.mailer.kind()
    }

    /// The right to deliver an alert now, to be kept until [`Self::deliver`] is through; none while no mail goes out.
    pub fn pass(&self) -> Option<Pass> {
        Pass::take(&self.channel, self.options.clock.now())
    }

    fn channel(&self) -> MutexGuard<'_, Channel> {
        self.channel.lock().unwrap_or_else(PoisonError::into_inner)
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

    /// Makes the mail of a claimed alert and hands it over. Takes as long as the mail server does, within the limits
    /// of the way out.
    pub async fn deliver(&self, claimed: &ClaimedAlert) -> Attempt {
        let mail = match self.make(claimed).await {
            Ok(ToSend::Mail(mail)) => mail,
            Ok(ToSend::Not(outcome)) => return Attempt::Ended(outcome),
            Err(error) => {
                return match &error {
                    MakeError::Compose(error) if error.fate() == Fate::GiveUp => {
                        Attempt::GivenUp(error.to_string())
                    }
                    _ => Attempt::Failed(error.to_string()),
                };
            }
        };
        let alert = &claimed.alert;
        let envelope = Envelope {
            client: alert.client_id,
            alert: alert.id,
            created_at: alert.created_at,
        };
        let sent = self.options.mailer.send(&envelope, &mail.message).await;
        self.note(sent.map(drop), mail.subject, alert)
    }

    /// What a try says of the way out, and of this mail.
    fn note(&self, sent: Result<(), MailError>, subject: String, alert: &AlertRow) -> Attempt {
        let now = self.options.clock.now();
        let Err(error) = sent else {
            let mut channel = self.channel();
            channel.note_carried(now);
            channel.forget(alert.id);
            self.options.vital.note(true);
            return Attempt::Ended(Delivery::Sent { subject });
        };
        let why = error.to_string();
        // Health speaks of the way out, not of one mail that a server would not take: that leaves it as it is.
        match error.fate() {
            Fate::GiveUp => {
                self.channel().forget(alert.id);
                Attempt::GivenUp(why)
            }
            Fate::ChannelSeemsStopped { .. } if self.channel().note_doubted(alert.id, now) => {
                Attempt::Failed(why)
            }
            Fate::TryAgain => {
                self.options.vital.note(false);
                if error.may_be_out() {
                    Attempt::InDoubt { why, subject }
                } else {
                    Attempt::Failed(why)
                }
            }
            Fate::ChannelStopped { pause } | Fate::ChannelSeemsStopped { pause } => {
                self.options.vital.note(false);
                let pause = self.channel().close(now, pause);
                if let Some(pause) = pause {
                    let seconds = pause.as_secs();
                    tracing::error!(%error, seconds, "no mails go out: the mail server refuses all of them; one is tried after a pause");
                }
                Attempt::Closed(why)
            }
        }
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

    async fn make(&self, claimed: &ClaimedAlert) -> Result<ToSend, MakeError> {
        let alert = &claimed.alert;
        match (alert.kind, &claimed.tenant) {
            (AlertKind::Incident | AlertKind::Manual | AlertKind::RiskRaised, Some(tenant)) => {
                self.incident_mail(alert, tenant).await
            }
            (AlertKind::Digest, Some(tenant)) => self.digest_mail(alert, tenant).await,
            (AlertKind::Camera, Some(tenant)) => self.camera_mail(alert, tenant).await,
            (AlertKind::Account | AlertKind::Operator, tenant) => {
                self.notice_mail(alert, tenant.as_ref()).await
            }
            (_, None) => Ok(ToSend::Not(Delivery::Obsolete)),
        }
    }

    async fn incident_mail(&self, alert: &AlertRow, tenant: &Tenant) -> Result<ToSend, MakeError> {
        let (now, max) = (self.options.clock.now(), self.options.max_per_hour);
        let told = {
            let (alert, tenant) = (alert.clone(), tenant.clone());
            let read = move |conn: &mut _| told_of_incident(conn, &tenant, &alert, now);
            self.options.database.read(read).await?
        };
        let Some(told) = told else {
            return Ok(ToSend::Not(Delivery::Obsolete));
        };
        if told.is_told_by_another(alert.kind) {
            return Ok(ToSend::Not(Delivery::Obsolete));
        }
        if told.sent_this_hour >= i64::from(max) {
            return Ok(ToSend::Not(Delivery::OverShare));
        }
        let still = self.still(&told).await;
        let thread = told.thread_of(alert.kind);
        let mail = IncidentMail {
            head: MailHead {
                in_reply_to: thread.map(|thread| thread.message_id.as_str()),
                subject: thread.and_then(|thread| thread.subject.as_deref()),
                ..self.head(alert, now)
            },
            client: &told.client,
            incident: &told.incident,
            news: told.news(alert.kind),
            clip: told.clip_news(&self.options.links, now),
            still,
        };
        Ok(ToSend::Mail(mail.compose()?))
    }

    /// A mail goes out without its picture rather than not at all.
    async fn still(&self, told: &ToldOfIncident) -> Option<Vec<u8>> {
        let clip = told.clip.as_ref()?;
        let still = self.options.clips.still(&clip.storage_key).await;
        still.unwrap_or_else(|error| {
            tracing::debug!(%error, "a mail goes out without a picture");
            None
        })
    }

    async fn digest_mail(&self, alert: &AlertRow, tenant: &Tenant) -> Result<ToSend, MakeError> {
        let (digest, owner, now) = (alert.id, tenant.clone(), self.options.clock.now());
        let (links, max) = (self.options.links.clone(), self.options.max_per_hour);
        let told = self
            .options
            .database
            .write(move |conn| digest_of(conn, &owner, digest, &links, max, now))
            .await?;
        let Some((client, digest)) = told else {
            return Ok(ToSend::Not(Delivery::Obsolete));
        };
        let mail = DigestMail {
            head: self.head(alert, now),
            client: &client,
            digest: &digest,
        };
        Ok(ToSend::Mail(mail.compose()?))
    }

    async fn camera_mail(&self, alert: &AlertRow, tenant: &Tenant) -> Result<ToSend, MakeError> {
        let event: CameraEvent = read_notice(alert)?;
        let its = tenant.clone();
        let read = move |conn: &mut _| {
            let client = vigint_db::clients::get(conn, &its)?;
            Ok::<_, DbError>((client, vigint_db::sources::list(conn, &its)?))
        };
        let (client, sources) = self.options.database.read(read).await?;
        let (Some(client), Some(event)) = (client, event.still(&sources, alert.created_at)) else {
            return Ok(ToSend::Not(Delivery::Obsolete));
        };
        let mail = CameraMail {
            head: self.head(alert, self.options.clock.now()),
            client: &client,
            news: &event.news(),
        };
        Ok(ToSend::Mail(mail.compose()?))
    }

    async fn notice_mail(
        &self,
        alert: &AlertRow,
        tenant: Option<&Tenant>,
    ) -> Result<ToSend, MakeError> {
        let notice: Notice = read_notice(alert)?;
        let client = match tenant {
            None => None,
            Some(tenant) => match client_of(&self.options.database, tenant).await? {
                None => return Ok(ToSend::Not(Delivery::Obsolete)),
                client => client,
            },
        };
        let reader = match alert.kind {
            AlertKind::Operator => Reader::Operator(self.options.operator_locale),
            _ => Reader::Client,
        };
        let mail = NoticeMail {
            head: self.head(alert, self.options.clock.now()),
            notice: &notice,
            client: client.as_ref(),
            reader,
        };
        Ok(ToSend::Mail(mail.compose()?))
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
}

/// What an alert tells that is about no incident. One that another version wrote may not be understood.
fn read_notice<T: serde::de::DeserializeOwned>(alert: &AlertRow) -> Result<T, MailError> {
    serde_json::from_str(alert.notice.as_deref().unwrap_or_default())
        .map_err(|error| MailError::Compose(format!("a notice not understood: {error}")))
}
