//! The clips service, and the folder it may use.

use std::sync::Arc;

use vigint_db::Db;

use super::{BuildError, OPERATOR, Parts};
use crate::clips::{ClipStore, Clips, ClipsFolder, ClipsOptions, FolderError};
use crate::database::Database;
use crate::metrics::Metrics;
use crate::vitals::Vitals;

/// The folder, if it is this database's: with another's films it would be harmed. When its disk is not mounted or cannot
/// be written, a server that had it before starts without films and takes it up once it is there: mails must not stay
/// away because of that.
pub(super) fn store(parts: &Parts, db: &Db) -> Result<ClipStore, BuildError> {
    let directory = &parts.settings.clips.directory;
    let max_frame_bytes = parts.settings.video_analysis.max_frame_bytes;
    let at_once = ClipStore::open(directory, max_frame_bytes)
        .map_err(|error| FolderError::Disk {
            directory: directory.clone(),
            error,
        })
        .and_then(|store| of(db, &store).claim(&*parts.random, parts.clock.now()));
    let why = match at_once {
        Ok(store) => return Ok(store),
        Err(why) => why,
    };
    let store = ClipStore::awaited(directory, max_frame_bytes);
    match of(db, &store).awaited(&why)? {
        Some(store) => {
            tracing::error!(%why, "the server starts without clips: incidents and mails go on");
            Ok(store)
        }
        None => Err(why.into()),
    }
}

const fn of<'a>(db: &'a Db, store: &'a ClipStore) -> ClipsFolder<'a> {
    ClipsFolder {
        db,
        store,
        operator: &OPERATOR,
    }
}

/// The service on that folder.
pub(super) fn service(
    parts: &Parts,
    store: ClipStore,
    vitals: &Vitals,
    database: &Database,
    metrics: &Arc<Metrics>,
) -> Clips {
    let settings = &parts.settings;
    Clips::new(ClipsOptions {
        store,
        encoder: Arc::clone(&parts.clip_encoder),
        database: database.clone(),
        retention: settings.clips.retention_hours,
        max_bytes_per_client: settings.clips.max_bytes_per_client,
        // The first look judges the short window: see `clips/still.rs`.
        still_before_end: settings.video_analysis.short_buffer_duration / 2,
        free_space: Arc::clone(&parts.free_space),
        random: Arc::clone(&parts.random),
        vital: Arc::clone(&vitals.clips),
        metrics: Arc::clone(metrics),
    })
}
