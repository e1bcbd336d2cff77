//! Whether a folder of clips is the database's: both hold the same id, the folder in a file.
//!
//! Without it a wrong `database_url` would have every film removed as nobody's, and a disk that is not mounted would
//! have every clip marked as gone. A folder that does not fit is neither read, written nor swept.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use vigint_core::clock::UtcTime;
use vigint_core::ids::ClipsFolderId;
use vigint_core::incident::ClipState;
use vigint_core::random::Random;
use vigint_db::clips_folder::ClipsFolderRow;
use vigint_db::{Db, DbError, Operator};

use super::store::{ClipStore, StorageKey};
use crate::private_files::write_whole;

/// The file that holds the id, as text.
const MARK: &str = ".vigint-clips";

/// Why a folder is not used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Misfit {
    /// The database's folder holds an id, and this one does not.
    NotMarked,
    /// It holds another id.
    AnotherMark,
    /// The database knows of clips, and none is there.
    ClipsMissing,
    /// There are clips, and the database knows none of them.
    ClipsUnknown,
}

impl Misfit {
    const fn as_str(self) -> &'static str {
        match self {
            Self::NotMarked => {
                "it does not hold the mark that the folder of this database has: is its disk mounted?"
            }
            Self::AnotherMark => "it holds the mark of another database",
            Self::ClipsMissing => {
                "the database knows of clips, and none of them is there: is its disk mounted?"
            }
            Self::ClipsUnknown => "the clips in it are none that the database knows of",
        }
    }
}

/// A folder that does not belong to the database, and what to do.
#[derive(Clone, Debug, thiserror::Error)]
#[error(
    "the folder of clips {} is not the one of the database {database}: {}. Nothing in it is touched. Set [Clips] directory \
     and [Database] database_url to what belongs together; several servers on one database share one folder. Or, to use \
     this folder with this database from now on, look with `vigint-server storage check` and then take it with \
     `vigint-server storage check --repair --adopt`, which gives up all clips that are not in it",
    directory.display(), why.as_str()
)]
pub struct WrongFolder {
    /// The folder.
    pub directory: PathBuf,
    /// The database, shown without its password.
    pub database: String,
    /// What does not fit.
    pub why: Misfit,
}

/// Why it is not known whether a folder fits.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// It does not.
    #[error(transparent)]
    Wrong(#[from] WrongFolder),
    /// The folder cannot be read or written.
    #[error(
        "[Clips] directory: the folder {} cannot be used: {error}. It must be there, on a disk that can be written, and it \
         and all in it must belong to the user that runs the server",
        directory.display()
    )]
    Disk {
        /// The folder.
        directory: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// The database failed.
    #[error(transparent)]
    Database(#[from] DbError),
}

/// How a folder stands to a database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// Both hold this id.
    Ours(ClipsFolderId),
    /// It may be taken: there is nothing that could be lost, or it holds clips that the database knows.
    Free,
    /// It must not be touched.
    Wrong(Misfit),
}

/// What a server knows its folder by.
#[derive(Clone, Debug)]
pub(super) struct Mark {
    /// All stores of a server follow together: see [`Self::follow`].
    id: Arc<Mutex<ClipsFolderId>>,
    database: String,
}

/// A folder of clips beside a database. All calls block.
pub struct ClipsFolder<'a> {
    /// The database.
    pub db: &'a Db,
    /// The folder.
    pub store: &'a ClipStore,
    /// Who asks.
    pub operator: &'a Operator,
}

impl ClipsFolder<'_> {
    /// The store of this folder, which uses it only while it holds this database's id. A folder that may be the
    /// database's, and holds no id yet, is given it.
    ///
    /// # Errors
    /// [`FolderError`].
    pub fn claim(&self, random: &dyn Random, now: UtcTime) -> Result<ClipStore, FolderError> {
        let id = match self.standing()? {
            Standing::Ours(id) => {
                self.note_marked(now)?;
                id
            }
            Standing::Free => self.take(random, now)?,
            Standing::Wrong(why) => return Err(self.wrong(why).into()),
        };
        let database = self.db.url().to_string();
        Ok(self.store.clone().marked(Mark::new(id, database)))
    }

    /// The store of a folder that is not there now, or does not hold the mark that the database's folder has: it is used
    /// once it is there. None when `why` says anything else, or the database's folder was never marked.
    ///
    /// # Errors
    /// When the database fails.
    pub fn awaited(&self, why: &FolderError) -> Result<Option<ClipStore>, DbError> {
        let may_come = match why {
            FolderError::Wrong(wrong) => wrong.why == Misfit::NotMarked,
            FolderError::Disk { .. } => true,
            FolderError::Database(_) => false,
        };
        let known = self
            .db
            .read(|conn| vigint_db::clips_folder::get(conn, self.operator))?;
        let known = known.filter(|known| known.is_marked && may_come);
        Ok(known.map(|known| {
            let database = self.db.url().to_string();
            self.store.clone().marked(Mark::new(known.id, database))
        }))
    }

    /// Makes this the database's folder, whatever it was before. The folder that was it before is it no more.
    ///
    /// # Errors
    /// [`FolderError`], never of the kind `Wrong`.
    pub fn take(&self, random: &dyn Random, now: UtcTime) -> Result<ClipsFolderId, FolderError> {
        let new = ClipsFolderId::generate(random);
        let name = |conn: &mut _| vigint_db::clips_folder::name(conn, self.operator, new);
        let id = self.db.write(name)?;
        let directory = self.store.directory();
        let written = write_whole(&mark_path(directory), format!("{id}\n").as_bytes());
        // Two servers that start at once write the same, and one may find its unfinished file gone.
        if let Err(error) = written
            && !matches!(read_mark(directory), Ok(Some(there)) if there == id)
        {
            return Err(self.failed(error));
        }
        self.note_marked(now)?;
        Ok(id)
    }

    pub(super) fn wrong(&self, why: Misfit) -> WrongFolder {
        WrongFolder {
            directory: self.store.directory().to_owned(),
            database: self.db.url().to_string(),
            why,
        }
    }

    pub(super) fn standing(&self) -> Result<Standing, FolderError> {
        let known = |conn: &mut _| vigint_db::clips_folder::get(conn, self.operator);
        let known = self.db.read(known)?;
        let mark = read_mark(self.store.directory()).map_err(|error| self.failed(error))?;
        Ok(match (mark, known) {
            (Some(mark), Some(known)) if mark == known.id => Standing::Ours(mark),
            // A new database beside what an earlier one left: free while nothing can be lost.
            (Some(_), None) if self.clips()?.are_none() => Standing::Free,
            (Some(_), _) => Standing::Wrong(Misfit::AnotherMark),
            (None, known) => self.clips()?.standing(known),
        })
    }

    /// The clips of both sides.
    fn clips(&self) -> Result<ClipsSeen, FolderError> {
        let (keys, erased) = self.db.read(|conn| {
            let keys = vigint_db::clips::storage_keys(conn, self.operator)?;
            Ok::<_, DbError>((keys, vigint_db::erasures::clients(conn, self.operator)?))
        })?;
        // A clip that failed may never have had files.
        let must_be_there =
            |state: &ClipState| matches!(state, ClipState::Pending | ClipState::Ready);
        let knows_clips = keys.values().any(must_be_there);
        let (mut holds_clips, mut holds_ours) = (false, false);
        for client in self.store.clients().map_err(|error| self.failed(error))? {
            // What is left of these goes in any case.
            if erased.contains(&client) {
                continue;
            }
            // One that cannot be read proves nothing.
            for (clip, ..) in self.store.files_of(client).unwrap_or_default().files {
                holds_clips = true;
                holds_ours |= keys.contains_key(&StorageKey::new(client, clip).to_string());
            }
        }
        Ok(ClipsSeen {
            known: knows_clips,
            held: holds_clips,
            held_and_known: holds_ours,
        })
    }

    fn note_marked(&self, now: UtcTime) -> Result<(), DbError> {
        self.db
            .write(|conn| vigint_db::clips_folder::note_marked(conn, self.operator, now))
    }

    fn failed(&self, error: io::Error) -> FolderError {
        FolderError::Disk {
            directory: self.store.directory().to_owned(),
            error,
        }
    }
}

/// Which clips there are at all.
struct ClipsSeen {
    /// The database knows of some that must be there.
    known: bool,
    /// The folder holds some, of clients that are not erased.
    held: bool,
    /// Some of these the database knows.
    held_and_known: bool,
}

impl ClipsSeen {
    const fn are_none(&self) -> bool {
        !self.known && !self.held
    }

    /// How a folder without a mark stands to its database.
    fn standing(&self, known: Option<ClipsFolderRow>) -> Standing {
        // An id that the folder never held, because the server died before, is as good as none.
        let was_marked = known.is_some_and(|known| known.is_marked);
        match self {
            none if none.are_none() => Standing::Free,
            _ if was_marked => Standing::Wrong(Misfit::NotMarked),
            clips if clips.held_and_known => Standing::Free,
            clips if clips.held => Standing::Wrong(Misfit::ClipsUnknown),
            _ => Standing::Wrong(Misfit::ClipsMissing),
        }
    }
}

impl Mark {
    fn new(id: ClipsFolderId, database: String) -> Self {
        Self {
            id: Arc::new(Mutex::new(id)),
            database,
        }
    }

    fn lock(&self) -> MutexGuard<'_, ClipsFolderId> {
        self.id.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Goes on with the id that the database has by now, if the folder holds it: somebody took the folder for the
    /// database while this server runs.
    ///
    /// # Errors
    /// What the system says.
    pub(super) fn follow(&self, directory: &Path, known: ClipsFolderId) -> io::Result<()> {
        if read_mark(directory)? == Some(known) {
            *self.lock() = known;
        }
        Ok(())
    }

    /// Whether the folder holds it now: it may be unmounted while a server runs.
    ///
    /// # Errors
    /// [`WrongFolder`] inside an [`io::Error`] when it does not, or what the system says.
    pub(super) fn check(&self, directory: &Path) -> io::Result<()> {
        let why = match read_mark(directory)? {
            Some(id) if id == *self.lock() => return Ok(()),
            Some(_) => Misfit::AnotherMark,
            None => Misfit::NotMarked,
        };
        Err(io::Error::other(WrongFolder {
            directory: directory.to_owned(),
            database: self.database.clone(),
            why,
        }))
    }
}

fn mark_path(directory: &Path) -> PathBuf {
    directory.join(MARK)
}

/// The id that a folder holds, if any.
fn read_mark(directory: &Path) -> io::Result<Option<ClipsFolderId>> {
    let text = match fs::read_to_string(mark_path(directory)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        text => text?,
    };
    let id = text.trim().parse().map_err(|_| {
        let said = format!(
            "its file {MARK} holds no id: put it back from a backup, or take the folder anew with \
             `vigint-server storage check --repair --adopt`"
        );
        io::Error::new(io::ErrorKind::InvalidData, said)
    })?;
    Ok(Some(id))
}

#[cfg(test)]
mod tests;
