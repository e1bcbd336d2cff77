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
        /// Its port: 587 for starttls, 465 for tls.
        smtp_port: u16 = "587", env EMAIL_SMTP_PORT => number(1..=65_535);
        /// starttls, tls (from the first byte) or none; none only towards this machine.
        security: Security = "starttls" => one_of(SECURITIES);
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
    ("starttls", Security::StartTls),
    ("tls", Security::Tls),
    ("none", Security::None),
];
