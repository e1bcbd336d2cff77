//! `[Email]`: how mails leave.

use std::path::PathBuf;

use lettre::message::Mailbox;
use vigint_core::key::Secret;

use super::definition::section;
use super::parse::{mailbox, number, one_of, optional, path, smtp_host, text};
use super::secrets::secret;

section! {
    /// How mails leave.
    Email in "Email" {
        /// The mail server. Default: none, and mails are written as .eml files.
        @masked smtp_server: Option<String> = "", env EMAIL_SMTP_SERVER => optional(smtp_host);
        /// Its port. Default: 587 for starttls, 465 for tls, 25 for none.
        smtp_port: u16 = "", env EMAIL_SMTP_PORT => number(1..=65_535);
        /// starttls, tls (from the first byte) or none; none only towards this machine.
        security: Security = "starttls" => one_of(SECURITIES);
        /// Certificates (PEM) of authorities to trust besides those of the system, for a mail server with an
        /// authority of its own. Default: none.
        ca_file: Option<PathBuf> = "" => optional(path);
        /// The name to log in with; together with password. Default: no log-in.
        username: Option<String> = "", env EMAIL_USERNAME => optional(text);
        /// The password to log in with.
        @secret password: Option<Secret> = "", env EMAIL_PASSWORD => optional(secret);
        /// The sender, such as Vigint <alerts@example.com>.
        /// Default: username when that is an address, else vigint@localhost (.eml files only).
        from_email: Mailbox = "", env EMAIL_FROM => mailbox;
        /// Where .eml files are written.
        outbox_directory: PathBuf = "vigint-data/outbox" => path;
    }
}

/// How the connection to the mail server is kept private.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Security {
    /// Plain greeting, then TLS, or nothing is sent.
    StartTls,
    /// TLS from the first byte.
    Tls,
    /// Not at all: only towards loopback.
    None,
}

const SECURITIES: &[(&str, Security)] = &[
    (Security::StartTls.name(), Security::StartTls),
    (Security::Tls.name(), Security::Tls),
    (Security::None.name(), Security::None),
];

impl Security {
    /// As it is written in config.ini.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::StartTls => "starttls",
            Self::Tls => "tls",
            Self::None => "none",
        }
    }

    /// The port on which mail servers expect it.
    #[must_use]
    pub const fn usual_port(self) -> u16 {
        match self {
            Self::StartTls => 587,
            Self::Tls => 465,
            Self::None => 25,
        }
    }
}

/// What this text says; what says nothing counts as the default.
pub(super) fn security(text: Option<&str>) -> Security {
    text.and_then(|text| one_of(SECURITIES)(text).ok())
        .unwrap_or(Security::StartTls)
}
