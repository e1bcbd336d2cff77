//! Links to clips as customers get them.

use vigint_core::clock::UtcTime;
use vigint_core::ids::{ClipId, IncidentId};
use vigint_core::incident::HostingState;
use vigint_core::link::{LinkError, LinkSigner};
use vigint_db::clips::ClipRow;

/// Where a clip can be watched. Whoever knows it can: it belongs into no log.
pub struct WatchLink {
    /// `http` or `https`.
    pub url: String,
    /// Until when.
    pub until: UtcTime,
    /// Who shows it.
    pub host: ClipHost,
}

/// Who shows a clip.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClipHost {
    /// Our own server.
    Ours,
    /// The hosting service.
    SparseAi,
    /// Our own server, for the hosting service has not taken it.
    OursInstead,
}

/// Makes and checks links under the server's public address.
#[derive(Clone, Debug)]
pub struct ClipLinks {
    signer: LinkSigner,
    public_url: String,
}

impl ClipLinks {
    /// Links begin with `public_url`, which has no slash at its end.
    #[must_use]
    pub fn new(signer: LinkSigner, public_url: impl Into<String>) -> Self {
        Self {
            signer,
            public_url: public_url.into(),
        }
    }

    /// Where a clip that has not ended can be watched: at the hosting service while its link there opens, else here.
    #[must_use]
    pub fn to_watch(&self, clip: &ClipRow, now: UtcTime) -> WatchLink {
        let hosting = clip.hosting.as_ref();
        let hosted = hosting.filter(|hosting| hosting.state == HostingState::Hosted);
        if let Some(film) = hosted.and_then(|hosting| hosting.film.as_ref())
            && film.until > now
        {
            return WatchLink {
                url: film.url.reveal().to_owned(),
                // Whatever the service says: we promise no more than we can show.
                until: film.until.min(clip.expires_at),
                host: ClipHost::SparseAi,
            };
        }
        let host = match hosting.map(|hosting| hosting.state) {
            Some(HostingState::Pending | HostingState::Failed) => ClipHost::OursInstead,
            None | Some(HostingState::Hosted) => ClipHost::Ours,
        };
        WatchLink {
            url: self.video_url(clip.id, clip.expires_at),
            until: clip.expires_at,
            host,
        }
    }

    /// The link to watch a clip here, good until `expires`.
    #[must_use]
    pub fn video_url(&self, clip: ClipId, expires: UtcTime) -> String {
        format!("{}{}", self.public_url, self.signer.path(clip, expires))
    }

    /// Where an incident can be read with the customer's key.
    #[must_use]
    pub fn incident_url(&self, incident: IncidentId) -> String {
        format!("{}/api/incidents/{incident}", self.public_url)
    }

    /// Checks a link's token and time.
    ///
    /// # Errors
    /// When the token is wrong or its time is over.
    pub fn verify(
        &self,
        clip: ClipId,
        expires: i64,
        token: &str,
        now: UtcTime,
    ) -> Result<(), LinkError> {
        self.signer.verify(clip, expires, token, now)
    }
}
