//! What mails say of one camera and of several.

use vigint_core::locale::Locale;

use super::fixtures::*;
use crate::alerts::notice::CameraNews;

#[test]
fn several_cameras_are_listed_as_a_sentence_lists_them() {
    let subject = |locale, count| {
        let since = at("2026-11-22T22:12:40Z");
        let news = CameraNews::Silent {
            cameras: cameras(locale, count),
            since,
        };
        let composed = of_camera(locale, &news);
        (composed.subject.clone(), read(&composed).text)
    };
    let (french, english) = (Locale::French, Locale::English);
    for (locale, count, expected) in [
        (
            english,
            1,
            "Alert: camera Till 1 has stopped sending pictures",
        ),
        (
            english,
            2,
            "Alert: cameras Till 1 and Till 2 have stopped sending pictures",
        ),
        (
            english,
            14,
            "Alert: cameras Till 1, Till 2 and 12 more have stopped sending pictures",
        ),
        (french, 1, "Alerte : la caméra Caisse 1 ne transmet plus"),
        (
            french,
            3,
            "Alerte : les caméras Caisse 1, Caisse 2 et 1 de plus ne transmettent plus",
        ),
    ] {
        assert_eq!(subject(locale, count).0, expected);
    }
    let (_, text) = subject(english, 33);
    let text = text.replace('\u{A0}', " ");
    assert!(text.contains("Till 19, Till 20 and 13 more\n"), "{text}");
    let (_, text) = subject(french, 20);
    assert!(text.contains("Caisse 19 et Caisse 20\n"), "{text}");
}

#[test]
fn a_camera_that_is_back_has_its_gap_told_in_words() {
    let news = back(Locale::French);
    let mail = read(&of_camera(Locale::French, &news));
    let text = mail.text.replace('\u{A0}', " ");
    assert!(text.contains("pendant 2 heures 14 minutes."), "{text}");
    let CameraNews::Back { back_at, .. } = news else {
        unreachable!("it is back")
    };
    let nameless = CameraNews::Back {
        cameras: vec!["till-2".to_owned()],
        silent_since: back_at,
        back_at,
    };
    assert_eq!(
        of_camera(Locale::English, &nameless).subject,
        "Camera till-2 is sending pictures again"
    );
}
