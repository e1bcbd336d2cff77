//! The ways out: where mails are handed over, and what a failure means for the mail and for the way.
//!
//! It must not know what a mail says, nor when it is tried again.

mod error;
mod outbox;
mod smtp;

use std::io;
use std::path::PathBuf;

use lettre::Message;
use vigint_core::clock::UtcTime;
use vigint_core::ids::{AlertId, ClientId};

pub use self::error::{Fate, MailError};
pub use self::outbox::Outbox;
pub use self::smtp::{CaError, Login, Smtp, SmtpError, SmtpLimits, SmtpOptions, SmtpSetupError};

/// A way out.
#[derive(Clone, Debug)]
pub enum Mailer {
    /// As `.eml` files in a folder.
    File(Outbox),
    /// To a mail server.
    Smtp {
        /// Which.
        server: Smtp,
        /// Where mails of an earlier time without one may lie: they have to be erased with their client.
        outbox: Outbox,
    },
}

impl Mailer {
    /// The name health shows.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::File(_) => "file",
            Self::Smtp { .. } => "smtp",
        }
    }

    /// Hands a mail over, to whom its own headers say. As files, doing it twice for one alert leaves one mail; towards
    /// a mail server the Message-ID of the mail tells the second from another one.
    ///
    /// # Errors
    /// See [`MailError`]; [`MailError::fate`] says what to do.
    pub async fn send(&self, envelope: &Envelope, mail: &Message) -> Result<Receipt, MailError> {
        match self {
            Self::File(outbox) => {
                let (outbox, envelope, mail) = (outbox.clone(), *envelope, mail.formatted());
                let write = move || outbox.write(&envelope, &mail);
                let written = tokio::task::spawn_blocking(write).await;
                let path = written.unwrap_or_else(|panic| Err(io::Error::other(panic)))?;
                Ok(Receipt::File(path))
            }
            Self::Smtp { server, .. } => Ok(Receipt::Accepted(server.send(mail).await?)),
        }
    }

    /// Removes what is left of a client's mails. Blocks.
    ///
    /// # Errors
    /// When the folder refuses.
    pub fn forget_client(&self, client: ClientId) -> io::Result<()> {
        match self {
            Self::File(outbox) | Self::Smtp { outbox, .. } => outbox.remove_client(client),
        }
    }
}

/// Which mail it is.
#[derive(Clone, Copy, Debug)]
pub struct Envelope {
    /// Whose; none when it concerns no client.
    pub client: Option<ClientId>,
    /// Which alert.
    pub alert: AlertId,
    /// When the alert was made.
    pub created_at: UtcTime,
}

/// What became of a mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Receipt {
    /// It lies in this file.
    File(PathBuf),
    /// The mail server accepted it, in these words, such as `250 2.0.0 OK`.
    Accepted(String),
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use uuid::Uuid;
    use vigint_config::Security;
    use vigint_core::clock::SystemClock;

    use super::*;

    fn message() -> Message {
        Message::builder()
            .from("alerts@example.com".parse().unwrap())
            .to("owner@b.example".parse().unwrap())
            .body("A body".to_owned())
            .unwrap()
    }

    const ENVELOPE: Envelope = Envelope {
        client: Some(ClientId(5)),
        alert: AlertId(Uuid::nil()),
        created_at: UtcTime::UNIX_EPOCH,
    };

    #[tokio::test]
    async fn a_mail_in_a_file_says_where_and_goes_with_its_client_also_when_mails_go_elsewhere_now()
    {
        let folder = tempfile::tempdir().unwrap();
        let files = Mailer::File(Outbox::open(folder.path()).unwrap());
        let Receipt::File(path) = files.send(&ENVELOPE, &message()).await.unwrap() else {
            panic!("no file");
        };
        assert!(std::fs::read_to_string(&path).unwrap().ends_with("A body"));

        let server = Smtp::new(SmtpOptions {
            host: "m.example".to_owned(),
            port: 587,
            security: Security::StartTls,
            ca_file: None,
            login: None,
            limits: SmtpLimits::default(),
            clock: Arc::new(SystemClock::new()),
        });
        let now = Mailer::Smtp {
            server: server.unwrap(),
            outbox: Outbox::left_in(folder.path()),
        };
        now.forget_client(ClientId(55)).unwrap();
        assert!(path.exists());
        now.forget_client(ClientId(5)).unwrap();
        assert!(!path.exists());
        assert_eq!((files.kind(), now.kind()), ("file", "smtp"));
    }

    #[tokio::test]
    async fn a_folder_that_fails_is_tried_again_and_a_mail_that_cannot_be_made_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let files = Mailer::File(Outbox::open(&folder.path().join("outbox")).unwrap());
        std::fs::remove_dir(folder.path().join("outbox")).unwrap();
        let error = files.send(&ENVELOPE, &message()).await.unwrap_err();
        assert_eq!(error.fate(), Fate::TryAgain);
        assert!(
            error
                .to_string()
                .starts_with("the mail could not be written to the outbox: ")
        );
        assert_eq!(MailError::Compose("no".to_owned()).fate(), Fate::GiveUp);
    }
}
