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
    /// What came as an alarm, in its subject and as its heading: the reader must not take it for our judgement.
    pub(super) by_hand: &'static str,
    pub(super) by_hand_heading: &'static str,
    /// Who judged.
    pub(super) judged: &'static str,
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
    /// What the second mail about an incident is about…
    pub(super) risk_raised: &'static str,
    /// …and when the risk is no longer high by the time it is sent.
    pub(super) told_before: &'static str,
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
    colon: "\u{A0}:",
    incident: "incident",
    by_hand: "donnée par le programme de la caméra, non vérifiée par Vigint",
    by_hand_heading: "Alerte donnée par le programme de la caméra, non vérifiée par Vigint",
    judged: "C'est une analyse automatique (intelligence artificielle ou détection de mouvement), et non une personne, qui \
             a jugé ces images. Elle peut se tromper.",
    place: "Lieu",
    camera: "Caméra",
    time: "Quand",
    first_seen: "Vu la première fois",
    last_seen: "Vu la dernière fois",
    how_often: "Vu",
    reported_as: "Signalé comme",
    first_look: "Première analyse",
    second_look: "Seconde analyse",
    both_looks: "Les deux analyses",
    reported_words: "Message reçu",
    risk_raised: "Désormais plus grave\u{A0}: l'incident de notre premier message. Sa gravité est passée à «\u{A0}élevée\u{A0}».",
    told_before: "La suite de l'incident de notre premier message.",
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
    by_hand: "raised by the camera program, not checked by Vigint",
    by_hand_heading: "Alarm raised by the camera program, not checked by Vigint",
    judged: "An automatic analysis (artificial intelligence or motion detection), and not a person, judged these \
             pictures. It may be wrong.",
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
    risk_raised: "Now more serious: the incident in our first message. Its risk has risen to high.",
    told_before: "More about the incident in our first message.",
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

/// In both languages.
pub(super) fn messages(count: u32) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} message{plural}")
}

/// Whether a second look confirmed it: what the reader must know before trusting the rest.
pub(super) const fn confirmation(locale: Locale, incident: &IncidentRow) -> Option<&'static str> {
    let (french, english) = match incident.confirmation {
        // The row does not say which of its sightings was confirmed: not of the gravest, perhaps.
        Confirmation::Confirmed if incident.occurrences > 1 => (
            "Au moins une des scènes vues est confirmée\u{A0}: une seconde analyse, plus attentive, y a vu, elle aussi, un \
             incident. La plus grave ne l'est peut-être pas.",
            "At least one of the sightings is confirmed: a second, closer look saw an incident in it, too. The most \
             serious one may not be.",
        ),
        Confirmation::Confirmed => (
            "Confirmé\u{A0}: une seconde analyse, plus attentive, y a vu, elle aussi, un incident.",
            "Confirmed: a second, closer look saw an incident in it, too.",
        ),
        Confirmation::Unavailable => (
            "Non confirmé\u{A0}: la seconde analyse n'a pas pu se faire. Ce peut être une fausse alerte.",
            "Unconfirmed: the second look could not be made. It may be a false alarm.",
        ),
        // What was vetoed at once has no mail: this was vetoed while the mail waited.
        Confirmation::Vetoed => (
            "Non confirmé\u{A0}: une seconde analyse, faite depuis, n'y a vu aucun incident.",
            "Unconfirmed: a second look, made since, saw no incident in it.",
        ),
        Confirmation::NotNeeded if incident.is_manual => (
            "Vigint ne l'a pas vérifiée\u{A0}: le programme de la caméra a donné cette alerte, de lui-même ou sur l'ordre \
             d'une personne. Elle peut être fausse.",
            "Vigint has not checked it: the camera program raised this alarm, by itself or because a person told it to. \
             It may be false.",
        ),
        Confirmation::NotNeeded => return None,
    };
    Some(match locale {
        Locale::French => french,
        Locale::English => english,
    })
}

/// Which of several sightings there is to see: frames are kept of the first.
pub(super) fn first_sighting(locale: Locale, is_video: bool, time: &str) -> String {
    match (locale, is_video) {
        (Locale::French, true) => format!("La vidéo montre la première scène, à {time}."),
        (Locale::French, false) => format!("L'image montre la première scène, à {time}."),
        (Locale::English, true) => format!("The video shows the first sighting, at {time}."),
        (Locale::English, false) => format!("The picture shows the first sighting, at {time}."),
    }
}

/// The same in a word or two, for lists.
pub(super) const fn confirmation_in_a_word(
    locale: Locale,
    confirmation: Confirmation,
    occurrences: i64,
) -> &'static str {
    let (french, english) = match confirmation {
        Confirmation::Confirmed if occurrences > 1 => {
            ("confirmé au moins une fois", "confirmed at least once")
        }
        Confirmation::Confirmed => ("confirmé", "confirmed"),
        Confirmation::Unavailable | Confirmation::Vetoed => ("non confirmé", "unconfirmed"),
        Confirmation::NotNeeded => ("non vérifié par Vigint", "not checked by Vigint"),
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
            "Voyez d'abord ce qu'il en est\u{A0}: regardez la caméra en direct si vous le pouvez, ou appelez quelqu'un qui est sur place."
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
            "N'affrontez personne et ne retenez personne. Votre sécurité passe avant tout.",
            "En cas de danger, ou si un délit est en cours, appelez la police\u{A0}: le 17 ou le 112 en France, le 112 dans \
             l'Union européenne, ailleurs le numéro d'urgence de votre pays.",
        ],
        Locale::English => [
            "Do not confront or try to detain anyone. Your safety comes first.",
            "If anyone is in danger, or a crime is under way, call the emergency number: 112 in the European Union, 999 \
             in the United Kingdom, 911 in the United States and Canada, elsewhere your country's own.",
        ],
    }
}

/// What to do about one. It may be somebody else who can do it.
pub(super) const fn false_alarm(locale: Locale) -> &'static str {
    match locale {
        Locale::French => {
            "Fausse alerte\u{A0}? Vous n'avez rien à faire. Pour qu'elle soit classée, donnez le numéro d'incident, au bas de \
             ce message, à la personne qui s'occupe de vos caméras."
        }
        Locale::English => {
            "A false alarm? You need not do anything. To have it filed as one, give the incident's number, at the end of \
             this message, to whoever looks after your cameras."
        }
    }
}
