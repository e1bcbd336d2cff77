//! The clips service: what incidents, jobs and handlers ask for.

use std::collections::HashSet;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use vigint_core::clock::UtcTime;
use vigint_core::ids::{ClientId, ClipId};
use vigint_core::random::Random;
use vigint_db::Tenant;
use vigint_db::clips::MadeClip;
use vigint_video::clip::ClipEncoder;

use super::film;
pub use super::film::MakeFilmError;
use super::store::{ClipStore, StorageKey};
use crate::background;
use crate::buffer::Frame;
use crate::vitals::Vital;

/// What the service is made of.
pub struct ClipsOptions {
    /// Where clips lie.
    pub store: ClipStore,
    /// What makes films.
    pub encoder: Arc<dyn ClipEncoder>,
    /// How long a clip is kept after its incident.
    pub retention: Duration,
    /// Where ids come from.
    pub random: Arc<dyn Random>,
    /// What health asks.
    pub vital: Arc<Vital>,
}

/// Keeps frames, makes films, finds them.
pub struct Clips {
    store: ClipStore,
    encoder: Arc<dyn ClipEncoder>,
    retention: Duration,
    random: Arc<dyn Random>,
    vital: Arc<Vital>,
    /// Rung when a new clip waits for its film.
    pub waiting: Notify,
}

impl Clips {
    /// The service.
    #[must_use]
    pub fn new(options: ClipsOptions) -> Self {
        Self {
            store: options.store,
            encoder: options.encoder,
            retention: options.retention,
            random: options.random,
            vital: options.vital,
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

    /// Puts frames on the disk, oldest first; when this returns they are there for good.
    ///
    /// # Errors
    /// When they cannot be written. Health then says that clips are failing.
    pub async fn keep_frames(&self, key: StorageKey, frames: Vec<Arc<Frame>>) -> io::Result<()> {
        let kept = self
            .on_disk(move |store| {
                store.keep_frames(key, frames.iter().map(|frame| (frame.at, &frame.jpeg)))
            })
            .await;
        self.vital.note(kept.is_ok());
        kept
    }

    /// Makes the film of a kept clip, on a thread of its own.
    ///
    /// # Errors
    /// See [`MakeFilmError`].
    pub async fn make_film(&self, key: StorageKey) -> Result<MadeClip, MakeFilmError> {
        let (store, encoder) = (self.store.clone(), Arc::clone(&self.encoder));
        let made = background::run("film", move || film::make(&store, &*encoder, key))
            .await
            .unwrap_or_else(|failure| {
                Err(match failure {
                    background::Failure::NoThread(error) => MakeFilmError::Disk(error),
                    background::Failure::Panicked => MakeFilmError::Panicked,
                })
            });
        // Frames that are no film are the camera's fault; health speaks of our disk.
        self.vital
            .note(!made.as_ref().is_err_and(MakeFilmError::is_passing));
        made
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

    /// Removes files that were written before `before` and are no clip's of `kept`, the storage keys that the
    /// database has: a server died before it wrote down whose they are. Returns how many files.
    ///
    /// # Errors
    /// When the disk refuses.
    pub async fn remove_stray_files(
        &self,
        kept: HashSet<String>,
        before: UtcTime,
    ) -> io::Result<usize> {
        self.on_disk(move |store| store.remove_stray_files(&kept, before))
            .await
    }

    /// Removes every file of a client's clips.
    ///
    /// # Errors
    /// When the disk refuses.
    pub async fn remove_client(&self, client: ClientId) -> io::Result<()> {
        self.on_disk(move |store| store.remove_client(client)).await
    }

    /// Where the film of a clip that is ready lies.
    ///
    /// # Errors
    /// When `storage_key`, as the database has it, is not one of ours.
    pub fn film_path(&self, storage_key: &str) -> io::Result<std::path::PathBuf> {
        Ok(self.store.film_path(storage_key.parse()?))
    }

    async fn on_disk<T: Send + 'static>(
        &self,
        work: impl FnOnce(&ClipStore) -> io::Result<T> + Send + 'static,
    ) -> io::Result<T> {
        let store = self.store.clone();
        tokio::task::spawn_blocking(move || work(&store))
            .await
            .unwrap_or_else(|panic| Err(io::Error::other(panic)))
    }
}
