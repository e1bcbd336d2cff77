//! The clips service: what incidents, jobs and handlers ask for.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::Notify;
use vigint_core::clock::UtcTime;
use vigint_core::ids::{ClientId, ClipId, ClipsFolderId};
use vigint_core::random::Random;
use vigint_db::clips::MadeClip;
use vigint_db::{DbError, Operator, Tenant};
use vigint_video::clip::ClipEncoder;

use super::disk::{Disk, DiskLook, FreeSpace, KEPT_FREE};
use super::error::{KeepError, MakeFilmError};
use super::locks::ClientLocks;
use super::removal::Removed;
use super::store::{ClipStore, StorageKey};
use super::sweep::{Needed, Swept};
use super::{evidence, film, still};
use crate::background;
use crate::buffer::Frame;
use crate::database::Database;
use crate::metrics::Metrics;
use crate::vitals::Vital;

const OPERATOR: Operator = Operator::named("clip folder");

/// What the service is made of.
pub struct ClipsOptions {
    /// Where clips lie.
    pub store: ClipStore,
    /// What makes films.
    pub encoder: Arc<dyn ClipEncoder>,
    /// Whose clips these are, and which of them may go.
    pub database: Database,
    /// How long a clip is kept after its incident.
    pub retention: Duration,
    /// The most that all files of one client's clips may take, in bytes.
    pub max_bytes_per_client: u64,
    /// How long before the newest frame the moment lies that a still shows.
    pub still_before_end: Duration,
    /// Knows how much room the disk has.
    pub free_space: Arc<dyn FreeSpace>,
    /// Where ids come from.
    pub random: Arc<dyn Random>,
    /// What health asks.
    pub vital: Arc<Vital>,
    /// Where the room on the disk is shown.
    pub metrics: Arc<Metrics>,
}

/// Keeps frames, makes films, finds them.
pub struct Clips {
    store: ClipStore,
    encoder: Arc<dyn ClipEncoder>,
    pub(super) database: Database,
    retention: Duration,
    pub(super) max_bytes_per_client: u64,
    still_before_end: Duration,
    random: Arc<dyn Random>,
    vital: Arc<Vital>,
    disk: Disk,
    is_wrong_folder: AtomicBool,
    locks: ClientLocks,
    /// Rung when a new clip waits for its film.
    pub waiting: Notify,
}

impl Clips {
    /// The service.
    #[must_use]
    pub fn new(options: ClipsOptions) -> Self {
        let vital = options.vital;
        let disk = Disk::new(
            options.store.directory(),
            options.free_space,
            options.metrics,
            Arc::clone(&vital),
        );
        Self {
            store: options.store,
            encoder: options.encoder,
            database: options.database,
            retention: options.retention,
            max_bytes_per_client: options.max_bytes_per_client,
            still_before_end: options.still_before_end,
            random: options.random,
            vital,
            disk,
            is_wrong_folder: AtomicBool::new(false),
            locks: ClientLocks::default(),
            waiting: Notify::new(),
        }
    }

    /// A name for a clip that is still to be kept.
    #[must_use]
    pub fn new_key(&self, tenant: &Tenant) -> (ClipId, StorageKey) {
        let id = ClipId::generate(&*self.random);
        (id, StorageKey::new(tenant.client_id(), id))
    }

    /// When a clip kept at `now` ends.
    #[must_use]
    pub fn expiry(&self, now: UtcTime) -> UtcTime {
        now + self.retention
    }

    /// How long clips are kept, and what tells of them.
    #[must_use]
    pub const fn retention(&self) -> Duration {
        self.retention
    }

    /// Puts frames on the disk, oldest first; when this returns they are there for good. Where they would take the
    /// client over its bound, its own oldest clips end.
    ///
    /// # Errors
    /// When they cannot be kept: see [`KeepError`]. When our disk is the reason, health says that clips are failing.
    pub async fn keep_frames(
        &self,
        key: StorageKey,
        frames: Vec<Arc<Frame>>,
    ) -> Result<(), KeepError> {
        let kept = self.try_to_keep(key, frames).await;
        self.note(kept.as_ref().err().is_some_and(KeepError::is_of_disk));
        kept
    }

    async fn try_to_keep(&self, key: StorageKey, frames: Vec<Arc<Frame>>) -> Result<(), KeepError> {
        self.refuse_full_disk().await?;
        let bytes = evidence::file_bytes(frames.iter().map(|frame| &frame.jpeg));
        let _alone = self.locks.lock(key.client()).await;
        self.make_room(key, bytes).await?;
        let kept = self.on_disk(move |store| {
            store.keep_frames(key, frames.iter().map(|frame| (frame.at, &frame.jpeg)))
        });
        Ok(kept.await?)
    }

    /// Makes the film of a kept clip and its still picture, on a thread of its own.
    ///
    /// # Errors
    /// See [`MakeFilmError`].
    pub async fn make_film(&self, key: StorageKey) -> Result<MadeClip, MakeFilmError> {
        let made = self.try_to_make_film(key).await;
        // Frames that are no film are the camera's fault; health speaks of our disk.
        self.note(made.as_ref().err().is_some_and(MakeFilmError::is_of_disk));
        made
    }

    async fn try_to_make_film(&self, key: StorageKey) -> Result<MadeClip, MakeFilmError> {
        self.refuse_full_disk().await?;
        let (store, encoder) = (self.store.clone(), Arc::clone(&self.encoder));
        let before_end = self.still_before_end;
        let encoding = background::run("film", move || {
            film::encode(&store, &*encoder, key, before_end)
                .map_err(|error| error.unless_unmounted(&store))
        });
        let film = match encoding.await {
            Ok(film) => film?,
            Err(background::Failure::NoThread(error)) => return Err(KeepError::Disk(error).into()),
            Err(background::Failure::Panicked) => return Err(MakeFilmError::Panicked),
        };
        // That took a while.
        self.refuse_full_disk().await?;
        let _alone = self.locks.lock(key.client()).await;
        // For a clip that ended meanwhile no other is to end.
        if !self.is_pending(key).await.map_err(KeepError::from)? {
            return Err(MakeFilmError::Overtaken);
        }
        self.make_room(key, film.file_bytes()).await?;
        let store = self.store.clone();
        tokio::task::spawn_blocking(move || {
            film::write(&store, key, &film).map_err(|error| error.unless_unmounted(&store))
        })
        .await
        .unwrap_or_else(|panic| Err(KeepError::Disk(io::Error::other(panic)).into()))
    }

    /// The still picture of a clip: a JPEG of at most 640 pixels a side and 150,000 bytes; none when there are no
    /// frames, or none that decodes. `storage_key` is as the database has it.
    ///
    /// # Errors
    /// When `storage_key` is not one of ours, or the clip's files cannot be read.
    pub async fn still(&self, storage_key: &str) -> io::Result<Option<Vec<u8>>> {
        let key: StorageKey = storage_key.parse()?;
        let (store, before_end) = (self.store.clone(), self.still_before_end);
        background::run("still", move || still::find(&store, key, before_end))
            .await
            .unwrap_or_else(|failure| Err(io::Error::other(failure)))
    }

    /// Looks how much room the disk has.
    pub async fn look_at_disk(&self) -> DiskLook {
        let disk = self.disk.clone();
        let look = tokio::task::spawn_blocking(move || disk.look());
        look.await.unwrap_or(DiskLook {
            free: u64::MAX,
            is_full: false,
        })
    }

    /// Where clips are kept.
    #[must_use]
    pub fn directory(&self) -> &std::path::Path {
        self.store.directory()
    }

    async fn refuse_full_disk(&self) -> Result<(), KeepError> {
        let look = self.look_at_disk().await;
        if look.is_full {
            return Err(KeepError::StorageFull {
                free: look.free,
                needed: KEPT_FREE,
            });
        }
        Ok(())
    }

    fn note(&self, is_of_disk: bool) {
        self.vital.note(!is_of_disk);
    }

    /// Removes the frames of a clip whose film is made or given up.
    ///
    /// # Errors
    /// When the disk refuses.
    pub async fn remove_frames(&self, key: StorageKey) -> io::Result<()> {
        self.on_disk(move |store| store.remove_frames(key)).await
    }

    /// Removes a clip's files.
    ///
    /// # Errors
    /// When the disk refuses.
    pub async fn remove(&self, key: StorageKey) -> io::Result<()> {
        self.on_disk(move |store| store.remove(key)).await
    }

    /// Removes files that were written before `before` and that the database does not need: a server died before it wrote
    /// down whose they are, or before it removed them.
    ///
    /// # Errors
    /// When the folder cannot be read, or is not the database's.
    pub async fn remove_stray_files(&self, needed: Needed, before: UtcTime) -> io::Result<Swept> {
        self.on_disk(move |store| store.remove_stray_files(&needed, before))
            .await
    }

    /// Removes every file of a client's clips. What went, and whether that was all.
    pub async fn remove_client(&self, client: ClientId) -> (Removed, io::Result<()>) {
        let removing = self.on_disk(move |store| Ok(store.remove_client(client)));
        removing
            .await
            .unwrap_or_else(|error| (Removed::default(), Err(error)))
    }

    /// The id of the folder that is the database's by now.
    async fn known_folder(&self) -> Result<Option<ClipsFolderId>, DbError> {
        let known = |conn: &mut _| vigint_db::clips_folder::get(conn, &OPERATOR);
        Ok(self.database.read(known).await?.map(|known| known.id))
    }

    /// Whether the folder was not there, or not the database's, when it was last looked at.
    #[must_use]
    pub fn is_folder_away(&self) -> bool {
        self.is_wrong_folder.load(Ordering::Relaxed)
    }

    /// Looks whether the folder is the database's (any more): it may be unmounted while a server runs. When that changes,
    /// the log and health say so.
    pub async fn look_at_folder(&self) {
        let mut looked = self.on_disk(ClipStore::check_mark).await;
        if looked.is_err()
            && let Ok(Some(known)) = self.known_folder().await
        {
            let follow =
                move |store: &ClipStore| store.follow(known).and_then(|()| store.check_mark());
            looked = self.on_disk(follow).await;
        }
        let was_wrong = self
            .is_wrong_folder
            .swap(looked.is_err(), Ordering::Relaxed);
        match looked {
            Err(error) if !was_wrong => {
                self.note(true);
                tracing::error!(%error, "no clips are kept until the folder is there again");
            }
            Ok(()) if was_wrong => {
                self.note(false);
                tracing::warn!(path = %self.directory().display(), "the folder of clips is there again");
            }
            _ => {}
        }
    }

    /// Where the film of a clip that is ready lies.
    ///
    /// # Errors
    /// When `storage_key`, as the database has it, is not one of ours.
    pub fn film_path(&self, storage_key: &str) -> io::Result<std::path::PathBuf> {
        Ok(self.store.film_path(storage_key.parse()?))
    }

    pub(super) async fn on_disk<T: Send + 'static>(
        &self,
        work: impl FnOnce(&ClipStore) -> io::Result<T> + Send + 'static,
    ) -> io::Result<T> {
        let store = self.store.clone();
        tokio::task::spawn_blocking(move || work(&store))
            .await
            .unwrap_or_else(|panic| Err(io::Error::other(panic)))
    }
}
