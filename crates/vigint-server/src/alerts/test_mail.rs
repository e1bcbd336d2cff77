//! The mail by which an operator sees that mails arrive.

use askama::Template;
use lettre::Message;
use vigint_core::clock::UtcTime;
use vigint_core::ids::AlertId;
use vigint_core::locale::Locale;

use super::mailer::MailError;
use super::message::{Bodies, MailHead, Sender, local_time, render};

/// What it is made from.
pub struct TestMail<'a> {
    /// Who mails come from.
    pub sender: &'a Sender,
    /// An address.
    pub recipient: &'a str,
    /// The operator's language.
    pub locale: Locale,
    /// Which way it goes, in a few words.
    pub way_out: &'a str,
    /// Tells it from other test mails.
    pub id: AlertId,
    /// When it is sent.
    pub now: UtcTime,
}

#[derive(Template)]
#[template(path = "test_mail.html")]
struct HtmlBody<'a>(&'a Texts<'a>);

#[derive(Template)]
#[template(path = "test_mail.txt")]
struct TextBody<'a>(&'a Texts<'a>);

struct Texts<'a> {
    lang: &'static str,
    heading: &'static str,
    good: &'static str,
    sent_by: &'static str,
    way_out: &'a str,
    at: &'static str,
    time: String,
    footer: &'static str,
}

impl TestMail<'_> {
    /// The mail, ready to be handed over.
    ///
    /// # Errors
    /// When the recipient is no address.
    pub fn compose(&self) -> Result<Message, MailError> {
        let texts = self.texts();
        let head = MailHead {
            sender: self.sender,
            recipient: self.recipient,
            message_id: &format!("test-{}", self.id),
            in_reply_to: None,
            subject: None,
            now: self.now,
        };
        let bodies = Bodies {
            text: render(&TextBody(&texts))?,
            html: render(&HtmlBody(&texts))?,
            still: None,
        };
        let composed = head.compose(&format!("[Vigint] {}", texts.heading), bodies)?;
        Ok(composed.message)
    }

    fn texts(&self) -> Texts<'_> {
        let (way_out, time) = (self.way_out, local_time(self.now, self.locale, "UTC"));
        match self.locale {
            Locale::French => Texts {
                lang: "fr",
                heading: "E-mail de test",
                good: "Si vous lisez ces lignes, les alertes de Vigint peuvent arriver jusqu'à vous.",
                sent_by: "Envoyé par\u{A0}:",
                way_out,
                at: "Le\u{A0}:",
                time,
                footer: "Envoyé à la demande de l'exploitant de ce serveur (vigint-server send-test-email). \
                         Aucune caméra n'a rien vu.",
            },
            Locale::English => Texts {
                lang: "en",
                heading: "Test mail",
                good: "If you can read this, alerts of Vigint can reach you.",
                sent_by: "Sent by:",
                way_out,
                at: "On:",
                time,
                footer: "Sent because the operator of this server asked for it (vigint-server send-test-email). \
                         No camera has seen anything.",
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn composed(locale: Locale) -> String {
        let sender = Sender::new("alerts@example.com".parse().unwrap());
        let mail = TestMail {
            sender: &sender,
            recipient: "owner@b.example",
            locale,
            way_out: "smtp m.example:587 (starttls)",
            id: AlertId(Uuid::from_u128(7)),
            now: UtcTime::from_unix_seconds(1_795_362_003),
        };
        String::from_utf8(mail.compose().unwrap().formatted()).unwrap()
    }

    #[test]
    fn it_is_written_in_the_operators_language_and_looks_like_other_mails() {
        let english = composed(Locale::English);
        for part in [
            "From: Vigint <alerts@example.com>\r\n",
            "To: owner@b.example\r\n",
            "Subject: [Vigint] Test mail\r\n",
            "Message-ID: <test-00000000-0000-0000-0000-000000000007@example.com>\r\n",
            "Auto-Submitted: auto-generated\r\n",
            "Sent by: smtp m.example:587 (starttls)",
            "On: 2026-11-22 15:40:03 UTC",
        ] {
            assert!(english.contains(part), "{part} in {english}");
        }
        let french = composed(Locale::French);
        assert!(
            french.contains("Subject: [Vigint] E-mail de test\r\n"),
            "{french}"
        );
        assert!(
            french.contains("Le=C2=A0: 22/11/2026 15:40:03 UTC"),
            "{french}"
        );
        assert!(
            french.contains("lang=3D\"fr\"") || french.contains("lang=\"fr\""),
            "{french}"
        );
    }
}
