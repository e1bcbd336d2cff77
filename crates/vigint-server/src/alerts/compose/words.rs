//! The words of mails about incidents, in both languages.

use vigint_core::locale::Locale;
use vigint_core::verdict::{Confirmation, RiskLevel};
use vigint_db::incidents::IncidentRow;

use super::Risk;

/// The words that are the same in every mail about incidents.
pub(super) struct Words {
    /// The first word of every subject.
    pub(super) alert: &'static str,
    /// The same while nobody has confirmed it.
    pub(super) unconfirmed_alert: &'static str,
    /// The same above the heading.
    pub(super) kicker: &'static str,
    pub(super) unconfirmed_kicker: &'static str,
    /// What stands between the first word of a subject and the rest.
    pub(super) colon: &'static str,
    /// What kind it is when nobody says.
    pub(super) incident: &'static str,
    /// The heading of what came as an alarm: the reader must not take it for our judgement.
    pub(super) not_judged: &'static str,
    pub(super) place: &'static str,
    pub(super) camera: &'static str,
    pub(super) time: &'static str,
    pub(super) first_seen: &'static str,
    pub(super) last_seen: &'static str,
    pub(super) how_often: &'static str,
    pub(super) reported_as: &'static str,
    pub(super) first_look: &'static str,
    pub(super) second_look: &'static str,
    pub(super) both_looks: &'static str,
    pub(super) reported_words: &'static str,
    /// What the second mail about an incident is about.
    pub(super) risk_raised: &'static str,
    pub(super) watch: &'static str,
    /// What a picture shows, before the camera's name.
    pub(super) still: &'static str,
    pub(super) to_do: &'static str,
    pub(super) automatic: &'static str,
    /// Before an incident's id.
    pub(super) id: &'static str,
}

const FRENCH: Words = Words {
    alert: "Alerte",
    unconfirmed_alert: "Alerte non confirmée",
    kicker: "Alerte Vigint",
    unconfirmed_kicker: "Alerte Vigint non confirmée",
    colon: " :",
    incident: "incident",
    not_judged: "signalé par le programme de la caméra, non jugé par Vigint",
    place: "Lieu",
    camera: "Caméra",
    time: "Quand",
    first_seen: "Vu d'abord",
    last_seen: "Vu en dernier",
    how_often: "Vu",
    reported_as: "Signalé comme",
    first_look: "Première vérification",
    second_look: "Seconde vérification",
    both_looks: "Les deux vérifications",
    reported_words: "Message reçu",
    risk_raised: "Le même incident que dans notre premier message, désormais plus grave : sa gravité vient de passer à «\u{A0}élevée\u{A0}».",
    watch: "Voir la vidéo",
    still: "Image de la caméra",
    to_do: "Que faire",
    automatic: "Message automatique de Vigint.",
    id: "Incident",
};

const ENGLISH: Words = Words {
    alert: "Alert",
    unconfirmed_alert: "Alert, unconfirmed",
    kicker: "Vigint alert",
    unconfirmed_kicker: "Vigint alert, unconfirmed",
    colon: ":",
    incident: "incident",
    not_judged: "raised by the camera program, not judged by Vigint",
    place: "Place",
    camera: "Camera",
    time: "When",
    first_seen: "First seen",
    last_seen: "Last seen",
    how_often: "Seen",
    reported_as: "Reported as",
    first_look: "First look",
    second_look: "Second look",
    both_looks: "Both looks",
    reported_words: "What was reported",
    risk_raised: "The same incident as in our first message, now graver: its risk has just risen to high.",
    watch: "Watch the video",
    still: "Picture from camera",
    to_do: "What to do",
    automatic: "Automatic message from Vigint.",
    id: "Incident",
};

pub(super) const fn words(locale: Locale) -> &'static Words {
    match locale {
        Locale::French => &FRENCH,
        Locale::English => &ENGLISH,
    }
}

pub(super) fn risk(locale: Locale, level: RiskLevel) -> Risk {
    let (french, english, style) = match level {
        RiskLevel::Low => ("faible", "low", "background:#d5e9dd;color:#12402a"),
        RiskLevel::Medium => ("moyenne", "medium", "background:#ffd166;color:#3a2700"),
        RiskLevel::High => ("élevée", "high", "background:#b3261e;color:#ffffff"),
    };
    let words = match locale {
        Locale::French => format!("gravité {french}"),
        Locale::English => format!("{english} risk"),
    };
    Risk { words, style }
}

pub(super) fn times(locale: Locale, times: i64) -> String {
    match locale {
        Locale::French => format!("{times}\u{A0}fois"),
        Locale::English if times == 1 => "once".to_owned(),
        Locale::English => format!("{times}\u{A0}times"),
    }
}

/// Whether somebody confirmed it: what the reader must know before trusting the rest.
pub(super) const fn confirmation(locale: Locale, incident: &IncidentRow) -> Option<&'static str> {
    let (french, english) = match incident.confirmation {
        Confirmation::Confirmed => (
            "Confirmé : une seconde vérification, plus attentive, y a vu, elle aussi, un incident.",
            "Confirmed: a second, closer look saw an incident in it, too.",
        ),
        Confirmation::Unavailable => (
            "Non confirmé : la seconde vérification n'a pas pu se faire. Ce peut être une fausse alerte.",
            "Unconfirmed: the second look could not be made. It may be a false alarm.",
        ),
        // What was vetoed at once has no mail: this was vetoed while the mail waited.
        Confirmation::Vetoed => (
            "Non confirmé : une seconde vérification, faite depuis, n'y a vu aucun incident.",
            "Unconfirmed: a second look, made since, saw no incident in it.",
        ),
        Confirmation::NotNeeded if incident.is_manual => (
            "Ni confirmé ni écarté : aucune vérification n'a été faite.",
            "Neither confirmed nor ruled out: no look was made.",
        ),
        Confirmation::NotNeeded => return None,
    };
    Some(match locale {
        Locale::French => french,
        Locale::English => english,
    })
}

/// The same in one word, for lists.
pub(super) const fn confirmation_in_a_word(
    locale: Locale,
    confirmation: Confirmation,
) -> &'static str {
    let (french, english) = match confirmation {
        Confirmation::Confirmed => ("confirmé", "confirmed"),
        Confirmation::Unavailable | Confirmation::Vetoed => ("non confirmé", "unconfirmed"),
        Confirmation::NotNeeded => ("non jugé par Vigint", "not judged by Vigint"),
    };
    match locale {
        Locale::French => french,
        Locale::English => english,
    }
}

/// The first thing to do.
pub(super) const fn look_first(locale: Locale, has_video: bool) -> &'static str {
    match (locale, has_video) {
        (Locale::French, true) => "Regardez d'abord la vidéo.",
        (Locale::French, false) => {
            "Voyez d'abord ce qu'il en est : regardez la caméra en direct si vous le pouvez, ou appelez quelqu'un qui est sur place."
        }
        (Locale::English, true) => "Watch the video first.",
        (Locale::English, false) => {
            "See first what it is: look at the camera's live picture if you can, or call somebody who is there."
        }
    }
}

/// What holds whatever it is.
pub(in crate::alerts) const fn keep_safe(locale: Locale) -> [&'static str; 2] {
    match locale {
        Locale::French => [
            "N'affrontez et ne retenez personne\u{A0}: votre sécurité passe avant tout.",
            "En cas de danger, ou si un délit est en cours, appelez le 17 (police) ou le 112.",
        ],
        Locale::English => [
            "Do not confront anybody or hold anybody back: your safety comes first.",
            "In danger, or if a crime is under way, call your local emergency number (112 in the European Union).",
        ],
    }
}

/// What the program and the API offer today.
pub(super) const fn false_alarm(locale: Locale) -> &'static str {
    match locale {
        Locale::French => {
            "Fausse alerte\u{A0}? Il n'y a rien à faire. La personne qui s'occupe de vos caméras peut la classer par l'API \
             (PATCH /api/incidents/ID, statut «\u{A0}dismissed\u{A0}», ID au bas de ce message)\u{A0}; la commande vigint-client \
             incidents liste vos incidents."
        }
        Locale::English => {
            "A false alarm? You need not do anything. Whoever looks after your cameras can dismiss it through the API \
             (PATCH /api/incidents/ID, status \"dismissed\", the ID is at the end of this message); the command \
             vigint-client incidents lists your incidents."
        }
    }
}
