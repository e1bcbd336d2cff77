//! What every mail has, whatever it is about: its head, its bodies and picture, how times and sizes are said.

mod page;
mod units;

use std::time::{Duration, SystemTime};

use askama::Template;
use lettre::Message;
use lettre::message::header::{ContentTransferEncoding, ContentType, HeaderName, HeaderValue};
use lettre::message::{Attachment, Body, Mailbox, MultiPart, SinglePart};
use vigint_core::clock::UtcTime;
use vigint_core::text::clean_line;

pub(super) use self::page::{Fact, Frame, Step};
pub(crate) use self::units::day_and_minute;
pub(super) use self::units::{day_and_second, in_words, local_time, size, time_of_day};
use super::mailer::MailError;

/// How large a still picture may be; a larger one is left out of the mail.
pub(super) const MAX_STILL_BYTES: usize = 200_000;

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
    /// Without the domain, which is the sender's.
    pub(super) message_id: &'a str,
    /// The first mail of the same thread, by its [`Self::message_id`], when this is a later one.
    pub(super) in_reply_to: Option<&'a str>,
    /// The first mail's subject when this is a later one: mail programs make one thread only of equal subjects.
    pub(super) subject: Option<&'a str>,
    pub(super) now: UtcTime,
}

/// A mail, ready to be handed over.
pub(super) struct Composed {
    /// As it went into the head, for later mails of the thread.
    pub(super) subject: String,
    pub(super) message: Message,
}

/// What a mail shows: the same words twice, and perhaps a picture that the HTML names by [`MailHead::still_id`].
pub(super) struct Bodies {
    pub(super) text: String,
    pub(super) html: String,
    /// A JPEG.
    pub(super) still: Option<Vec<u8>>,
}

impl MailHead<'_> {
    /// The mail under this subject, or under the thread's if the head has one.
    pub(super) fn compose(&self, subject: &str, bodies: Bodies) -> Result<Composed, MailError> {
        let recipient: Mailbox = self
            .recipient
            .parse()
            .map_err(|_| MailError::Compose("the recipient is no valid mail address".to_owned()))?;
        let subject = header_line(self.subject.unwrap_or(subject));
        let since_1970 = Duration::from_millis(self.now.unix_millis().try_into().unwrap_or(0));
        let mut builder = Message::builder()
            .from(self.sender.0.clone())
            .to(recipient)
            .subject(subject.as_str())
            .date(SystemTime::UNIX_EPOCH + since_1970)
            .message_id(Some(self.full_id(self.message_id)))
            .raw_header(header("Auto-Submitted", "auto-generated"))
            .raw_header(header("X-Auto-Response-Suppress", "All"));
        if let Some(first) = self.in_reply_to {
            builder = builder
                .in_reply_to(self.full_id(first))
                .references(self.full_id(first));
        }
        let message = builder
            .multipart(self.parts(bodies)?)
            .map_err(|error| MailError::Compose(error.to_string()))?;
        Ok(Composed { subject, message })
    }

    /// How the HTML calls the still picture: `cid:` and this.
    pub(super) fn still_id(&self) -> String {
        format!("still.{}@{}", self.message_id, self.sender.domain())
    }

    fn full_id(&self, id: &str) -> String {
        format!("<{id}@{}>", self.sender.domain())
    }

    fn parts(&self, bodies: Bodies) -> Result<MultiPart, MailError> {
        let text = quoted(ContentType::TEXT_PLAIN, bodies.text)?;
        let html = quoted(ContentType::TEXT_HTML, bodies.html)?;
        let both = MultiPart::alternative().singlepart(text);
        let Some(still) = bodies.still else {
            return Ok(both.singlepart(html));
        };
        let jpeg = ContentType::parse("image/jpeg")
            .map_err(|error| MailError::Compose(error.to_string()))?;
        let still = Attachment::new_inline_with_name(self.still_id(), "image.jpg".to_owned())
            .body(still, jpeg);
        Ok(both.multipart(MultiPart::related().singlepart(html).singlepart(still)))
    }
}

/// Of a text whose lines may be longer than mail allows, lines of 76 octets that every server passes on as they are.
fn quoted(kind: ContentType, text: String) -> Result<SinglePart, MailError> {
    let body = Body::new_with_encoding(text, ContentTransferEncoding::QuotedPrintable)
        .map_err(|_| MailError::Compose("a body could not be encoded".to_owned()))?;
    Ok(SinglePart::builder().header(kind).body(body))
}

/// One line without links, in which nothing looks as if it were encoded: it would be decoded at the other end, into
/// whatever it likes. Of what it returned before it changes nothing.
fn header_line(text: &str) -> String {
    clean_line(&clean_line(text).replace("=?", "= ?"))
}

fn header(name: &'static str, value: &str) -> HeaderValue {
    HeaderValue::new(HeaderName::new_from_ascii_str(name), value.to_owned())
}

/// A still picture that a mail can carry: really a JPEG, and small enough.
pub(super) fn fitting_still(still: Option<&Vec<u8>>) -> Option<Vec<u8>> {
    let is_fitting =
        |jpeg: &&Vec<u8>| jpeg.len() <= MAX_STILL_BYTES && jpeg.starts_with(&[0xFF, 0xD8, 0xFF]);
    still.filter(is_fitting).cloned()
}

/// A body from its template.
pub(super) fn render(body: &impl Template) -> Result<String, MailError> {
    body.render()
        .map_err(|error| MailError::Compose(error.to_string()))
}
