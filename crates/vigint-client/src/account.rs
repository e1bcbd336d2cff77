//! What an analyzer can be asked besides watching: whose key it is, what was used, the incidents, how a source looks.

use std::path::Path;

use bytes::Bytes;
use vigint_core::clock::UtcTime;
use vigint_core::ids::IncidentId;
use vigint_core::incident::Triage;
use vigint_core::wire::{IncidentInfo, IncidentsResponse, UsageResponse, WhoamiResponse};
use vigint_video::jpeg;

use crate::analyzer::SecureVideoAnalyzer;
use crate::capture::{CaptureError, NativeStream};
use crate::saved_clip::{self, SaveError, SaveOptions};
use crate::source::Source;
use crate::uplink::{ApiError, IncidentQuery, ServerCertificate, UsageQuery};
use crate::usage_walk::UsageWalk;

/// One picture of a source and what its video is like.
#[derive(Clone, Debug)]
pub struct SourceLook {
    /// The picture, as it would be sent.
    pub jpeg: Bytes,
    /// Its width in pixels.
    pub width: u16,
    /// Its height in pixels.
    pub height: u16,
    /// The video before it is made smaller; `None` when ffmpeg did not say.
    pub native: Option<NativeStream>,
}

impl SecureVideoAnalyzer {
    /// Opens a source, takes one picture and closes it again. Sends nothing and needs neither key nor server; ends
    /// within 20 s (a film: a minute).
    ///
    /// # Errors
    /// Why there is no picture.
    pub async fn look_at(&self, source: &Source) -> Result<SourceLook, CaptureError> {
        let look = self.camera(source).look().await?;
        let jpeg = look.picture.jpeg;
        let info = jpeg::inspect(&jpeg, u64::MAX)
            .map_err(|error| CaptureError::Failed(error.to_string()))?;
        Ok(SourceLook {
            jpeg,
            width: info.width,
            height: info.height,
            native: look.native,
        })
    }

    /// The certificate that the server shows, once it was found to be one to trust; `None` over plain http.
    ///
    /// # Errors
    /// [`ApiError`]; that a certificate cannot be trusted is among them, with why.
    pub async fn server_certificate(&self) -> Result<Option<ServerCertificate>, ApiError> {
        self.around.uplink.server_certificate().await
    }

    /// Whose key this is.
    ///
    /// # Errors
    /// [`ApiError`]
    pub async fn whoami(&self) -> Result<WhoamiResponse, ApiError> {
        self.around.uplink.whoami().await
    }

    /// What was used: a page of the meter's lines, newest first, and totals over all that match.
    ///
    /// # Errors
    /// [`ApiError`]
    pub async fn usage(&self, asked: &UsageQuery) -> Result<UsageResponse, ApiError> {
        self.around.uplink.usage(asked).await
    }

    /// Goes through all that was used from one moment on until before another (unless given: from the beginning, and
    /// until now), newest first. A day at a time: a server sums up for each page all that was asked for.
    #[must_use]
    pub fn walk_usage(&self, from: Option<UtcTime>, to: Option<UtcTime>) -> UsageWalk {
        UsageWalk::new(self.clone(), from, to)
    }

    /// A page of incidents, newest first.
    ///
    /// # Errors
    /// [`ApiError`]
    pub async fn incidents(&self, asked: &IncidentQuery) -> Result<IncidentsResponse, ApiError> {
        self.around.uplink.incidents(asked).await
    }

    /// One incident.
    ///
    /// # Errors
    /// [`ApiError`]; one of another client is as little there as one that never was.
    pub async fn incident(&self, id: IncidentId) -> Result<IncidentInfo, ApiError> {
        self.around.uplink.incident(id).await
    }

    /// Says what became of an incident ([`Triage::Acknowledged`], [`Triage::Dismissed`] or [`Triage::Resolved`]),
    /// adds a note (at most 4,000 characters), or both. Gives the incident as it is then.
    ///
    /// # Errors
    /// [`ApiError`]; the server knows which step may follow which.
    pub async fn triage(
        &self,
        id: IncidentId,
        status: Option<Triage>,
        note: Option<&str>,
    ) -> Result<IncidentInfo, ApiError> {
        self.around.uplink.triage(id, status, note).await
    }

    /// Saves the film of an incident as a file that only this user may read, and gives its size in bytes. While the
    /// film is still being made it is waited for, also over failures that may pass, and `on_wait` is called once; a
    /// connection that breaks is gone on with. The file is there whole or not at all, also when the future is dropped.
    ///
    /// # Errors
    /// [`SaveError`]
    pub async fn save_clip(
        &self,
        id: IncidentId,
        path: impl AsRef<Path>,
        options: &SaveOptions,
        on_wait: &(dyn Fn() + Send + Sync),
    ) -> Result<u64, SaveError> {
        let random = &*self.around.random;
        saved_clip::save(
            &self.around.uplink,
            random,
            id,
            path.as_ref(),
            options,
            on_wait,
        )
        .await
    }
}
