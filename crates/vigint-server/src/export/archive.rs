//! The zip archive: one file after the other, each with its length and its SHA-256.

use std::io::{self, Seek, Write};

use jiff::tz::TimeZone;
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use vigint_core::clock::UtcTime;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

use super::output::Failure;

/// From this length on a file needs ZIP64; some room is left for what stands around it.
const LARGE: u64 = u32::MAX as u64 - (1 << 16);

/// How a file is packed.
#[derive(Clone, Copy, Debug)]
pub(super) enum Packing {
    /// As it is, for what is compressed already; so many bytes are expected.
    Stored(u64),
    /// Compressed; it stays below 4 GiB.
    Deflated,
    /// Compressed, and as long as it may become.
    DeflatedLarge,
}

/// A file that is in the archive.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct FileInside {
    pub(super) path: String,
    pub(super) bytes: u64,
    /// Lower-case hex.
    pub(super) sha256: String,
}

/// An archive being written.
pub(super) struct Archive<W: Write + Seek> {
    zip: ZipWriter<W>,
    failure: Failure,
    options: SimpleFileOptions,
    files: Vec<FileInside>,
}

impl<W: Write + Seek> Archive<W> {
    /// An archive whose files all have this time. `failure`: what `out` tells no other way.
    pub(super) fn new(out: W, failure: Failure, made_at: UtcTime) -> Self {
        let options = SimpleFileOptions::default()
            .last_modified_time(zip_time(made_at))
            // Whoever unpacks it has private files, too.
            .unix_permissions(0o600);
        Self {
            zip: ZipWriter::new(out),
            failure,
            options,
            files: Vec::new(),
        }
    }

    /// Begins a file. It ends with [`Entry::finish`].
    pub(super) fn file(&mut self, path: &str, packing: Packing) -> io::Result<Entry<'_, W>> {
        let (method, is_large) = match packing {
            Packing::Stored(bytes) => (CompressionMethod::Stored, bytes >= LARGE),
            Packing::Deflated => (CompressionMethod::Deflated, false),
            Packing::DeflatedLarge => (CompressionMethod::Deflated, true),
        };
        let options = self.options.compression_method(method).large_file(is_large);
        self.zip.start_file(path, options)?;
        self.failure.check()?;
        Ok(Entry {
            archive: self,
            path: path.to_owned(),
            bytes: 0,
            hash: Sha256::new(),
        })
    }

    /// The files that are in it, in their order.
    pub(super) fn files(&self) -> &[FileInside] {
        &self.files
    }

    /// Brings it to its end.
    pub(super) fn finish(self) -> io::Result<W> {
        let out = self.zip.finish()?;
        self.failure.check()?;
        Ok(out)
    }
}

/// A file being written into an archive.
pub(super) struct Entry<'a, W: Write + Seek> {
    archive: &'a mut Archive<W>,
    path: String,
    bytes: u64,
    hash: Sha256,
}

impl<W: Write + Seek> Entry<'_, W> {
    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.archive.zip.write_all(bytes)?;
        self.archive.failure.check()?;
        self.hash.update(bytes);
        let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        self.bytes = self.bytes.saturating_add(length);
        Ok(())
    }

    /// Its end: how long it is, and its SHA-256.
    pub(super) fn finish(self) -> io::Result<FileInside> {
        let file = FileInside {
            path: self.path,
            bytes: self.bytes,
            sha256: hex::encode(self.hash.finalize()),
        };
        self.archive.files.push(file.clone());
        Ok(file)
    }
}

/// Zip knows times from 1980 on, of no zone; here they are UTC.
fn zip_time(at: UtcTime) -> DateTime {
    let at = at.timestamp().to_zoned(TimeZone::UTC);
    let parts = || {
        let year = u16::try_from(at.year()).ok()?;
        let [month, day] = [at.month(), at.day()].map(u8::try_from);
        let [hour, minute, second] = [at.hour(), at.minute(), at.second()].map(u8::try_from);
        let (month, day) = (month.ok()?, day.ok()?);
        DateTime::from_date_and_time(year, month, day, hour.ok()?, minute.ok()?, second.ok()?).ok()
    };
    parts().unwrap_or_default()
}

#[cfg(test)]
mod tests;
