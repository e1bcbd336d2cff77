//! `manifest.json`: what is in an export, and what should be and is not.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Serialize;
use vigint_core::clock::UtcTime;
use vigint_core::ids::ClientId;
use vigint_db::admin::Exporting;
use vigint_db::export::{TABLES, TABLES_LEFT_OUT};

use super::archive::FileInside;
use super::error::ExportError;
use super::{Export, Exported};

/// Raised when what stands in an export changes its meaning.
const FORMAT_VERSION: u32 = 1;

/// What should be in an export and is not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Missing {
    /// Where it would be.
    pub path: String,
    /// Why it is not.
    pub reason: String,
}

/// What is in an export and is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Damaged {
    /// Where it is.
    pub path: String,
    /// What is wrong with it.
    pub reason: String,
}

/// What has come into an export until now.
pub(super) struct Manifest {
    client_id: ClientId,
    client_name: String,
    made_at: UtcTime,
    server: String,
    rows: BTreeMap<&'static str, u64>,
    pub(super) films: u64,
    pub(super) stills: u64,
    pub(super) frames: u64,
    pub(super) mails: u64,
    missing: Vec<Missing>,
    damaged: Vec<Damaged>,
}

/// The file itself: what is asked first comes first.
#[derive(Serialize)]
struct Contents<'a> {
    format: &'static str,
    format_version: u32,
    client_id: ClientId,
    client_name: &'a str,
    made_at: UtcTime,
    made_by: &'static str,
    /// Where the links of this server lead.
    server: &'a str,
    /// How many of each table.
    rows: &'a BTreeMap<&'static str, u64>,
    films: u64,
    stills: u64,
    frames: u64,
    mails: u64,
    missing: &'a [Missing],
    damaged: &'a [Damaged],
    /// Tables, and columns of tables, and why.
    left_out: BTreeMap<String, &'static str>,
    /// All but this one.
    files: &'a [FileInside],
}

impl Manifest {
    pub(super) fn new(export: &Export, exporting: &Exporting) -> Self {
        Self {
            client_id: exporting.client.id,
            client_name: exporting.client.name.clone(),
            made_at: export.now,
            server: export.public_url.clone(),
            rows: BTreeMap::new(),
            films: 0,
            stills: 0,
            frames: 0,
            mails: 0,
            missing: Vec::new(),
            damaged: Vec::new(),
        }
    }

    pub(super) fn count_rows(&mut self, table: &'static str, rows: u64) {
        self.rows.insert(table, rows);
    }

    pub(super) fn is_missing(&mut self, path: &str, reason: impl Into<String>) {
        self.missing.push(Missing {
            path: path.to_owned(),
            reason: reason.into(),
        });
    }

    pub(super) fn is_damaged(&mut self, path: &str, reason: impl Into<String>) {
        self.damaged.push(Damaged {
            path: path.to_owned(),
            reason: reason.into(),
        });
    }

    /// The file itself, over all others.
    pub(super) fn bytes(&self, files: &[FileInside]) -> Result<Vec<u8>, ExportError> {
        let columns = TABLES.iter().flat_map(|table| {
            let named = |&(column, why)| (format!("{}.{column}", table.name), why);
            table.left_out.iter().map(named)
        });
        let tables = TABLES_LEFT_OUT
            .iter()
            .map(|&(table, why)| (table.to_owned(), why));
        let left_out: BTreeMap<String, &'static str> = columns.chain(tables).collect();
        let manifest = Contents {
            format: "vigint-export",
            format_version: FORMAT_VERSION,
            client_id: self.client_id,
            client_name: &self.client_name,
            made_at: self.made_at,
            made_by: concat!("vigint-server ", env!("CARGO_PKG_VERSION")),
            server: &self.server,
            rows: &self.rows,
            films: self.films,
            stills: self.stills,
            frames: self.frames,
            mails: self.mails,
            missing: &self.missing,
            damaged: &self.damaged,
            left_out,
            files,
        };
        let mut bytes =
            serde_json::to_vec_pretty(&manifest).map_err(|error| ExportError::NotWritten {
                path: "manifest.json".into(),
                source: error.into(),
            })?;
        bytes.push(b'\n');
        Ok(bytes)
    }

    /// The same in short, of a zip file that has so many bytes.
    pub(super) fn exported(self, path: &Path, bytes: u64) -> Exported {
        let rows = |table| self.rows.get(table).copied().unwrap_or(0);
        Exported {
            path: path.display().to_string(),
            bytes,
            client_id: self.client_id,
            made_at: self.made_at,
            incidents: rows("incidents"),
            clips: self.films,
            frames: self.frames,
            mails: self.mails,
            usage_rows: rows("api_usage"),
            client_name: self.client_name,
            missing: self.missing,
            damaged: self.damaged,
        }
    }
}
