//! What every mail has, whatever it is about: its head, its two bodies, times as their reader reads them.

use std::time::{Duration, SystemTime};

use askama::Template;
use lettre::Message;
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart};
use vigint_core::clock::UtcTime;
use vigint_core::locale::Locale;

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

/// From whom, to whom, when, and by which name it is known in every try.
pub(super) struct MailHead<'a> {
    pub(super) sender: &'a Sender,
    pub(super) recipient: &'a str,
    pub(super) message_id: &'a str,
    pub(super) now: UtcTime,
}

impl MailHead<'_> {
    /// The mail, ready to be handed over.
    pub(super) fn message(
        &self,
        subject: &str,
        text: String,
        html: String,
    ) -> Result<Message, MailError> {
        let recipient: Mailbox = self
            .recipient
            .parse()
            .map_err(|_| MailError::Compose("the recipient is no valid mail address".to_owned()))?;
        let since_1970 = Duration::from_millis(self.now.unix_millis().try_into().unwrap_or(0));
        let id = format!("<{}@{}>", self.message_id, self.sender.domain());
        Message::builder()
            .from(self.sender.0.clone())
            .to(recipient)
            .subject(subject)
            .date(SystemTime::UNIX_EPOCH + since_1970)
            .message_id(Some(id))
            .raw_header(header("Auto-Submitted", "auto-generated"))
            .raw_header(header("X-Auto-Response-Suppress", "All"))
            .multipart(MultiPart::alternative_plain_html(text, html))
            .map_err(|error| MailError::Compose(error.to_string()))
    }
}

fn header(name: &'static str, value: &str) -> HeaderValue {
    HeaderValue::new(HeaderName::new_from_ascii_str(name), value.to_owned())
}

/// A body from its template.
pub(super) fn render(body: &impl Template) -> Result<String, MailError> {
    body.render()
        .map_err(|error| MailError::Compose(error.to_string()))
}

/// A time as its reader reads it on the wall, with its zone; UTC when the zone is not known.
pub(super) fn local_time(at: UtcTime, locale: Locale, time_zone: &str) -> String {
    let zone = jiff::tz::TimeZone::get(time_zone).unwrap_or(jiff::tz::TimeZone::UTC);
    let format = match locale {
        Locale::French => "%d/%m/%Y %H:%M:%S %Z",
        Locale::English => "%Y-%m-%d %H:%M:%S %Z",
    };
    at.timestamp().to_zoned(zone).strftime(format).to_string()
}
