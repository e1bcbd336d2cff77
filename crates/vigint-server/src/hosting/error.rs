//! Why a film is not hosted.

use std::io;

/// Why the hosting service cannot be called at all.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// Its address is none.
    #[error("[SparseAI] base_url is no web address")]
    Address,
    /// Its key cannot be sent.
    #[error("[SparseAI] api_key has characters that no header can have")]
    Key,
    /// There is no TLS.
    #[error("[SparseAI]: no TLS can be set up: {0}")]
    Tls(#[source] reqwest::Error),
}

/// Why an upload failed. What it says is safe to log: it holds no key and no link.
#[derive(Debug, thiserror::Error)]
pub enum UploadError {
    /// The film cannot be read here.
    #[error("the film cannot be read: {0}")]
    Film(#[source] io::Error),
    /// What lies here is not the film that was made.
    #[error("the film has {found} bytes here where {expected} were written")]
    OtherFilm {
        /// By its row.
        expected: u64,
        /// On the disk.
        found: u64,
    },
    /// The service could not be reached, or broke off.
    #[error("the hosting service could not be reached: {0}")]
    Unreachable(String),
    /// The service could not do it just now.
    #[error("the hosting service answered {status}{words}")]
    Trouble {
        /// Of HTTP.
        status: u16,
        /// What else it said: empty, or begins with a colon.
        words: String,
    },
    /// The service does not take our key.
    #[error("the hosting service refuses our key ({status}): mend [SparseAI] api_key{words}")]
    Key {
        /// Of HTTP.
        status: u16,
        /// As in `Trouble`.
        words: String,
    },
    /// The service does not take the film.
    #[error("the hosting service refused the film ({status}{}){words}", place(*status))]
    Refused {
        /// Of HTTP.
        status: u16,
        /// As in `Trouble`.
        words: String,
    },
    /// The service sent us elsewhere.
    #[error(
        "the hosting service answered {0}, which sends us elsewhere: [SparseAI] base_url must be where it is itself"
    )]
    Elsewhere(u16),
    /// The answer cannot be understood or believed.
    #[error("the answer of the hosting service cannot be used: {0}")]
    Answer(&'static str),
}

impl UploadError {
    /// Whether it says that the service does not do its work for us, whatever the film.
    #[must_use]
    pub const fn is_of_service(&self) -> bool {
        match self {
            Self::Film(_) | Self::OtherFilm { .. } => false,
            // Conflict, too large, of no known kind, not understood: other films may fare better.
            Self::Refused { status, .. } => !matches!(status, 400 | 409 | 413 | 415 | 422),
            _ => true,
        }
    }

    /// Whether another try may end otherwise.
    #[must_use]
    pub fn may_pass(&self) -> bool {
        match self {
            Self::Unreachable(_) | Self::Trouble { .. } => true,
            Self::Film(error) => error.kind() != io::ErrorKind::NotFound,
            _ => false,
        }
    }
}

/// What a status says of the address.
const fn place(status: u16) -> &'static str {
    match status {
        404 | 405 | 410 => ": is [SparseAI] base_url right?",
        _ => "",
    }
}
