//! Bringing over the database of an earlier Python Vigint: clients, keys that go on working, and what they used.
//!
//! The source is only read, in one snapshot. Ours is written in steps, each a transaction of its own: a client
//! with all its keys and its audit row; then pages of usage, with how far each key has come by them
//! (`unfinished_imports`). One transaction for everything would be simpler, and would keep a running server from
//! writing down its incidents while millions of usage rows come in. An import that was cut short is finished by
//! running it again: a client that is there is left alone, and usage goes on behind the last row that came in.
//! Memory holds one page, and one entry for each client and key.
//!
//! Ids of the earlier database are not kept: ours are never used twice. `payment_details` is left where it is.

mod convert;
mod error;
mod place;
mod report;
mod run;
mod source;

use std::os::unix::fs::MetadataExt as _;

use vigint_core::clock::UtcTime;
use vigint_core::locale::Locale;

pub use self::error::ImportError;
pub use self::report::{ImportReport, Skipped, SkippedKind};

use self::place::Place;
use self::run::Run;
use self::source::Source;
use crate::{AnyConnection, DatabaseUrl, Db, DbError, Operator};

/// Into which database.
#[derive(Clone, Copy, Debug)]
pub enum Target<'a> {
    /// Into this one, whose tables are there.
    Into(&'a Db),
    /// Into none: only counts what would come into this one. `None`: one that is not there yet.
    DryRun(Option<&'a Db>),
}

/// What an import needs to be told.
#[derive(Clone, Debug)]
pub struct ImportOptions<'a> {
    /// Who imports, for the audit.
    pub actor: &'a str,
    /// The language of every client: the earlier Vigint kept none. Their time zone is UTC.
    pub default_locale: Locale,
    /// The time of the audit rows, and of rows that tell none of their own.
    pub now: UtcTime,
}

/// Brings over what is not here yet, or counts it. A row that cannot be kept stops nothing: it is named in
/// [`ImportReport::skipped`].
///
/// # Errors
/// [`ImportError`]: the source cannot be read, is no database of the earlier Vigint, or is the target itself;
/// the target fails; another import is at work.
pub fn import(
    from: &DatabaseUrl,
    target: Target<'_>,
    _operator: &Operator,
    options: &ImportOptions<'_>,
) -> Result<ImportReport, ImportError> {
    if let Some(db) = target.db() {
        refuse_same_file(from, db.url())?;
    }
    let mut source = Source::open(from)?;
    if let Some(db) = target.db() {
        refuse_same_tables(&mut source, db)?;
    }
    Run::new(source, target, options)?.through()
}

/// Whether there is anything to import: asked before the target is opened, which would make its file, or change
/// it if it is the source.
///
/// # Errors
/// [`ImportError`]: the source cannot be read, is no database of the earlier Vigint, or is the very file that is
/// the target. Two PostgreSQL databases are told apart by [`import`] itself.
pub fn check(from: &DatabaseUrl, into: &DatabaseUrl) -> Result<(), ImportError> {
    refuse_same_file(from, into)?;
    Source::open(from).map(drop)
}

fn refuse_same_file(from: &DatabaseUrl, into: &DatabaseUrl) -> Result<(), ImportError> {
    let file = |url: &DatabaseUrl| {
        let found = url.sqlite_path()?.metadata().ok()?;
        Some((found.dev(), found.ino()))
    };
    let (from_file, into_file) = (file(from), file(into));
    if from_file.is_some() && from_file == into_file {
        let url = from.to_string();
        return Err(ImportError::SameDatabase { url });
    }
    Ok(())
}

fn refuse_same_tables(source: &mut Source, db: &Db) -> Result<(), ImportError> {
    let theirs = source.identity()?;
    let ours = db.read(|conn| match conn {
        AnyConnection::Sqlite(_) => Ok::<_, DbError>(None),
        AnyConnection::Postgres(pg) => Ok(Some(source::identity(pg)?)),
    })?;
    if theirs.is_some() && theirs == ours {
        let url = source.url().to_string();
        return Err(ImportError::SameDatabase { url });
    }
    Ok(())
}

impl<'a> Target<'a> {
    const fn db(self) -> Option<&'a Db> {
        match self {
            Self::Into(db) => Some(db),
            Self::DryRun(db) => db,
        }
    }

    /// One step: a transaction, unless nothing is written.
    fn at<T>(
        self,
        step: impl FnOnce(Place<'_>) -> Result<T, ImportError>,
    ) -> Result<T, ImportError> {
        match self {
            Self::Into(db) => db.write(|conn| {
                step(Place {
                    conn: Some(conn),
                    writes: true,
                })
            }),
            Self::DryRun(Some(db)) => db.read(|conn| {
                step(Place {
                    conn: Some(conn),
                    writes: false,
                })
            }),
            Self::DryRun(None) => step(Place {
                conn: None,
                writes: false,
            }),
        }
    }
}
