//! What is wrong, and what was done about it.

use std::path::Path;

use serde::Serialize;
use vigint_core::ids::ClientId;

use crate::private_files::remove_if_there;

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
    /// Something that is none of our files, or cannot be read.
    Odd,
    /// The whole folder belongs to another database, or is not mounted.
    WrongFolder,
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
            Self::Odd => "odd",
            Self::WrongFolder => "wrong folder",
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

    /// Something that is passed over: `why` it is odd, or cannot be read.
    pub(crate) fn odd(path: &Path, client: Option<ClientId>, why: impl std::fmt::Display) -> Self {
        Self::new(FindingKind::Odd, path, client).with(why.to_string())
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
