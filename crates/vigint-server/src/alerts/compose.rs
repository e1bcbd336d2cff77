//! What a mail says, in the customer's language and time zone, and how it is put together.

use askama::Template;
use lettre::Message;
use vigint_core::clock::UtcTime;
use vigint_core::locale::Locale;
use vigint_core::text::{clean_line, clean_text};
use vigint_core::verdict::{Confirmation, RiskLevel};
use vigint_db::clients::ClientRow;
use vigint_db::incidents::IncidentRow;

use super::mailer::MailError;
use super::message::{MailHead, local_time, render};

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
    pub(super) head: MailHead<'a>,
    pub(super) client: &'a ClientRow,
    pub(super) incident: &'a IncidentRow,
    pub(super) clip: ClipNews,
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
        let subject = format!("[Vigint] {}: {}", facts.camera, facts.heading);
        self.head.message(&subject, text, html)
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
            time: self.client_time(incident.first_seen_at),
            risk: risk(self.client.locale, incident.risk_level),
            notice: notice(self.client.locale, incident),
            description: (!is_said).then_some(description),
            analysis,
            video_url,
            clip_note,
        }
    }

    fn client_time(&self, at: UtcTime) -> String {
        local_time(at, self.client.locale, &self.client.time_zone)
    }

    fn clip_words(&self) -> (Option<&str>, String) {
        let french = self.client.locale == Locale::French;
        match &self.clip {
            ClipNews::Ready { url, expires_at } => {
                let until = self.client_time(*expires_at);
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
        // What was vetoed at once has no mail: this was vetoed while the mail waited.
        (Locale::French, Confirmation::Vetoed) => {
            Some("Une seconde vérification, faite depuis, n'y a vu aucun incident.")
        }
        (Locale::English, Confirmation::Vetoed) => {
            Some("A second look, made since, saw no incident in it.")
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests;
