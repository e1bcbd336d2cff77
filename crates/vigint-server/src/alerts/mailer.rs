//! Where mails are handed over.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use lettre::Message;
use vigint_core::clock::UtcTime;
use vigint_core::ids::{AlertId, ClientId};

use crate::private_files;

/// Why a mail was not handed over.
#[derive(Debug, thiserror::Error)]
pub enum MailError {
    /// It could not be put together.
    #[error("the mail could not be composed: {0}")]
    Compose(String),
    /// The outbox's folder failed.
    #[error("the mail could not be written to the outbox: {0}")]
    Outbox(#[from] io::Error),
}

/// The ways out. SMTP will be another one.
#[derive(Clone, Debug)]
pub enum Mailer {
    /// As `.eml` files in a folder.
    File(Outbox),
}

impl Mailer {
    /// The name health shows.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::File(_) => "file",
        }
    }

    /// Hands a mail over. Doing it twice for one alert leaves one mail. Blocks.
    ///
    /// # Errors
    /// See [`MailError`].
    pub fn send(&self, envelope: &Envelope, mail: &Message) -> Result<(), MailError> {
        match self {
            Self::File(outbox) => Ok(outbox.write(envelope, &mail.formatted())?),
        }
    }

    /// Removes what is left of a client's mails. Blocks.
    ///
    /// # Errors
    /// When the folder refuses.
    pub fn forget_client(&self, client: ClientId) -> io::Result<()> {
        match self {
            Self::File(outbox) => outbox.remove_client(client),
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

/// A folder of `.eml` files (RFC 5322), 0700, files 0600: `<time>-c<client>-<alert>.eml`, `<time>-server-<alert>.eml`
/// when it concerns no client.
#[derive(Clone, Debug)]
pub struct Outbox {
    directory: PathBuf,
}

impl Outbox {
    /// Opens the folder, making it when it is missing.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn open(directory: &Path) -> io::Result<Self> {
        private_files::make_folder(directory)?;
        Ok(Self {
            directory: directory.to_owned(),
        })
    }

    fn write(&self, envelope: &Envelope, mail: &[u8]) -> io::Result<()> {
        let time = envelope.created_at.timestamp().strftime("%Y%m%dT%H%M%SZ");
        let whose = envelope
            .client
            .map_or_else(|| "server".to_owned(), |client| format!("c{client}"));
        let name = format!("{time}-{whose}-{}", envelope.alert);
        private_files::write_whole(&self.directory.join(format!("{name}.eml")), mail)
    }

    fn remove_client(&self, client: ClientId) -> io::Result<()> {
        let mark = format!("-c{client}-");
        for entry in fs::read_dir(&self.directory)? {
            let entry = entry?;
            if entry.file_name().to_string_lossy().contains(&mark) {
                fs::remove_file(entry.path())?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn envelope(client: i64, alert: u128) -> Envelope {
        Envelope {
            client: Some(ClientId(client)),
            alert: AlertId(Uuid::from_u128(alert)),
            created_at: UtcTime::from_unix_seconds(1_795_362_003),
        }
    }

    fn names(dir: &Path) -> Vec<String> {
        let mut names: Vec<_> = fs::read_dir(dir)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn one_alert_is_one_file_however_often_it_is_tried() {
        let dir = tempfile::tempdir().unwrap();
        let outbox = Outbox::open(dir.path()).unwrap();
        outbox.write(&envelope(5, 1), b"first").unwrap();
        outbox.write(&envelope(5, 1), b"second").unwrap();
        let names = names(dir.path());
        assert_eq!(
            names,
            ["20261122T154003Z-c5-00000000-0000-0000-0000-000000000001.eml"]
        );
        assert_eq!(fs::read(dir.path().join(&names[0])).unwrap(), b"second");
    }

    #[test]
    fn forgetting_a_client_leaves_the_mails_of_others() {
        let dir = tempfile::tempdir().unwrap();
        let outbox = Outbox::open(dir.path()).unwrap();
        outbox.write(&envelope(5, 1), b"mail").unwrap();
        outbox.write(&envelope(55, 2), b"mail").unwrap();
        outbox.remove_client(ClientId(5)).unwrap();
        assert_eq!(names(dir.path()).len(), 1);
        assert!(names(dir.path())[0].contains("-c55-"));
    }
}
