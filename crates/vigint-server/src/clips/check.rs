//! Whether the database and the clips' folder say the same: for `storage check`.
//!
//! A server may be at work meanwhile: what is young may still be written down, and what seems to be missing is looked at
//! twice. Nothing is removed that a row refers to.

use std::collections::{BTreeSet, HashMap};
use std::fs::File;
use std::io;
use std::path::Path;
use std::time::Duration;

use serde::Serialize;
use sha2::{Digest as _, Sha256};
use vigint_core::clock::UtcTime;
use vigint_core::ids::{ClientId, ClipId};
use vigint_core::incident::ClipState;
use vigint_db::clips::ClipRow;
use vigint_db::{AnyConnection, Db, DbError, Operator, Tenant};

use super::store::{ClipStore, StorageKey};
use crate::private_files::{UNFINISHED, is_older, remove_if_there};

/// What was written less than this ago may be about to be written down.
pub const YOUNG: Duration = Duration::from_secs(600);
/// How many rows are read at a time.
const BATCH: i64 = 500;

/// What can be wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FindingKind {
    /// A file that no row needs.
    Orphan,
    /// A row without its file.
    Missing,
    /// A film that is not as long as its row says.
    WrongSize,
    /// A film whose SHA-256 is not its row's.
    WrongHash,
    /// A folder of a client that does not exist.
    NoClient,
    /// A file that was never finished.
    Unfinished,
    /// A mail of a client that does not exist.
    OrphanMail,
}

impl FindingKind {
    /// In words.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Orphan => "orphan",
            Self::Missing => "missing",
            Self::WrongSize => "wrong size",
            Self::WrongHash => "wrong SHA-256",
            Self::NoClient => "no such client",
            Self::Unfinished => "unfinished",
            Self::OrphanMail => "orphan mail",
        }
    }
}

/// Something that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What.
    pub kind: FindingKind,
    /// The file, or the one that should be there.
    pub path: String,
    /// Whose it is, or was.
    pub client_id: Option<ClientId>,
    /// More words; may be empty.
    pub detail: String,
    /// What was done about it, if anything.
    pub done: Option<&'static str>,
    /// Why nothing could be done.
    pub failed: Option<String>,
}

impl Finding {
    /// Something that nothing was done about yet.
    #[must_use]
    pub fn new(kind: FindingKind, path: &Path, client: Option<ClientId>) -> Self {
        Self {
            kind,
            path: path.display().to_string(),
            client_id: client,
            detail: String::new(),
            done: None,
            failed: None,
        }
    }

    /// With more words.
    #[must_use]
    pub fn with(mut self, detail: impl Into<String>) -> Self {
        self.detail = detail.into();
        self
    }

    /// Does something about it, and notes how that went. `repair`: whether that is asked for.
    #[must_use]
    pub fn repaired<E: std::fmt::Display>(
        mut self,
        repair: bool,
        done: &'static str,
        act: impl FnOnce() -> Result<(), E>,
    ) -> Self {
        if repair {
            match act() {
                Ok(()) => self.done = Some(done),
                Err(error) => self.failed = Some(error.to_string()),
            }
        }
        self
    }

    /// The same for a file that goes.
    #[must_use]
    pub fn removed(self, repair: bool, path: &Path) -> Self {
        self.repaired(repair, "removed", || remove_if_there(path))
    }
}

/// What was looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Looked {
    /// Rows of clips.
    pub clips: usize,
    /// Files of clips.
    pub files: usize,
}

/// Why a check did not come to its end.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    /// The folder cannot be read.
    #[error("the folder cannot be read: {0}")]
    Disk(#[from] io::Error),
    /// The database failed.
    #[error(transparent)]
    Database(#[from] DbError),
}

/// A check of a clips' folder against its database.
pub struct ClipCheck<'a> {
    /// The rows.
    pub db: &'a Db,
    /// The files.
    pub store: &'a ClipStore,
    /// Who asks.
    pub operator: &'a Operator,
    /// The time.
    pub now: UtcTime,
    /// Whether to remove what no row needs, and to mark rows whose files are missing.
    pub repair: bool,
    /// Whether to read films whole and compare their SHA-256.
    pub deep: bool,
}

/// The files of one client that no row has claimed yet.
type Unclaimed = HashMap<ClipId, Vec<(String, std::fs::DirEntry)>>;

impl ClipCheck<'_> {
    /// Looks at everything, client by client, and tells what is wrong. Blocks; no more is in memory than one client's
    /// names of files.
    ///
    /// # Errors
    /// [`CheckError`]; what was found by then was told.
    pub fn run(&self, tell: &mut dyn FnMut(Finding)) -> Result<Looked, CheckError> {
        let with_folders = self.store.clients()?;
        let with_rows = self
            .db
            .read(|conn| vigint_db::clips::clients_with_files(conn, self.operator))?;
        let all: BTreeSet<ClientId> = with_folders.into_iter().chain(with_rows).collect();
        let mut looked = Looked::default();
        for client in all {
            self.look_at_client(client, &mut looked, tell)?;
        }
        Ok(looked)
    }

    fn look_at_client(
        &self,
        client: ClientId,
        looked: &mut Looked,
        tell: &mut dyn FnMut(Finding),
    ) -> Result<(), CheckError> {
        let mut unclaimed = Unclaimed::new();
        // Before the rows: a file is there before its row is.
        for (clip, ending, file) in self.store.files_of(client)? {
            looked.files += 1;
            unclaimed.entry(clip).or_default().push((ending, file));
        }
        let folder = self.store.client_folder(client);
        // Before anything is removed from it, which makes it young again.
        let is_old = is_older(&folder, self.now - YOUNG)?;
        let tenant = Tenant::by_operator(self.operator, client);
        let exists = self.read(|conn| vigint_db::clients::get(conn, &tenant))?;
        let mut after = None;
        loop {
            let rows = self.read(|conn| vigint_db::clips::page(conn, &tenant, after, BATCH))?;
            let Some(last) = rows.last() else {
                break;
            };
            after = Some(last.id);
            for row in rows {
                looked.clips += 1;
                let files = unclaimed.remove(&row.id).unwrap_or_default();
                self.look_at_clip(&tenant, &row, files, tell)?;
            }
        }
        for (_, files) in unclaimed {
            for (ending, file) in files {
                self.look_at_spare(client, &ending, &file, "no row has it", tell)?;
            }
        }
        if exists.is_none() && is_old {
            let finding = Finding::new(FindingKind::NoClient, &folder, Some(client));
            let remove = || match std::fs::remove_dir(&folder) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
                _ => Ok(()),
            };
            tell(finding.repaired(self.repair, "removed", remove));
        }
        Ok(())
    }

    fn look_at_clip(
        &self,
        tenant: &Tenant,
        row: &ClipRow,
        files: Vec<(String, std::fs::DirEntry)>,
        tell: &mut dyn FnMut(Finding),
    ) -> Result<(), CheckError> {
        let client = row.client_id;
        for (ending, file) in &files {
            let spare = match row.state {
                ClipState::Expired => "its clip has ended",
                ClipState::Ready if ending == "frames" => "its film is made",
                _ if ending.ends_with(UNFINISHED) => "it was never finished",
                _ => continue,
            };
            self.look_at_spare(client, ending, file, spare, tell)?;
        }
        let needed = match row.state {
            ClipState::Ready => "mp4",
            ClipState::Pending => "frames",
            ClipState::Failed | ClipState::Expired => return Ok(()),
        };
        let path = self.store.path(StorageKey::new(client, row.id), needed);
        let is_there = files.iter().any(|(ending, _)| ending == needed);
        if !is_there {
            return self.look_again(tenant, row, &path, tell);
        }
        if row.state == ClipState::Ready {
            self.look_at_film(row, &path)?.into_iter().for_each(tell);
        }
        Ok(())
    }

    /// A file that nobody needs, unless it is young.
    fn look_at_spare(
        &self,
        client: ClientId,
        ending: &str,
        file: &std::fs::DirEntry,
        why: &str,
        tell: &mut dyn FnMut(Finding),
    ) -> io::Result<()> {
        let path = file.path();
        if is_older(&path, self.now - YOUNG)? {
            let kind = if ending.ends_with(UNFINISHED) {
                FindingKind::Unfinished
            } else {
                FindingKind::Orphan
            };
            let finding = Finding::new(kind, &path, Some(client)).with(why);
            tell(finding.removed(self.repair, &path));
        }
        Ok(())
    }

    /// A file that was not there when the folder was read: its film may have been made, or its clip ended since.
    fn look_again(
        &self,
        tenant: &Tenant,
        row: &ClipRow,
        path: &Path,
        tell: &mut dyn FnMut(Finding),
    ) -> Result<(), CheckError> {
        let is_there = path.try_exists()?;
        let now = self.read(|conn| vigint_db::clips::get(conn, tenant, row.id))?;
        if is_there || now.map(|now| now.state) != Some(row.state) {
            return Ok(());
        }
        let finding = Finding::new(FindingKind::Missing, path, Some(row.client_id));
        let finding = finding.with(format!("its clip is {}", row.state));
        tell(match row.state {
            ClipState::Pending => finding.repaired(self.repair, "marked as failed", || {
                let why = "its frames were missing when the storage was checked";
                self.db.write(|conn| {
                    vigint_db::clips::mark_failed(conn, tenant, row.id, why).map(drop)
                })
            }),
            _ => finding.repaired(self.repair, "marked as expired", || {
                self.db
                    .write(|conn| vigint_db::clips::mark_expired(conn, tenant, row.id).map(drop))
            }),
        });
        Ok(())
    }

    /// What is wrong with a film that is there; it stays, for its row refers to it.
    fn look_at_film(&self, row: &ClipRow, path: &Path) -> io::Result<Option<Finding>> {
        let length = match std::fs::metadata(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            file => file?.len(),
        };
        let finding = |kind| Finding::new(kind, path, Some(row.client_id));
        let should = row.bytes.and_then(|bytes| u64::try_from(bytes).ok());
        if let Some(should) = should.filter(|should| *should != length) {
            let detail = format!("it has {length} bytes and should have {should}");
            return Ok(Some(finding(FindingKind::WrongSize).with(detail)));
        }
        if self.deep
            && let Some(should) = &row.sha256
        {
            let mut hash = Sha256::new();
            io::copy(&mut File::open(path)?, &mut HashWriter(&mut hash))?;
            let is = hex::encode(hash.finalize());
            if is != *should {
                let detail = format!("it has {is} and should have {should}");
                return Ok(Some(finding(FindingKind::WrongHash).with(detail)));
            }
        }
        Ok(None)
    }

    fn read<T>(
        &self,
        query: impl FnOnce(&mut AnyConnection) -> Result<T, DbError>,
    ) -> Result<T, DbError> {
        self.db.read(query)
    }
}

/// Hashes what is written.
struct HashWriter<'a>(&'a mut Sha256);

impl io::Write for HashWriter<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests;
