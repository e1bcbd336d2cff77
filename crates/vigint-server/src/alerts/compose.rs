//! What a mail says, in the customer's language and time zone, and how it is put together.

use std::time::{Duration, SystemTime};

use askama::Template;
use lettre::Message;
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart};
use vigint_core::clock::UtcTime;
use vigint_core::locale::Locale;
use vigint_core::text::{clean_line, clean_text};
use vigint_core::verdict::{Confirmation, RiskLevel};
use vigint_db::clients::ClientRow;
use vigint_db::incidents::IncidentRow;

use super::mailer::MailError;

/// Who mails come from.
#[derive(Clone, Debug)]
pub struct Sender(Mailbox);

impl Sender {
    /// This address, under the name `Vigint` unless it has one.
    #[must_use]
    pub fn new(mut mailbox: Mailbox) -> Self {
        mailbox.name.get_or_insert_with(|| "Vigint".to_owned());
        Self(mailbox)
    }

    fn domain(&self) -> &str {
        self.0.email.domain()
    }
}

/// The clip as the mail speaks of it.
#[derive(Clone, Debug)]
pub(super) enum ClipNews {
    /// It can be watched under this link until then.
    Ready { url: String, expires_at: UtcTime },
    /// It is still being made: the mail does not wait any longer.
    Late,
    /// There is none, and there will be none.
    Missing,
}

/// What a mail is made from.
pub(super) struct IncidentMail<'a> {
    pub(super) sender: &'a Sender,
    pub(super) client: &'a ClientRow,
    pub(super) incident: &'a IncidentRow,
    pub(super) clip: ClipNews,
    pub(super) recipient: &'a str,
    pub(super) message_id: &'a str,
    pub(super) now: UtcTime,
}

#[derive(Template)]
#[template(path = "alert.html")]
struct HtmlBody<'a> {
    words: &'a Words,
    facts: &'a Facts<'a>,
}

#[derive(Template)]
#[template(path = "alert.txt")]
struct TextBody<'a> {
    words: &'a Words,
    facts: &'a Facts<'a>,
}

struct Words {
    lang: &'static str,
    kind: &'static str,
    camera: &'static str,
    time: &'static str,
    risk: &'static str,
    watch: &'static str,
    footer: &'static str,
    private_link: &'static str,
}

struct Facts<'a> {
    heading: String,
    camera: String,
    /// What kind of incident somebody else says it is; the heading says what kind we say it is.
    reported_kind: Option<String>,
    time: String,
    risk: &'static str,
    notice: Option<&'static str>,
    /// None when the analysis begins with it: nothing is said twice.
    description: Option<String>,
    analysis: String,
    video_url: Option<&'a str>,
    clip_note: String,
}

impl IncidentMail<'_> {
    /// The mail, ready to be handed over.
    pub(super) fn compose(&self) -> Result<Message, MailError> {
        let words = words(self.client.locale);
        let facts = self.facts();
        let text = render(&TextBody {
            words: &words,
            facts: &facts,
        })?;
        let html = render(&HtmlBody {
            words: &words,
            facts: &facts,
        })?;
        let recipient: Mailbox = self.recipient.parse().map_err(|_| {
            MailError::Compose(format!(
                "client {} has no valid mail address",
                self.client.id
            ))
        })?;
        let since_1970 = Duration::from_millis(self.now.unix_millis().try_into().unwrap_or(0));
        Message::builder()
            .from(self.sender.0.clone())
            .to(recipient)
            .subject(format!("[Vigint] {}: {}", facts.camera, facts.heading))
            .date(SystemTime::UNIX_EPOCH + since_1970)
            .message_id(Some(format!(
                "<{}@{}>",
                self.message_id,
                self.sender.domain()
            )))
            .raw_header(header("Auto-Submitted", "auto-generated"))
            .raw_header(header("X-Auto-Response-Suppress", "All"))
            .multipart(MultiPart::alternative_plain_html(text, html))
            .map_err(|error| MailError::Compose(error.to_string()))
    }

    /// All texts are cleaned where they are kept, and once more here: a row from elsewhere may not turn a
    /// mail's head or put a link into it.
    fn facts(&self) -> Facts<'_> {
        let incident = self.incident;
        let (video_url, clip_note) = self.clip_words();
        let kind = Some(clean_line(&incident.incident_type)).filter(|kind| !kind.is_empty());
        let (heading, reported_kind) = if incident.is_manual {
            (not_judged(self.client.locale).to_owned(), kind)
        } else {
            (kind.unwrap_or_else(|| "incident".to_owned()), None)
        };
        let description = clean_text(&incident.description);
        let analysis = clean_text(&incident.analysis);
        // What somebody else wrote is one text; its description was cut out of it.
        let is_said = incident.is_manual || analysis.starts_with(&description);
        Facts {
            heading,
            camera: incident
                .source_name
                .as_deref()
                .map(clean_line)
                .filter(|name| !name.is_empty())
                .unwrap_or_else(|| incident.source_id.to_string()),
            reported_kind,
            time: self.local(incident.first_seen_at),
            risk: risk(self.client.locale, incident.risk_level),
            notice: notice(self.client.locale, incident),
            description: (!is_said).then_some(description),
            analysis,
            video_url,
            clip_note,
        }
    }

    fn clip_words(&self) -> (Option<&str>, String) {
        let french = self.client.locale == Locale::French;
        match &self.clip {
            ClipNews::Ready { url, expires_at } => {
                let until = self.local(*expires_at);
                let note = if french {
                    format!("Ce lien privé est valable jusqu'au {until}.")
                } else {
                    format!("This private link is good until {until}.")
                };
                (Some(url), note)
            }
            ClipNews::Late if french => (
                None,
                "Sans vidéo : elle n'était pas prête à l'envoi de ce message. Elle sera dans la liste de vos incidents.".to_owned(),
            ),
            ClipNews::Late => (
                None,
                "Without video: it was not ready when this message was sent. It will be in the list of your incidents.".to_owned(),
            ),
            ClipNews::Missing if french => {
                (None, "Sans vidéo : il n'y a pas de clip de cet incident.".to_owned())
            }
            ClipNews::Missing => (None, "Without video: there is no clip of this incident.".to_owned()),
        }
    }

    /// A time as the customer reads it on the wall, with its zone.
    fn local(&self, at: UtcTime) -> String {
        let zone =
            jiff::tz::TimeZone::get(&self.client.time_zone).unwrap_or(jiff::tz::TimeZone::UTC);
        let format = match self.client.locale {
            Locale::French => "%d/%m/%Y %H:%M:%S %Z",
            Locale::English => "%Y-%m-%d %H:%M:%S %Z",
        };
        at.timestamp().to_zoned(zone).strftime(format).to_string()
    }
}

const fn words(locale: Locale) -> Words {
    match locale {
        Locale::French => Words {
            lang: "fr",
            kind: "Signalé comme",
            camera: "Caméra",
            time: "Heure",
            risk: "Gravité",
            watch: "Voir la vidéo",
            footer: "Message automatique de Vigint.",
            private_link: "Le lien est privé : ne le transmettez qu'à des personnes de confiance.",
        },
        Locale::English => Words {
            lang: "en",
            kind: "Reported as",
            camera: "Camera",
            time: "Time",
            risk: "Risk",
            watch: "Watch the video",
            footer: "Automatic message from Vigint.",
            private_link: "The link is private: share it only with people you trust.",
        },
    }
}

fn render(body: &impl Template) -> Result<String, MailError> {
    body.render()
        .map_err(|error| MailError::Compose(error.to_string()))
}

fn header(name: &'static str, value: &str) -> HeaderValue {
    HeaderValue::new(HeaderName::new_from_ascii_str(name), value.to_owned())
}

const fn risk(locale: Locale, level: RiskLevel) -> &'static str {
    match (locale, level) {
        (Locale::French, RiskLevel::Low) => "faible",
        (Locale::French, RiskLevel::Medium) => "moyenne",
        (Locale::French, RiskLevel::High) => "élevée",
        (Locale::English, RiskLevel::Low) => "low",
        (Locale::English, RiskLevel::Medium) => "medium",
        (Locale::English, RiskLevel::High) => "high",
    }
}

/// The title of what came as an alarm: the reader must not take it for our judgement.
const fn not_judged(locale: Locale) -> &'static str {
    match locale {
        Locale::French => "signalé par le programme de la caméra, non jugé par Vigint",
        Locale::English => "raised by the camera program, not judged by Vigint",
    }
}

/// What the reader must know before trusting the rest.
const fn notice(locale: Locale, incident: &IncidentRow) -> Option<&'static str> {
    match (locale, incident.confirmation) {
        (Locale::French, Confirmation::Unavailable) => {
            Some("Non confirmé : la seconde vérification n'a pas pu se faire.")
        }
        (Locale::English, Confirmation::Unavailable) => {
            Some("Unconfirmed: the second look could not be made.")
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests;
