//! What lies on the disk of a clip: its film and its still picture, or the frames of a film that is not made.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use vigint_core::incident::ClipState;
use vigint_db::clips::ClipRow;

use super::Making;
use super::archive::{FileInside, Packing};
use super::error::ExportError;
use crate::clips::StorageKey;

/// What became of a file that was to be copied.
pub(super) enum Copied {
    Whole(FileInside),
    /// Reading it failed on the way: the archive has what was read.
    Partly(FileInside, io::Error),
    /// It cannot be opened.
    Not(io::Error),
}

impl Making<'_> {
    /// A clip as its row was in the snapshot.
    pub(super) fn clip(&mut self, row: &ClipRow) -> Result<(), ExportError> {
        if let Some(reason) = self.film_or_frames(row)? {
            self.manifest.is_missing(&film_path(row), reason);
        }
        self.still(row)
    }

    /// What moves of a clip; why nothing, if something should be there.
    fn film_or_frames(&mut self, row: &ClipRow) -> Result<Option<&'static str>, ExportError> {
        if self.film(row)? {
            return Ok(None);
        }
        if row.state != ClipState::Ready && self.frames(row)? {
            return Ok(None);
        }
        let now = self.now(row)?;
        // The frames go when the film is made: that may have happened since.
        if let Some(now) = &now
            && row.state != now.state
            && self.film(now)?
        {
            return Ok(None);
        }
        Ok(match now.map(|now| now.state) {
            None | Some(ClipState::Expired) => Some("it ended while this export was made"),
            Some(ClipState::Ready) => Some("its film is not on the disk"),
            Some(ClipState::Pending) => {
                Some("its film is not made yet, and its frames are not on the disk")
            }
            // Its row says why there is no film.
            Some(ClipState::Failed) => None,
        })
    }

    fn now(&self, row: &ClipRow) -> Result<Option<ClipRow>, ExportError> {
        let tenant = &self.client.tenant;
        Ok(self
            .export
            .db
            .read(|conn| vigint_db::clips::get(conn, tenant, row.id))?)
    }

    /// The film; false when there is none.
    fn film(&mut self, row: &ClipRow) -> Result<bool, ExportError> {
        let path = film_path(row);
        let from = self.export.store.film_path(key(row));
        match self.copy(&from, &path)? {
            Copied::Not(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            Copied::Not(error) => {
                let reason = format!("its film cannot be read: {error}");
                self.manifest.is_missing(&path, reason);
            }
            Copied::Whole(film) => {
                self.manifest.films += 1;
                if let Some(should) = &row.sha256
                    && *should != film.sha256
                {
                    let reason = format!("its SHA-256 was {should} when it was made");
                    self.manifest.is_damaged(&path, reason);
                }
            }
            Copied::Partly(film, error) => {
                self.manifest.films += 1;
                self.cut_short(&film, &error);
            }
        }
        Ok(true)
    }

    /// The frames of a film that is not made; false when there are none.
    fn frames(&mut self, row: &ClipRow) -> Result<bool, ExportError> {
        let folder = format!("clips/{}", row.incident_id);
        let frames = match self.export.store.frames(key(row)) {
            Ok(frames) => frames,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            Err(error) => {
                let reason = format!("its frames cannot be read: {error}");
                self.manifest.is_missing(&folder, reason);
                return Ok(true);
            }
        };
        for (number, frame) in (1..).zip(frames) {
            let frame = match frame {
                Ok(frame) => frame,
                Err(error) => {
                    let reason =
                        format!("frame {number} and those behind it cannot be read: {error}");
                    self.manifest.is_damaged(&folder, reason);
                    break;
                }
            };
            // Windows allows no colon in a name.
            let at = frame.at.to_string().replace(':', "-");
            let path = format!("{folder}/{number:05}_{at}.jpg");
            let written = self
                .archive
                .file(&path, Packing::Stored(length(&frame.jpeg)))
                .and_then(|mut file| {
                    file.write(&frame.jpeg)?;
                    file.finish()
                });
            written.map_err(|error| self.export.not_written(error))?;
            self.manifest.frames += 1;
        }
        Ok(true)
    }

    /// The still picture, if there is one.
    fn still(&mut self, row: &ClipRow) -> Result<(), ExportError> {
        let path = format!("clips/{}.jpg", row.incident_id);
        let from = self.export.store.still_path(key(row));
        match self.copy(&from, &path)? {
            Copied::Not(error) if error.kind() == io::ErrorKind::NotFound => {}
            Copied::Not(error) => {
                let reason = format!("the picture cannot be read: {error}");
                self.manifest.is_missing(&path, reason);
            }
            Copied::Whole(_) => self.manifest.stills += 1,
            Copied::Partly(still, error) => {
                self.manifest.stills += 1;
                self.cut_short(&still, &error);
            }
        }
        Ok(())
    }

    /// Copies a file as it is.
    pub(super) fn copy(&mut self, from: &Path, to: &str) -> Result<Copied, ExportError> {
        let opened = File::open(from).and_then(|file| Ok((file.metadata()?.len(), file)));
        let (bytes, mut file) = match opened {
            Ok(opened) => opened,
            Err(error) => return Ok(Copied::Not(error)),
        };
        let export = self.export;
        let not_written = |error| export.not_written(error);
        let mut inside = self
            .archive
            .file(to, Packing::Stored(bytes))
            .map_err(not_written)?;
        let mut piece = vec![0; 1 << 16];
        let failed = loop {
            match file.read(&mut piece) {
                Ok(0) => break None,
                Ok(read) => {
                    let read = piece.get(..read).unwrap_or_default();
                    inside.write(read).map_err(not_written)?;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => break Some(error),
            }
        };
        let inside = inside.finish().map_err(not_written)?;
        Ok(match failed {
            None => Copied::Whole(inside),
            Some(error) => Copied::Partly(inside, error),
        })
    }

    /// Notes that only the beginning of a file could be read.
    pub(super) fn cut_short(&mut self, file: &FileInside, error: &io::Error) {
        let reason = format!("only its first {} bytes could be read: {error}", file.bytes);
        self.manifest.is_damaged(&file.path, reason);
    }
}

fn key(row: &ClipRow) -> StorageKey {
    StorageKey::new(row.client_id, row.id)
}

/// Named by the incident, which has one clip: so `incidents.json` leads to it.
fn film_path(row: &ClipRow) -> String {
    format!("clips/{}.mp4", row.incident_id)
}

fn length(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}
