//! The clips service, and the folder it may use.

use std::sync::Arc;

use vigint_db::Db;

use super::{BuildError, OPERATOR, Parts};
use crate::clips::{ClipStore, Clips, ClipsFolder, ClipsOptions};
use crate::database::Database;
use crate::metrics::Metrics;
use crate::vitals::Vitals;

/// The folder, if it is this database's: with another's films, or unmounted, it would be harmed.
pub(super) fn store(parts: &Parts, db: &Db) -> Result<ClipStore, BuildError> {
    let directory = &parts.settings.clips.directory;
    let store = ClipStore::open(directory, parts.settings.video_analysis.max_frame_bytes)
        .map_err(BuildError::file("the folder for clips", directory))?;
    let folder = ClipsFolder {
        db,
        store: &store,
        operator: &OPERATOR,
    };
    Ok(folder.claim(&*parts.random, parts.clock.now())?)
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
