//! The rows, table by table, in one snapshot.

use std::io;

use vigint_core::incident::ClipState;
use vigint_db::clips::ClipRow;
use vigint_db::export::{Row, TABLES, Table};
use vigint_db::{AnyConnection, DbError};

use super::Making;
use super::archive::Packing;
use super::error::ExportError;
use super::json::Shown;

/// How many rows of clips are read at a time.
const BATCH: i64 = 1000;

/// How the rows of a table are written.
enum Form {
    /// The only row there is.
    One,
    /// A list, a row a line.
    List,
    /// A row a line, without anything around them: for tables that may be too long to be read whole.
    Lines,
}

/// What the file of a table is called, and how it is written.
fn file_of(table: &Table) -> (String, Form) {
    let (name, form) = match table.name {
        "clients" => ("client", Form::One),
        "api_usage" => ("usage", Form::Lines),
        "api_keys" => ("keys", Form::List),
        "ai_spending" => ("spending", Form::List),
        "ai_budget_warnings" => ("budget_warnings", Form::List),
        "audit_log" => ("audit", Form::List),
        other => (other, Form::List),
    };
    let ending = if matches!(form, Form::Lines) {
        "jsonl"
    } else {
        "json"
    };
    (format!("{name}.{ending}"), form)
}

impl Making<'_> {
    /// Writes all rows. The clips that have, or may have, something on the disk.
    pub(super) fn rows(&mut self) -> Result<Vec<ClipRow>, ExportError> {
        self.export.db.snapshot(|conn| {
            for table in TABLES {
                self.table(conn, table)?;
            }
            Ok(self.clips_with_files(conn)?)
        })
    }

    fn table(&mut self, conn: &mut AnyConnection, table: &Table) -> Result<(), ExportError> {
        let (path, form) = file_of(table);
        let export = self.export;
        let not_written = |error| export.not_written(error);
        let mut file = self
            .archive
            .file(&path, Packing::DeflatedLarge)
            .map_err(not_written)?;
        let mut rows = 0_u64;
        let mut reading = table.of(&self.client.tenant);
        while let Some(page) = reading.next_page(conn)? {
            let mut text = Vec::new();
            for row in &page {
                text.extend_from_slice(form.before(rows));
                append(&mut text, table, row).map_err(not_written)?;
                text.extend_from_slice(form.behind());
                rows = rows.saturating_add(1);
            }
            file.write(&text).map_err(not_written)?;
        }
        file.write(form.end(rows)).map_err(not_written)?;
        file.finish().map_err(not_written)?;
        self.manifest.count_rows(table.name, rows);
        Ok(())
    }

    fn clips_with_files(&self, conn: &mut AnyConnection) -> Result<Vec<ClipRow>, DbError> {
        let (mut clips, mut after) = (Vec::new(), None);
        loop {
            let page = vigint_db::clips::page(conn, &self.client.tenant, after, BATCH)?;
            let Some(last) = page.last() else {
                return Ok(clips);
            };
            after = Some(last.id);
            clips.extend(
                page.into_iter()
                    .filter(|clip| clip.state != ClipState::Expired),
            );
        }
    }
}

impl Form {
    /// What stands before a row that so many stand before.
    const fn before(&self, rows: u64) -> &'static [u8] {
        match (self, rows) {
            (Self::List, 0) => b"[\n",
            (Self::List, _) => b",\n",
            _ => b"",
        }
    }

    const fn behind(&self) -> &'static [u8] {
        match self {
            Self::List => b"",
            Self::One | Self::Lines => b"\n",
        }
    }

    const fn end(&self, rows: u64) -> &'static [u8] {
        match (self, rows) {
            (Self::List, 0) => b"[]\n",
            (Self::List, _) => b"\n]\n",
            _ => b"",
        }
    }
}

fn append(text: &mut Vec<u8>, table: &Table, row: &Row) -> io::Result<()> {
    serde_json::to_writer(text, &Shown { table, row }).map_err(io::Error::from)
}
