//! The `.eml` files of the outbox once they are written: how old they are, whose, and how they go.
//!
//! Whoever writes them names them `<time>-c<client>-<alert>.eml`, `<time>-server-<alert>.eml` when they concern no client.
//! What is named otherwise is not ours, and stays.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use vigint_core::clock::UtcTime;
use vigint_core::ids::{AlertId, ClientId};

use crate::clips::Removed;
use crate::private_files::{UNFINISHED, is_older, remove_if_there};

const ENDING: &str = ".eml";

/// The outbox's folder, which need not be there. All calls block.
#[derive(Clone, Debug)]
pub struct MailFiles {
    directory: PathBuf,
}

/// One file of it.
#[derive(Clone, Debug)]
pub struct MailFile {
    /// Where it is.
    pub path: PathBuf,
    /// Whose; none when it concerns no client.
    pub client: Option<ClientId>,
    /// Which mail.
    pub alert: AlertId,
    /// When the mail was made: its name says so, to the second.
    pub made_at: UtcTime,
    /// Whether it is, or was, still being written.
    pub is_unfinished: bool,
}

impl MailFile {
    fn of(path: PathBuf) -> Option<Self> {
        let name = path.file_name()?.to_str()?;
        let whole = name.strip_suffix(UNFINISHED);
        let is_unfinished = whole.is_some();
        let stem = whole.unwrap_or(name).strip_suffix(ENDING)?;
        let (time, rest) = stem.split_once('-')?;
        let (whose, alert) = rest.split_once('-')?;
        let client = match whose {
            "server" => None,
            whose => Some(whose.strip_prefix('c')?.parse().ok()?),
        };
        let made_at = DateTime::strptime("%Y%m%dT%H%M%SZ", time).ok()?;
        Some(Self {
            client,
            alert: alert.parse().ok()?,
            made_at: made_at.to_zoned(TimeZone::UTC).ok()?.timestamp().into(),
            is_unfinished,
            path,
        })
    }

    /// How long it is, in bytes; 0 when it is gone.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        fs::metadata(&self.path).map_or(0, |file| file.len())
    }
}

impl MailFiles {
    /// The files of this outbox.
    #[must_use]
    pub fn new(directory: &Path) -> Self {
        Self {
            directory: directory.to_owned(),
        }
    }

    /// All of them, oldest first.
    ///
    /// # Errors
    /// When the folder is there and cannot be read.
    pub fn list(&self) -> io::Result<Vec<MailFile>> {
        let entries = match fs::read_dir(&self.directory) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries?,
        };
        let mut files = Vec::new();
        for entry in entries {
            files.extend(MailFile::of(entry?.path()));
        }
        files.sort_by(|a, b| (a.made_at, &a.path).cmp(&(b.made_at, &b.path)));
        Ok(files)
    }

    /// Those of one client.
    ///
    /// # Errors
    /// As [`Self::list`].
    pub fn of_client(&self, client: ClientId) -> io::Result<Vec<MailFile>> {
        let mut files = self.list()?;
        files.retain(|file| file.client == Some(client));
        Ok(files)
    }

    /// Removes mails made before `before`, and unfinished ones last written before `unfinished_before`. How many.
    ///
    /// # Errors
    /// When the folder cannot be read, or a file not be removed: others are removed all the same.
    pub fn remove_old(&self, before: UtcTime, unfinished_before: UtcTime) -> io::Result<usize> {
        let (mut removed, mut failed) = (0, None);
        for file in self.list()? {
            let is_old = if file.is_unfinished {
                is_older(&file.path, unfinished_before)
            } else {
                Ok(file.made_at < before)
            };
            match is_old.and_then(|is_old| is_old.then(|| remove_if_there(&file.path)).transpose())
            {
                Ok(Some(())) => removed += 1,
                Ok(None) => {}
                Err(error) => failed = Some(error),
            }
        }
        failed.map_or(Ok(removed), Err)
    }

    /// Removes all mails of a client: see [`Self::remove_of`].
    pub fn remove_client(&self, client: ClientId) -> (Removed, io::Result<()>) {
        self.remove_of(&HashSet::from([client]))
    }

    /// Removes all mails of these clients. One that cannot be removed keeps no other. What went, and whether that was all.
    pub fn remove_of(&self, clients: &HashSet<ClientId>) -> (Removed, io::Result<()>) {
        let mut removed = Removed::default();
        let files = match self.list() {
            Ok(files) => files,
            Err(error) => return (removed, Err(error)),
        };
        let mut ended = Ok(());
        for file in files {
            if !file.client.is_some_and(|client| clients.contains(&client)) {
                continue;
            }
            let bytes = file.bytes();
            match fs::remove_file(&file.path) {
                Ok(()) => removed.add(bytes),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) if ended.is_ok() => {
                    let said = format!("{}: {error}", file.path.display());
                    ended = Err(io::Error::new(error.kind(), said));
                }
                Err(_) => {}
            }
        }
        (removed, ended)
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use super::*;

    const ALERT: &str = "00000000-0000-0000-0000-000000000001";

    fn outbox(names: &[&str]) -> (tempfile::TempDir, MailFiles) {
        let dir = tempfile::tempdir().unwrap();
        for name in names {
            fs::write(dir.path().join(name), "mail").unwrap();
        }
        let files = MailFiles::new(dir.path());
        (dir, files)
    }

    fn left(dir: &tempfile::TempDir) -> Vec<String> {
        let names = fs::read_dir(dir.path()).unwrap();
        let mut names: Vec<_> = names
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    fn at(text: &str) -> UtcTime {
        text.parse().unwrap()
    }

    /// Long before any file of a test was written.
    const LONG_AGO: UtcTime = UtcTime::UNIX_EPOCH;

    #[test]
    fn a_name_says_when_and_whose() {
        let ours = format!("20261122T154003Z-c5-{ALERT}.eml");
        let server = format!("20261122T154004Z-server-{ALERT}.eml.unfinished");
        let (_dir, files) = outbox(&[
            &ours,
            &server,
            "20261122T154003Z-c5-1.eml",
            "20269922T154003Z-c5-00000000-0000-0000-0000-000000000001.eml",
            "notes.eml",
            "20261122T154003Z-c5-00000000-0000-0000-0000-000000000001.txt",
        ]);
        let found = files.list().unwrap();
        assert_eq!(found.len(), 2);
        assert_eq!(found[0].client, Some(ClientId(5)));
        assert_eq!(found[0].made_at, at("2026-11-22T15:40:03Z"));
        assert!(!found[0].is_unfinished);
        assert_eq!((found[1].client, found[1].is_unfinished), (None, true));
    }

    #[test]
    fn mails_go_when_their_time_is_over_and_not_before() {
        let old = format!("20261122T154003Z-c5-{ALERT}.eml");
        let new = format!("20261122T154004Z-c5-{ALERT}.eml");
        let (dir, files) = outbox(&[&old, &new, "notes.eml"]);
        let remove = |before| files.remove_old(at(before), LONG_AGO).unwrap();
        assert_eq!(remove("2026-11-22T15:40:03Z"), 0);
        assert_eq!(remove("2026-11-22T15:40:03.001Z"), 1);
        assert_eq!(left(&dir), [new, "notes.eml".to_owned()]);
    }

    #[test]
    fn unfinished_mails_go_by_when_they_were_written() {
        let name = format!("20261122T154003Z-c5-{ALERT}.eml.unfinished");
        let (dir, files) = outbox(&[&name]);
        let written = fs::metadata(dir.path().join(&name))
            .and_then(|file| file.modified())
            .unwrap();
        let written = written.duration_since(SystemTime::UNIX_EPOCH).unwrap();
        let written = UtcTime::UNIX_EPOCH + written;
        let later = at("2099-01-01T00:00:00Z");
        assert_eq!(files.remove_old(later, written).unwrap(), 0);
        let after = written + Duration::from_millis(2);
        assert_eq!(files.remove_old(LONG_AGO, after).unwrap(), 1);
        assert!(left(&dir).is_empty());
    }

    #[test]
    fn a_clients_mails_go_with_it_and_others_stay() {
        let gone = format!("20261122T154003Z-c5-{ALERT}.eml");
        let half = format!("20261122T154003Z-c5-{ALERT}.eml.unfinished");
        let others = format!("20261122T154003Z-c55-{ALERT}.eml");
        let servers = format!("20261122T154003Z-server-{ALERT}.eml");
        let (dir, files) = outbox(&[&gone, &half, &others, &servers]);
        // No file can be removed where a folder is; it comes first.
        let stuck = format!("20261121T154003Z-c5-{ALERT}.eml");
        fs::create_dir(dir.path().join(&stuck)).unwrap();
        let (removed, ended) = files.remove_client(ClientId(5));
        assert_eq!((removed.files, removed.bytes), (2, 8));
        assert!(ended.unwrap_err().to_string().contains(&stuck));
        assert_eq!(left(&dir), [stuck, others, servers]);
    }

    #[test]
    fn an_outbox_that_is_not_there_holds_nothing() {
        let files = MailFiles::new(Path::new("/nonexistent/outbox"));
        assert!(files.list().unwrap().is_empty());
        assert_eq!(files.remove_old(LONG_AGO, LONG_AGO).unwrap(), 0);
    }
}
