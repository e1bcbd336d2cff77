//! Mails as files, where no mail server is set.

use std::io;
use std::path::{Path, PathBuf};

use vigint_core::ids::ClientId;

use super::Envelope;
use crate::alerts::MailFiles;
use crate::private_files;

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

    /// The folder as it may have been left, whether or not it is there: nothing is written to it.
    #[must_use]
    pub fn left_in(directory: &Path) -> Self {
        Self {
            directory: directory.to_owned(),
        }
    }

    /// Writes a mail, in the place of an earlier try. Says where. Blocks.
    pub(super) fn write(&self, envelope: &Envelope, mail: &[u8]) -> io::Result<PathBuf> {
        let time = envelope.created_at.timestamp().strftime("%Y%m%dT%H%M%SZ");
        let whose = envelope
            .client
            .map_or_else(|| "server".to_owned(), |client| format!("c{client}"));
        let name = format!("{time}-{whose}-{}", envelope.alert);
        let path = self.directory.join(format!("{name}.eml"));
        private_files::write_whole(&path, mail)?;
        Ok(path)
    }

    /// Removes a client's mails, and no file that is named otherwise. Blocks.
    pub(super) fn remove_client(&self, client: ClientId) -> io::Result<()> {
        MailFiles::new(&self.directory).remove_client(client).1
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use uuid::Uuid;
    use vigint_core::clock::UtcTime;
    use vigint_core::ids::AlertId;

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
        // The id of an alert may hold what looks like a client's mark.
        outbox
            .write(&envelope(5, 1 | (0xc123 << 64)), b"mail")
            .unwrap();
        outbox
            .write(&envelope(7, 3 | (0xc123 << 64)), b"mail")
            .unwrap();
        fs::write(dir.path().join("invoice-c5-.eml"), "not ours").unwrap();
        outbox.remove_client(ClientId(5)).unwrap();
        outbox.remove_client(ClientId(123)).unwrap();
        let left = names(dir.path());
        assert_eq!(left.len(), 3, "{left:?}");
        assert!(
            left[0].contains("-c55-") && left[1].contains("-c7-"),
            "{left:?}"
        );
    }

    #[test]
    fn where_no_mail_was_ever_left_there_is_nothing_to_forget() {
        let dir = tempfile::tempdir().unwrap();
        let outbox = Outbox::left_in(&dir.path().join("never-made"));
        outbox.remove_client(ClientId(5)).unwrap();
        assert!(names(dir.path()).is_empty());
    }
}
