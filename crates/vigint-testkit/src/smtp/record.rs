//! What a server has seen.

use std::fmt;
use std::sync::Arc;

use mail_parser::MessageParser;

/// A mail that the server accepted.
#[derive(Clone, PartialEq, Eq)]
pub struct ReceivedMail {
    /// Over which connection, counted from 1.
    pub connection: usize,
    /// The envelope's sender.
    pub from: String,
    /// The envelope's recipients.
    pub to: Vec<String>,
    /// The mail as it was sent, without the doubled dots and the final one.
    pub raw: Vec<u8>,
    /// Whether the connection was under TLS.
    pub over_tls: bool,
    /// Who was logged in.
    pub login: Option<String>,
}

impl ReceivedMail {
    /// A header's value, unfolded; the first of that name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<String> {
        let head = String::from_utf8_lossy(&self.raw);
        let (head, _) = head.split_once("\r\n\r\n")?;
        let unfolded = head.replace("\r\n ", " ").replace("\r\n\t", " ");
        let mut lines = unfolded.lines().filter_map(|line| line.split_once(':'));
        let (_, value) = lines.find(|(known, _)| known.eq_ignore_ascii_case(name))?;
        Some(value.trim().to_owned())
    }

    /// Its Message-ID with its angle brackets.
    #[must_use]
    pub fn message_id(&self) -> Option<String> {
        self.header("Message-ID")
    }

    /// Its subject, decoded.
    #[must_use]
    pub fn subject(&self) -> String {
        let message = MessageParser::default().parse(&self.raw);
        let subject = message.as_ref().and_then(|message| message.subject());
        subject.unwrap_or_default().to_owned()
    }

    /// Its plain text, decoded.
    #[must_use]
    pub fn text(&self) -> String {
        let message = MessageParser::default().parse(&self.raw);
        let text = message.as_ref().and_then(|message| message.body_text(0));
        text.unwrap_or_default().into_owned()
    }
}

impl fmt::Debug for ReceivedMail {
    /// Without the mail itself.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReceivedMail")
            .field("connection", &self.connection)
            .field("from", &self.from)
            .field("to", &self.to)
            .field("message_id", &self.message_id())
            .field("over_tls", &self.over_tls)
            .field("login", &self.login)
            .finish_non_exhaustive()
    }
}

/// A command that came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenCommand {
    /// Over which connection, counted from 1.
    pub connection: usize,
    /// Its verb in capitals, such as `MAIL`.
    pub verb: String,
    /// The whole line, with what AUTH may give away.
    pub line: String,
    /// Whether it came under TLS.
    pub over_tls: bool,
}

#[derive(Debug, Default)]
pub(super) struct Record {
    pub(super) connections: usize,
    pub(super) commands: Vec<SeenCommand>,
    pub(super) mails: Vec<Arc<ReceivedMail>>,
}
