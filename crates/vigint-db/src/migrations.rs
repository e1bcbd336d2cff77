//! Setting up and upgrading the tables: one hand at a time, all of it or nothing.

use diesel::RunQueryDsl;
use diesel::connection::SimpleConnection;
use diesel::migration::{Migration, MigrationSource, MigrationVersion};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use crate::connection::each;
use crate::{AnyConnection, Db, DbError};

const SQLITE: EmbeddedMigrations = embed_migrations!("../../migrations/sqlite");
const POSTGRES: EmbeddedMigrations = embed_migrations!("../../migrations/postgres");

/// The key of the advisory lock that migrating programs take on PostgreSQL: "vigint" in ASCII.
const ADVISORY_LOCK: i64 = 0x7669_6769_6e74;

/// A table that every Vigint has had, the earlier one in Python included.
const TELLTALE_TABLE: &str = "clients";

/// Where diesel keeps the versions that were applied; asking it for them makes the table.
pub(crate) const VERSIONS_TABLE: &str = "__diesel_schema_migrations";

/// What [`Db::migrate`] did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Migrated {
    /// The database was empty before.
    pub created: bool,
    /// The versions that were applied now, oldest first.
    pub applied: Vec<String>,
}

impl Db {
    /// Sets up an empty database or upgrades an older one: for the server. Doing it twice, or from two
    /// programs at once, does it once.
    ///
    /// # Errors
    /// [`DbError::SchemaTooNew`], [`DbError::NotOurs`], [`DbError::Migration`].
    pub fn migrate(&self) -> Result<Migrated, DbError> {
        self.under_migration_lock(|conn| {
            let state = State::of(&applied(conn)?, &known_versions())?;
            apply_missing(conn, &state)
        })
    }

    /// Sets up an empty database; for an existing one only checks that its schema is this program's. For
    /// every program but the server.
    ///
    /// # Errors
    /// As [`Db::migrate`], and [`DbError::SchemaTooOld`].
    pub fn ensure_schema(&self) -> Result<(), DbError> {
        self.under_migration_lock(
            |conn| match State::of(&applied(conn)?, &known_versions())? {
                State::Current => Ok(()),
                State::Older { found, known } => Err(DbError::SchemaTooOld { found, known }),
                State::Empty => apply_missing(conn, &State::Empty).map(drop),
            },
        )
    }

    /// Whether the tables are there and are this program's; false for an empty database, which
    /// [`Db::ensure_schema`] would set up. Changes nothing.
    ///
    /// # Errors
    /// As [`Db::ensure_schema`].
    pub fn is_set_up(&self) -> Result<bool, DbError> {
        self.read(|conn| {
            let applied = if has_table(conn, VERSIONS_TABLE)? {
                applied(conn)?
            } else {
                Vec::new()
            };
            match State::of(&applied, &known_versions())? {
                State::Current => Ok(true),
                State::Older { found, known } => Err(DbError::SchemaTooOld { found, known }),
                State::Empty => refuse_others_tables(conn).map(|()| false),
            }
        })
    }

    fn under_migration_lock<T>(
        &self,
        work: impl FnOnce(&mut AnyConnection) -> Result<T, DbError>,
    ) -> Result<T, DbError> {
        self.write(|conn| {
            // On SQLite the transaction itself is the lock: it begins IMMEDIATE.
            if let AnyConnection::Postgres(pg) = conn {
                pg.batch_execute(&format!(
                    "SET LOCAL statement_timeout = 0; SELECT pg_advisory_xact_lock({ADVISORY_LOCK});"
                ))?;
            }
            work(conn)
        })
    }
}

/// The versions this program has, oldest first.
fn known_versions() -> Vec<String> {
    let migrations: Vec<Box<dyn Migration<diesel::sqlite::Sqlite>>> =
        SQLITE.migrations().unwrap_or_default();
    let mut versions: Vec<String> = migrations
        .iter()
        .map(|migration| migration.name().version().to_string())
        .collect();
    versions.sort();
    versions
}

/// The versions that the database has, oldest first.
fn applied(conn: &mut AnyConnection) -> Result<Vec<String>, DbError> {
    let versions: Vec<MigrationVersion<'_>> =
        each!(conn, inner => inner.applied_migrations()).map_err(failed)?;
    let mut versions: Vec<String> = versions.iter().map(ToString::to_string).collect();
    versions.sort();
    Ok(versions)
}

/// How a database stands to this program.
#[derive(Debug, PartialEq, Eq)]
enum State {
    Empty,
    Current,
    Older { found: String, known: String },
}

impl State {
    /// From the versions applied and the versions known, both oldest first. A version that is not known comes
    /// from a newer program: migrations are never taken back.
    fn of(applied: &[String], known: &[String]) -> Result<Self, DbError> {
        let newest_known = || known.last().cloned().unwrap_or_default();
        if let Some(found) = applied.iter().rfind(|version| !known.contains(version)) {
            return Err(DbError::SchemaTooNew {
                found: found.clone(),
                known: newest_known(),
            });
        }
        Ok(match applied.last() {
            None => Self::Empty,
            Some(_) if applied.len() == known.len() => Self::Current,
            Some(found) => Self::Older {
                found: found.clone(),
                known: newest_known(),
            },
        })
    }
}

fn apply_missing(conn: &mut AnyConnection, state: &State) -> Result<Migrated, DbError> {
    let created = *state == State::Empty;
    if created {
        refuse_others_tables(conn)?;
    }
    let ran = match conn {
        AnyConnection::Postgres(pg) => pg.run_pending_migrations(POSTGRES),
        AnyConnection::Sqlite(sqlite) => sqlite.run_pending_migrations(SQLITE),
    }
    .map_err(failed)?;
    Ok(Migrated {
        created,
        applied: ran.iter().map(ToString::to_string).collect(),
    })
}

/// For a database without our migrations.
fn refuse_others_tables(conn: &mut AnyConnection) -> Result<(), DbError> {
    if has_table(conn, TELLTALE_TABLE)? {
        return Err(DbError::NotOurs {
            table: TELLTALE_TABLE,
        });
    }
    Ok(())
}

fn has_table(conn: &mut AnyConnection, name: &str) -> Result<bool, DbError> {
    #[derive(diesel::QueryableByName)]
    struct Found {
        #[diesel(sql_type = diesel::sql_types::BigInt)]
        tables: i64,
    }
    let question = match conn {
        AnyConnection::Postgres(_) => {
            "SELECT count(*) AS tables FROM pg_tables WHERE schemaname = current_schema() AND tablename = "
        }
        AnyConnection::Sqlite(_) => {
            "SELECT count(*) AS tables FROM sqlite_master WHERE type = 'table' AND name = "
        }
    };
    let found: Found = diesel::sql_query(format!("{question}'{name}'")).get_result(conn)?;
    Ok(found.tables > 0)
}

fn failed(error: Box<dyn std::error::Error + Send + Sync>) -> DbError {
    DbError::Migration(error.to_string())
}

#[cfg(test)]
mod tests {
    use diesel::pg::Pg;

    use super::*;

    #[test]
    fn both_databases_have_the_same_migrations() {
        let postgres: Vec<Box<dyn Migration<Pg>>> = POSTGRES.migrations().unwrap();
        let mut versions: Vec<String> = postgres
            .iter()
            .map(|m| m.name().version().to_string())
            .collect();
        versions.sort();
        assert!(!versions.is_empty());
        assert_eq!(versions, known_versions());
    }

    #[test]
    fn an_older_schema_and_a_newer_one_are_told_apart_by_version() {
        let versions = |names: &[&str]| {
            names
                .iter()
                .map(|&name| name.to_owned())
                .collect::<Vec<_>>()
        };
        let known = versions(&["1", "2"]);
        assert_eq!(State::of(&[], &known).unwrap(), State::Empty);
        assert_eq!(State::of(&known, &known).unwrap(), State::Current);
        let older = State::of(&versions(&["1"]), &known).unwrap();
        let (found, known_version) = ("1".to_owned(), "2".to_owned());
        assert_eq!(
            older,
            State::Older {
                found,
                known: known_version
            }
        );
        let newer = State::of(&versions(&["1", "2", "3"]), &known).unwrap_err();
        assert!(newer.to_string().contains("schema 3"), "{newer}");
        assert!(newer.to_string().contains("up to 2"), "{newer}");
    }
}
