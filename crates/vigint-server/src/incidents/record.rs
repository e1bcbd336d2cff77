//! Keeping an incident: frames to the disk, then one transaction, and only then an answer.

use std::sync::Arc;

use vigint_core::clock::UtcTime;
use vigint_core::ids::{AlertId, IncidentId};
use vigint_db::auth::Caller;
use vigint_db::clips::ClipRow;
use vigint_db::incidents::IncidentRow;
use vigint_db::usage::NewUsage;
use vigint_db::{DbError, Tenant};

use super::draft::{ClipDraft, Draft};
use super::service::IncidentsParts;
use super::sighting::Sighting;
use crate::buffer::Frame;

/// What was kept.
#[derive(Clone, Debug)]
pub struct Recorded {
    /// The incident as it is now.
    pub incident: IncidentRow,
    /// Whether it is a new one.
    pub is_new: bool,
    /// Its clip, if frames could be kept.
    pub clip: Option<ClipRow>,
    /// The mail about it, if one is due.
    pub alert_id: Option<AlertId>,
}

impl IncidentsParts {
    /// Keeps what was seen: extends the open incident of this source, or opens a new one with its clip
    /// and its mail. Frames that cannot be written cost the clip, never the incident or its mail.
    ///
    /// Goes on to its end when who asked has gone away: it must not be left half done.
    ///
    /// # Errors
    /// When the database failed: nothing was kept then, and health says so.
    pub(super) async fn record(
        self: &Arc<Self>,
        caller: &Caller,
        sighting: Sighting,
        frames: Vec<Arc<Frame>>,
        usage: NewUsage,
    ) -> Result<Recorded, DbError> {
        let (parts, caller) = (Arc::clone(self), caller.clone());
        let recording =
            tokio::spawn(async move { parts.keep(&caller, sighting, frames, usage).await });
        match recording.await {
            Ok(recorded) => recorded,
            // A panic is a bug, and goes on in who asked. Nobody cancels this task.
            Err(failure) => std::panic::resume_unwind(failure.into_panic()),
        }
    }

    async fn keep(
        &self,
        caller: &Caller,
        sighting: Sighting,
        frames: Vec<Arc<Frame>>,
        usage: NewUsage,
    ) -> Result<Recorded, DbError> {
        let now = usage.timestamp;
        let mut draft = Draft {
            sighting,
            usage,
            now,
            incident_id: IncidentId::generate(&*self.random),
            clip: None,
            alert_id: AlertId::generate(&*self.random),
            detected_after: now - self.cooldown,
            opened_after: now - self.max_incident,
        };
        let extended = self.try_to_extend(caller, &draft).await?;
        let recorded = match extended {
            Some(extended) => Ok(extended),
            None => {
                draft.clip = self.keep_frames(&caller.tenant, frames, now).await;
                let mut recorded = self.commit(caller, draft.clone()).await;
                if let Err(DbError::IncidentOpen { .. }) = recorded {
                    // On PostgreSQL another detection of this source may open its incident at the same moment: this
                    // one belongs to that incident.
                    recorded = self.commit(caller, draft.clone()).await;
                }
                self.sweep_unused_frames(&caller.tenant, &draft, &recorded)
                    .await;
                recorded
            }
        }?;
        if recorded.is_new {
            self.clips.waiting.notify_one();
        }
        if recorded.alert_id.is_some() {
            self.alerts.due.notify_one();
        }
        Ok(recorded)
    }

    /// Most detections extend an incident: those need no frames on the disk.
    async fn try_to_extend(
        &self,
        caller: &Caller,
        draft: &Draft,
    ) -> Result<Option<Recorded>, DbError> {
        let (caller, draft) = (caller.clone(), draft.clone());
        self.database
            .write(move |conn| draft.extend(conn, &caller))
            .await
    }

    async fn keep_frames(
        &self,
        tenant: &Tenant,
        frames: Vec<Arc<Frame>>,
        now: UtcTime,
    ) -> Option<ClipDraft> {
        if frames.is_empty() {
            return None;
        }
        let (id, key) = self.clips.new_key(tenant);
        let kept = self.clips.keep_frames(key, frames).await;
        if let Err(error) = &kept {
            tracing::error!(%error, client = %tenant.client_id(), "frames could not be kept: this incident has no clip");
        }
        Some(ClipDraft {
            id,
            key,
            expires_at: self.clips.expiry(now),
            failure: kept.err().map(|error| error.reason()),
        })
    }

    async fn commit(&self, caller: &Caller, draft: Draft) -> Result<Recorded, DbError> {
        let caller = caller.clone();
        self.database
            .write(move |conn| match draft.extend(conn, &caller)? {
                Some(extended) => Ok(extended),
                None => draft.open(conn, &caller),
            })
            .await
    }

    /// Frames whose clip was not committed belong to nothing.
    async fn sweep_unused_frames(
        &self,
        tenant: &Tenant,
        draft: &Draft,
        recorded: &Result<Recorded, DbError>,
    ) {
        let Some(key) = draft.clip.as_ref().map(|clip| clip.key) else {
            return;
        };
        let is_unused = match recorded {
            Ok(recorded) => !recorded.is_new,
            // A connection that breaks during a commit leaves open whether that took place.
            Err(_) => self.is_without_clip(tenant, draft.incident_id).await,
        };
        if is_unused && let Err(error) = self.clips.remove(key).await {
            tracing::warn!(%error, "frames without an incident could not be removed");
        }
    }

    /// Whether it is known that this incident has no clip.
    async fn is_without_clip(&self, tenant: &Tenant, incident: IncidentId) -> bool {
        let tenant = tenant.clone();
        let clip = self
            .database
            .read(move |conn| vigint_db::clips::of_incident(conn, &tenant, incident))
            .await;
        matches!(clip, Ok(None))
    }
}
