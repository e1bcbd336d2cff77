//! Everything that is kept about one client, in one zip file: rows as JSON, films as MP4, mails as they were written.
//!
//! First the rows, in one snapshot of the database; then, with no transaction open, what lies on the disk. What ends
//! meanwhile is named in the manifest as missing. The file appears whole or not at all.

mod archive;
mod error;
mod films;
mod json;
mod mails;
mod manifest;
mod output;
mod readme;
mod rows;

use serde::Serialize;
use tokio_util::sync::CancellationToken;
use vigint_core::clock::UtcTime;
use vigint_core::ids::ClientId;
use vigint_db::Db;
use vigint_db::admin::{Admin, Exporting};

pub use self::error::{ExportError, TargetError};
pub use self::manifest::{Damaged, Missing};
pub use self::output::Target;

use self::archive::{Archive, Packing};
use self::manifest::Manifest;
use self::output::{Unfinished, Writing};
use crate::alerts::MailFiles;
use crate::clips::ClipStore;

/// An export, ready to be made.
#[derive(Debug)]
pub struct Export {
    /// The rows.
    pub db: Db,
    /// The films.
    pub store: ClipStore,
    /// The mails that were written as files.
    pub mails: MailFiles,
    /// Who asks, for the audit log.
    pub admin: Admin,
    /// Whose.
    pub client: ClientId,
    /// The time.
    pub now: UtcTime,
    /// Where links of this server lead: it says who made the export.
    pub public_url: String,
    /// Where to.
    pub target: Target,
    /// Ends it, with nothing left behind.
    pub stop: CancellationToken,
}

/// What an export holds.
#[derive(Debug, Serialize)]
#[expect(
    missing_docs,
    reason = "the names say it; counts are of what is in the file"
)]
pub struct Exported {
    pub path: String,
    /// Of the zip file.
    pub bytes: u64,
    pub client_id: ClientId,
    pub client_name: String,
    pub made_at: UtcTime,
    pub incidents: u64,
    /// Films.
    pub clips: u64,
    /// Pictures of clips whose film is not made.
    pub frames: u64,
    /// Mails that were written as files.
    pub mails: u64,
    pub usage_rows: u64,
    /// What should be in it and is not.
    pub missing: Vec<Missing>,
    /// What is in it and is not as it should be.
    pub damaged: Vec<Damaged>,
}

impl Export {
    /// Makes it. Blocks; no more is in memory than a page of rows, a piece of a film and the names of the files.
    ///
    /// # Errors
    /// [`ExportError`]: no file is left behind then, and one that was there is as it was.
    pub fn run(&self) -> Result<Exported, ExportError> {
        let unfinished = Unfinished::create(&self.target)?;
        // Before anything is given out, so that no end of this program leaves it unnoted.
        let exporting = self
            .db
            .write(|conn| self.admin.begin_export(conn, self.client, self.now))?;
        let writing = unfinished.writing(self.stop.clone());
        let writing = writing.map_err(|error| self.not_written(error))?;
        let failure = writing.failure();
        let mut making = Making {
            export: self,
            client: &exporting,
            archive: Archive::new(writing, failure, self.now),
            manifest: Manifest::new(self, &exporting),
        };
        making.fill()?;
        let Making {
            archive, manifest, ..
        } = making;
        let bytes = archive
            .finish()
            .and_then(Writing::finish)
            .map_err(|error| self.not_written(error))?;
        self.still_wanted(&exporting)?;
        unfinished
            .keep(&self.target)
            .map_err(|error| self.not_written(error))?;
        Ok(manifest.exported(self.target.path(), bytes))
    }

    /// Nothing is handed out of who was erased meanwhile, nor after somebody said stop.
    fn still_wanted(&self, exporting: &Exporting) -> Result<(), ExportError> {
        let found = self
            .db
            .read(|conn| vigint_db::clients::get(conn, &exporting.tenant))?;
        if found.is_none() {
            return Err(ExportError::Erased(self.client));
        }
        if self.stop.is_cancelled() {
            return Err(ExportError::Stopped);
        }
        Ok(())
    }

    fn not_written(&self, source: std::io::Error) -> ExportError {
        if self.stop.is_cancelled() {
            return ExportError::Stopped;
        }
        ExportError::NotWritten {
            path: self.target.path().to_owned(),
            source,
        }
    }
}

/// An export being made.
struct Making<'a> {
    export: &'a Export,
    client: &'a Exporting,
    archive: Archive<Writing>,
    manifest: Manifest,
}

impl Making<'_> {
    fn fill(&mut self) -> Result<(), ExportError> {
        let readme = readme::text(self.export, self.client);
        self.whole("README.txt", readme.as_bytes())?;
        for clip in self.rows()? {
            self.clip(&clip)?;
        }
        self.mails()?;
        let manifest = self.manifest.bytes(self.archive.files())?;
        self.whole("manifest.json", &manifest)
    }

    /// A file whose bytes are all here.
    fn whole(&mut self, path: &str, bytes: &[u8]) -> Result<(), ExportError> {
        let written = self
            .archive
            .file(path, Packing::Deflated)
            .and_then(|mut file| {
                file.write(bytes)?;
                file.finish().map(drop)
            });
        written.map_err(|error| self.export.not_written(error))
    }
}
