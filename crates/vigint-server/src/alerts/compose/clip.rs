//! The clip as the mail speaks of it.

use std::time::Duration;

use url::Url;
use vigint_core::clock::UtcTime;
use vigint_core::locale::Locale;
use vigint_db::clients::ClientRow;

use super::minute;
use crate::alerts::message::{in_words, size};
use crate::clips::ClipHost;

/// What became of the clip.
#[derive(Clone, Debug)]
pub(in crate::alerts) enum ClipNews {
    /// It can be watched under this link until then.
    Ready {
        /// `http` or `https`.
        url: String,
        expires_at: UtcTime,
        bytes: Option<u64>,
        duration_ms: Option<u64>,
        host: ClipHost,
    },
    /// It is still being made: the mail does not wait any longer.
    Late,
    /// There is none, and there will be none.
    Missing(WhyNoClip),
}

/// Why there is no clip.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::alerts) enum WhyNoClip {
    /// No frames were buffered.
    NothingBuffered,
    /// The film could not be made, kept or linked to.
    Failed,
    /// The server's disk is nearly full.
    StorageFull,
    /// Its time is over.
    Expired,
    /// The client's store of clips is full; its oldest were removed.
    TooMany,
}

/// What the mail says of it.
pub(super) struct ClipWords<'a> {
    /// Where it can be watched.
    pub(super) url: Option<&'a str>,
    /// A sentence each.
    pub(super) notes: Vec<String>,
}

impl ClipNews {
    pub(super) fn words(&self, client: &ClientRow) -> ClipWords<'_> {
        match self {
            Self::Ready {
                url,
                expires_at,
                bytes,
                duration_ms,
                host,
            } if is_a_web_address(url) => {
                let until = minute(*expires_at, client);
                let about = about(*bytes, *duration_ms, client.locale);
                let notes = about.into_iter().chain(link(client.locale, &until));
                ClipWords {
                    url: Some(url),
                    notes: notes.chain(hosted(client.locale, *host)).collect(),
                }
            }
            Self::Ready { .. } => none(missing(client.locale, WhyNoClip::Failed)),
            Self::Late => none(late(client.locale)),
            Self::Missing(why) => none(missing(client.locale, *why)),
        }
    }
}

/// Whether this can be a link: nothing but a whole web address.
pub(super) fn is_a_web_address(url: &str) -> bool {
    let is_plain = url.chars().all(|c| c.is_ascii_graphic());
    is_plain && Url::parse(url).is_ok_and(|url| matches!(url.scheme(), "http" | "https"))
}

fn none<'a>(note: &str) -> ClipWords<'a> {
    ClipWords {
        url: None,
        notes: vec![note.to_owned()],
    }
}

/// How long and how large it is, as far as that is known.
fn about(bytes: Option<u64>, duration_ms: Option<u64>, locale: Locale) -> Option<String> {
    let length = duration_ms.map(|ms| in_words(Duration::from_millis(ms), locale));
    let size = bytes.map(|bytes| size(bytes, locale));
    let facts: Vec<_> = [length, size].into_iter().flatten().collect();
    let name = match locale {
        Locale::French => "Vidéo\u{A0}:",
        Locale::English => "Video:",
    };
    (!facts.is_empty()).then(|| format!("{name} {}.", facts.join(", ")))
}

fn link(locale: Locale, until: &str) -> [String; 2] {
    match locale {
        Locale::French => [
            format!("Ce lien privé est valable jusqu'au {until}."),
            "Ne le transmettez qu'à des personnes de confiance.".to_owned(),
        ],
        Locale::English => [
            format!("This private link is good until {until}."),
            "Share it only with people you trust.".to_owned(),
        ],
    }
}

fn hosted(locale: Locale, host: ClipHost) -> Option<String> {
    let words = match (locale, host) {
        (_, ClipHost::Ours) => return None,
        (Locale::French, ClipHost::SparseAi) => "La vidéo est hébergée par Sparse AI.",
        (Locale::English, ClipHost::SparseAi) => "The video is hosted by Sparse AI.",
        (Locale::French, ClipHost::OursInstead) => {
            "Le service d'hébergement n'a pas pris la vidéo\u{A0}: elle est hébergée sur le serveur de Vigint."
        }
        (Locale::English, ClipHost::OursInstead) => {
            "The hosting service has not taken the video: it is hosted on Vigint's own server."
        }
    };
    Some(words.to_owned())
}

const fn late(locale: Locale) -> &'static str {
    match locale {
        Locale::French => {
            "Sans vidéo\u{A0}: elle n'était pas prête à l'envoi de ce message. Si elle peut être faite, la personne \
             qui s'occupe de vos caméras la trouvera dans la liste de vos incidents."
        }
        Locale::English => {
            "Without video: it was not ready when this message was sent. If it can be made, whoever \
             looks after your cameras will find it in the list of your incidents."
        }
    }
}

const fn missing(locale: Locale, why: WhyNoClip) -> &'static str {
    let (french, english) = match why {
        WhyNoClip::NothingBuffered => (
            "Sans vidéo\u{A0}: le serveur n'avait aucune image récente de cette caméra.",
            "Without video: the server had no recent pictures of this camera.",
        ),
        WhyNoClip::Failed => (
            "Sans vidéo\u{A0}: elle n'a pas pu être faite ou gardée.",
            "Without video: it could not be made or kept.",
        ),
        WhyNoClip::StorageFull => (
            "Sans vidéo\u{A0}: le disque du serveur est presque plein, et aucune vidéo n'y est gardée en ce moment. \
             Prévenez la personne qui gère Vigint pour vous.",
            "Without video: the server's disk is nearly full, and no videos are kept there for now. Tell whoever \
             runs Vigint for you.",
        ),
        WhyNoClip::Expired => (
            "Sans vidéo\u{A0}: elle a été effacée, sa durée de conservation étant écoulée.",
            "Without video: the time for which it is kept is over, and it was deleted.",
        ),
        WhyNoClip::TooMany => (
            "Sans vidéo\u{A0}: l'espace réservé à vos vidéos est plein, et les plus anciennes ont été effacées, celle-ci \
             comprise.",
            "Without video: the space for your videos is full, and the oldest were deleted, this one among them.",
        ),
    };
    match locale {
        Locale::French => french,
        Locale::English => english,
    }
}
