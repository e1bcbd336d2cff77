//! What the motion analyzer says, in the customer's language and time zone.

use vigint_core::clock::UtcTime;
use vigint_core::locale::Locale;
use vigint_video::motion::MotionBox;

use super::Seen;
use crate::analysis::analyzer::Look;

/// The texts of one opinion.
pub(super) struct Texts {
    pub(super) kind: String,
    pub(super) description: String,
    pub(super) analysis: String,
}

/// Says where something moved, how large, and from when to when; `moving` is oldest first.
pub(super) fn describe(look: &Look, moving: &[&Seen], share: f64) -> Texts {
    let percent = format!("{:.0}", share * 100.0);
    let camera = &look.camera;
    let (Some(first), Some(last)) = (moving.first(), moving.last()) else {
        return match look.locale {
            Locale::French => Texts {
                kind: String::new(),
                description: "Aucun mouvement.".to_owned(),
                analysis: format!("Rien n'a bougé devant la caméra « {camera} »."),
            },
            Locale::English => Texts {
                kind: String::new(),
                description: "No motion.".to_owned(),
                analysis: format!("Nothing moved in front of the camera \"{camera}\"."),
            },
        };
    };
    let from = shown_time(look, first.at);
    let to = shown_time(look, last.at);
    let largest = moving
        .iter()
        .filter_map(|seen| seen.sample.boxes.first())
        .max_by(|a, b| area(a).total_cmp(&area(b)));
    let place = largest.map_or("", |at| place(look.locale, at));
    let size = format!("{:.0}", largest.map_or(0.0, area).clamp(0.01, 1.0) * 100.0);
    match look.locale {
        Locale::French => Texts {
            kind: "mouvement détecté".to_owned(),
            description: format!("Mouvement détecté {place}, de {from} à {to}."),
            analysis: format!(
                "Mouvement devant la caméra « {camera} » pendant {percent} % de la période observée ; \
                 la zone la plus grande couvre environ {size} % de l'image. \
                 Le détecteur de mouvement ne dit pas de quoi il s'agit."
            ),
        },
        Locale::English => Texts {
            kind: "motion detected".to_owned(),
            description: format!("Motion detected {place}, from {from} to {to}."),
            analysis: format!(
                "Motion in front of the camera \"{camera}\" during {percent}% of the time looked at; \
                 the largest area covers about {size}% of the picture. \
                 The motion detector cannot say what it is."
            ),
        },
    }
}

fn area(at: &MotionBox) -> f32 {
    at.width * at.height
}

/// Where in thirds of the picture the middle of a box lies.
fn place(locale: Locale, at: &MotionBox) -> &'static str {
    let third = |middle: f32| -> usize {
        if middle < 1.0 / 3.0 {
            0
        } else if middle < 2.0 / 3.0 {
            1
        } else {
            2
        }
    };
    let column = third(at.x + at.width / 2.0);
    let row = third(at.y + at.height / 2.0);
    match (locale, row, column) {
        (Locale::French, 0, 0) => "en haut à gauche de l'image",
        (Locale::French, 0, 1) => "en haut de l'image",
        (Locale::French, 0, _) => "en haut à droite de l'image",
        (Locale::French, 1, 0) => "à gauche de l'image",
        (Locale::French, 1, 1) => "au centre de l'image",
        (Locale::French, 1, _) => "à droite de l'image",
        (Locale::French, _, 0) => "en bas à gauche de l'image",
        (Locale::French, _, 1) => "en bas de l'image",
        (Locale::French, _, _) => "en bas à droite de l'image",
        (Locale::English, 0, 0) => "at the top left of the picture",
        (Locale::English, 0, 1) => "at the top of the picture",
        (Locale::English, 0, _) => "at the top right of the picture",
        (Locale::English, 1, 0) => "on the left of the picture",
        (Locale::English, 1, 1) => "in the middle of the picture",
        (Locale::English, 1, _) => "on the right of the picture",
        (Locale::English, _, 0) => "at the bottom left of the picture",
        (Locale::English, _, 1) => "at the bottom of the picture",
        (Locale::English, _, _) => "at the bottom right of the picture",
    }
}

/// A frame's time by the server's clock, on the customer's wall.
fn shown_time(look: &Look, at: UtcTime) -> String {
    let at = at.plus_millis(look.clock_offset_ms).timestamp();
    let zone = jiff::tz::TimeZone::get(&look.time_zone).unwrap_or(jiff::tz::TimeZone::UTC);
    at.to_zoned(zone).strftime("%H:%M:%S").to_string()
}
