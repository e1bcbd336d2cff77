//! Links to clips as customers get them.

use vigint_core::clock::UtcTime;
use vigint_core::ids::{ClipId, IncidentId};
use vigint_core::link::{LinkError, LinkSigner};

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

    /// The link to watch a clip, good until `expires`.
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
