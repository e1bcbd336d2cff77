//! Looking through one's incidents.

use std::io;
use std::path::PathBuf;

use vigint_core::ids::{ClipId, IncidentId};
use vigint_core::incident::{ClipState, Triage};
use vigint_db::clips::ClipRow;
use vigint_db::incidents::{IncidentPage, IncidentQuery, IncidentRow};
use vigint_db::{DbError, Operator, Tenant};

use super::service::Incidents;

/// Why an incident or its clip cannot be shown.
#[derive(Debug, thiserror::Error)]
pub enum ReviewError {
    /// There is no such incident of this client.
    #[error("no such incident")]
    NotFound,
    /// There is no clip, or no longer.
    #[error("no clip")]
    NoClip,
    /// The clip is still being made.
    #[error("the clip is being made")]
    ClipPending,
    /// The disk of the clips is not there just now.
    #[error("the folder of clips is not there")]
    FolderAway,
    /// The database failed, or refused a step.
    #[error(transparent)]
    Database(#[from] DbError),
    /// The clip's files are not where the database says.
    #[error("the clip's file: {0}")]
    Disk(#[from] io::Error),
}

impl Incidents {
    /// A page of one's incidents.
    ///
    /// # Errors
    /// When the cursor is not one of ours, or the database failed.
    pub async fn list(
        &self,
        tenant: &Tenant,
        query: IncidentQuery,
    ) -> Result<IncidentPage, DbError> {
        let tenant = tenant.clone();
        self.parts
            .database
            .read(move |conn| vigint_db::incidents::list(conn, &tenant, &query))
            .await
    }

    /// One of one's incidents, with its clip.
    ///
    /// # Errors
    /// When it is not there.
    pub async fn get(
        &self,
        tenant: &Tenant,
        id: IncidentId,
    ) -> Result<(IncidentRow, Option<ClipRow>), ReviewError> {
        let tenant = tenant.clone();
        self.parts
            .database
            .read(move |conn| {
                let incident =
                    vigint_db::incidents::get(conn, &tenant, id)?.ok_or(ReviewError::NotFound)?;
                let clip = vigint_db::clips::of_incident(conn, &tenant, id)?;
                Ok((incident, clip))
            })
            .await
    }

    /// Says what one made of an incident; `next` is none for a note alone.
    ///
    /// # Errors
    /// When it is not there, or the step is not allowed.
    pub async fn triage(
        &self,
        tenant: &Tenant,
        id: IncidentId,
        next: Option<Triage>,
        note: Option<String>,
    ) -> Result<(IncidentRow, Option<ClipRow>), ReviewError> {
        let now = self.parts.clock.now();
        let owner = tenant.clone();
        self.parts
            .database
            .write(move |conn| {
                let next = match next {
                    Some(next) => next,
                    None => {
                        let found = vigint_db::incidents::get(conn, &owner, id)?;
                        found.ok_or(ReviewError::NotFound)?.triage
                    }
                };
                vigint_db::incidents::set_triage(conn, &owner, id, next, note.as_deref(), now)?
                    .ok_or(ReviewError::NotFound)
            })
            .await?;
        self.get(tenant, id).await
    }

    /// The film of one of one's incidents.
    ///
    /// # Errors
    /// When there is none, or none yet.
    pub async fn film_of_incident(
        &self,
        tenant: &Tenant,
        id: IncidentId,
    ) -> Result<PathBuf, ReviewError> {
        let (_, clip) = self.get(tenant, id).await?;
        self.film(clip.ok_or(ReviewError::NoClip)?)
    }

    /// The film of a link whose token and time have been checked.
    ///
    /// # Errors
    /// When it is gone, or not made yet.
    pub async fn film_of_verified_link(&self, id: ClipId) -> Result<LinkedFilm, ReviewError> {
        let clip = self
            .parts
            .database
            .read(move |conn| {
                vigint_db::clips::by_verified_link(conn, &Operator::named("clip link"), id)
            })
            .await?
            .ok_or(ReviewError::NotFound)?;
        if clip.links_revoked_at.is_some() {
            return Ok(LinkedFilm::Revoked);
        }
        self.film(clip).map(LinkedFilm::Film)
    }

    fn film(&self, clip: ClipRow) -> Result<PathBuf, ReviewError> {
        match clip.state {
            ClipState::Ready if clip.expires_at > self.parts.clock.now() => {
                // It is not gone: whoever follows a good link may come again.
                if self.parts.clips.is_folder_away() {
                    return Err(ReviewError::FolderAway);
                }
                Ok(self.parts.clips.film_path(&clip.storage_key)?)
            }
            ClipState::Pending => Err(ReviewError::ClipPending),
            ClipState::Ready | ClipState::Failed | ClipState::Expired => Err(ReviewError::NoClip),
        }
    }
}

/// What stands behind a link.
#[derive(Debug)]
pub enum LinkedFilm {
    /// The film.
    Film(PathBuf),
    /// The links to it were revoked: answered like an expired one.
    Revoked,
}
