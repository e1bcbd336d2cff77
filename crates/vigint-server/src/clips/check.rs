//! Whether the database and the clips' folder say the same: for `storage check`.
//!
//! A server may be at work meanwhile: what is young may still be written down, and what seems to be missing is looked at
//! twice. Nothing is removed that a row refers to.

mod finding;

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
use vigint_core::random::Random;
use vigint_db::clips::ClipRow;
use vigint_db::{AnyConnection, Db, DbError, Operator, Tenant};

pub use self::finding::{Finding, FindingKind};
use super::folder::{ClipsFolder, FolderError, Standing};
use super::store::{ClipStore, StorageKey};
use crate::private_files::{UNFINISHED, is_older};

/// What was written less than this ago may be about to be written down.
pub const YOUNG: Duration = Duration::from_secs(600);
/// How many rows are read at a time.
const BATCH: i64 = 500;

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
    /// Something is to be mended in a folder of clips that is not the database's.
    #[error(transparent)]
    Folder(#[from] FolderError),
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
    /// Whether to make a folder that is not the database's its own before.
    pub adopt: bool,
    /// Where ids come from.
    pub random: &'a dyn Random,
    /// Whether to read films whole and compare their SHA-256.
    pub deep: bool,
}

/// The files of one client that no row has claimed yet.
type Unclaimed = HashMap<ClipId, Vec<(String, std::fs::DirEntry)>>;

impl ClipCheck<'_> {
    /// Looks at everything, client by client, and tells what is wrong. One odd file is told and passed over. Blocks; no
    /// more is in memory than one client's names of files.
    ///
    /// # Errors
    /// [`CheckError`]; what was found by then was told.
    pub fn run(&self, tell: &mut dyn FnMut(Finding)) -> Result<Looked, CheckError> {
        self.look_at_folder(tell)?;
        // Before the rows: a folder is made after its client.
        let with_folders = self.store.clients()?;
        let with_rows =
            self.read(|conn| vigint_db::clips::clients_with_files(conn, self.operator))?;
        let there = self.read(|conn| vigint_db::clients::ids(conn, self.operator))?;
        let erased = self.read(|conn| vigint_db::erasures::clients(conn, self.operator))?;
        let all: BTreeSet<ClientId> = with_folders.into_iter().chain(with_rows).collect();
        let mut looked = Looked::default();
        for client in all {
            let exists = there.contains(&client);
            if exists || erased.contains(&client) {
                self.look_at_client(client, exists, &mut looked, tell)?;
            } else {
                let folder = self.store.client_folder(client);
                let finding = Finding::new(FindingKind::NoClient, &folder, Some(client));
                tell(finding.with(
                    "the database never had this client, so nothing in it is touched: if it is nobody else's, remove it by hand",
                ));
            }
        }
        Ok(looked)
    }

    /// Everything seems to be missing where the folder is not mounted, and to be nobody's where the database is another.
    fn look_at_folder(&self, tell: &mut dyn FnMut(Finding)) -> Result<(), CheckError> {
        let Err(wrong) = self.refuse_wrong_folder() else {
            return Ok(());
        };
        let is_database = matches!(wrong, FolderError::Database(_));
        if is_database || (self.repair && !self.adopt) {
            return Err(wrong.into());
        }
        let path = self.store.directory();
        let finding = Finding::new(FindingKind::WrongFolder, path, None).with(wrong.to_string());
        let adopt = || self.folder().take(self.random, self.now).map(drop);
        tell(finding.repaired(self.adopt, "adopted", adopt));
        if self.adopt {
            Ok(self.refuse_wrong_folder()?)
        } else {
            Ok(())
        }
    }

    fn refuse_wrong_folder(&self) -> Result<(), FolderError> {
        let folder = self.folder();
        match folder.standing()? {
            Standing::Ours(_) | Standing::Free => Ok(()),
            Standing::Wrong(why) => Err(folder.wrong(why).into()),
        }
    }

    const fn folder(&self) -> ClipsFolder<'_> {
        ClipsFolder {
            db: self.db,
            store: self.store,
            operator: self.operator,
        }
    }

    fn look_at_client(
        &self,
        client: ClientId,
        exists: bool,
        looked: &mut Looked,
        tell: &mut dyn FnMut(Finding),
    ) -> Result<(), CheckError> {
        let folder = self.store.client_folder(client);
        let mut unclaimed = Unclaimed::new();
        // Before the rows: a file is there before its row is.
        let listing = match self.store.files_of(client) {
            Ok(listing) => listing,
            Err(error) => {
                // Of its rows nothing can be said.
                tell(Finding::odd(&folder, Some(client), error));
                return Ok(());
            }
        };
        for odd in listing.odd {
            tell(Finding::odd(&odd.path, Some(client), odd.why));
        }
        for (clip, ending, file) in listing.files {
            looked.files += 1;
            unclaimed.entry(clip).or_default().push((ending, file));
        }
        // Before anything is removed from it, which makes it young again.
        let is_old = is_older(&folder, self.now - YOUNG).unwrap_or(false);
        let tenant = Tenant::by_operator(self.operator, client);
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
                self.look_at_spare(client, &ending, &file, "no row has it", tell);
            }
        }
        if !exists && is_old {
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
            self.look_at_spare(client, ending, file, spare, tell);
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
            match self.look_at_film(row, &path) {
                Ok(wrong) => wrong.into_iter().for_each(tell),
                Err(error) => tell(Finding::odd(&path, Some(client), error)),
            }
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
    ) {
        let path = file.path();
        let kind = if ending.ends_with(UNFINISHED) {
            FindingKind::Unfinished
        } else {
            FindingKind::Orphan
        };
        match is_older(&path, self.now - YOUNG) {
            Ok(false) => {}
            Ok(true) => {
                let finding = Finding::new(kind, &path, Some(client)).with(why);
                tell(finding.removed(self.repair, &path));
            }
            Err(error) => tell(Finding::odd(&path, Some(client), error)),
        }
    }

    /// A file that was not there when the folder was read: its film may have been made, or its clip ended since.
    fn look_again(
        &self,
        tenant: &Tenant,
        row: &ClipRow,
        path: &Path,
        tell: &mut dyn FnMut(Finding),
    ) -> Result<(), CheckError> {
        let is_there = match path.try_exists() {
            Ok(is_there) => is_there,
            Err(error) => {
                tell(Finding::odd(path, Some(row.client_id), error));
                return Ok(());
            }
        };
        let now = self.read(|conn| vigint_db::clips::get(conn, tenant, row.id))?;
        if is_there || now.map(|now| now.state) != Some(row.state) {
            return Ok(());
        }
        if self.repair {
            // It may have been unmounted since.
            self.refuse_wrong_folder()?;
        }
        let finding = Finding::new(FindingKind::Missing, path, Some(row.client_id));
        let finding = finding.with(format!("its clip is {}", row.state));
        tell(match row.state {
            ClipState::Pending => finding.repaired(self.repair, "marked as failed", || {
                let why = "its frames were missing when the storage was checked";
                self.db.write(|conn| {
                    vigint_db::clips::mark_failed(conn, tenant, row.id, row.attempts, why).map(drop)
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
