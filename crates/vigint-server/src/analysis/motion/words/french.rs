//! The facts of a window in French.

use vigint_core::locale::Locale;
use vigint_core::place::Place;

use super::{Direction, Facts, Motion, Route, Texts};

pub(super) fn texts(facts: &Facts<'_>) -> Texts {
    let camera = facts.camera;
    let trouble = trouble(facts);
    let Some(motion) = &facts.motion else {
        let present = if facts.is_present {
            " Ce qui avait bougé auparavant est maintenant immobile, ou un objet a été déposé ou emporté."
        } else {
            ""
        };
        // A camera in trouble may not have shown what moved.
        let (none, nothing) = if trouble.is_empty() {
            ("Aucun mouvement.", "Rien n'a bougé")
        } else {
            (
                "Aucun mouvement observé.",
                "Aucun mouvement n'a été observé",
            )
        };
        return Texts {
            kind: String::new(),
            description: format!("{none}{trouble}"),
            analysis: format!(
                "{nothing} devant la caméra «\u{A0}{camera}\u{A0}».{present}{trouble}"
            ),
        };
    };
    let present = if facts.is_present {
        " À la fin, plus rien ne bougeait, mais l'image n'est pas redevenue comme avant\u{A0}: quelqu'un ou quelque chose \
         y reste immobile, ou un objet a été déposé ou emporté."
    } else {
        ""
    };
    Texts {
        kind: "mouvement détecté".to_owned(),
        description: format!(
            "Mouvement détecté {}{}.{}",
            route(motion),
            time(motion),
            size(motion)
        ),
        analysis: format!(
            "Mouvement devant la caméra «\u{A0}{camera}\u{A0}» pendant {}\u{A0}% de la période observée.\
             {present}{trouble} Le détecteur de mouvement ne dit pas de quoi il s'agit.",
            motion.duration
        ),
    }
}

/// With what separates it from the time.
fn route(motion: &Motion) -> String {
    let words = |place: Place| place.words(Locale::French);
    let across = "d'un bord à l'autre de l'image";
    match &motion.route {
        None => String::new(),
        Some(Route::At(place)) => format!("{} de l'image, ", words(*place)),
        Some(Route::Across(direction)) => match direction {
            Direction::Rightward => format!("{across}, de gauche à droite, "),
            Direction::Leftward => format!("{across}, de droite à gauche, "),
            Direction::Both => format!("{across}, "),
        },
        Some(Route::FirstAndLast(first, last)) => {
            let (first, last) = (words(*first), words(*last));
            format!("d'abord {first}, puis {last} de l'image, ")
        }
    }
}

fn time(motion: &Motion) -> String {
    if motion.from == motion.to {
        format!("à {}", motion.from)
    } else {
        format!("de {} à {}", motion.from, motion.to)
    }
}

fn size(motion: &Motion) -> String {
    match motion.size.as_deref() {
        None => String::new(),
        Some("0") => " Il couvre moins de 1\u{A0}% de l'image.".to_owned(),
        Some("100") => " Il couvre toute l'image.".to_owned(),
        Some(percent) => format!(" Il couvre environ {percent}\u{A0}% de l'image."),
    }
}

/// Why the camera itself may not have shown what happened.
fn trouble(facts: &Facts<'_>) -> String {
    let mut text = String::new();
    if let Some(at) = &facts.changed_at {
        text.push_str(&format!(" La caméra a été masquée ou tournée vers {at}."));
    }
    if facts.is_frozen {
        text.push_str(
            " La caméra a envoyé exactement la même image pendant au moins cinq secondes\u{A0}: \
             on ne sait pas ce qui s'est passé entre-temps.",
        );
    }
    text
}
