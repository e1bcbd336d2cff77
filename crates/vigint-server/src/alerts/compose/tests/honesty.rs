//! Mails claim no more than is known, and ask nobody to do more than a shopkeeper can.

use vigint_core::locale::Locale;
use vigint_db::incidents::IncidentRow;

use super::fixtures::*;
use super::words::{all, repeated};
use crate::alerts::compose::{ClipNews, IncidentNews, WhyNoClip};

#[test]
fn of_several_sightings_the_one_that_the_video_shows_is_named() {
    let words = "The video shows the first sighting, at 23:40.";
    let locale = Locale::English;
    for news in [IncidentNews::First, IncidentNews::RiskRaised] {
        let mail = read(&told(
            locale,
            &repeated(locale),
            news,
            ready(),
            Some(still()),
        ));
        assert!(mail.text.contains(words), "{}", mail.text);
        assert!(mail.html.contains(words), "{}", mail.html);
    }
    let without = |still| {
        let clip = ClipNews::Missing(WhyNoClip::Failed);
        read(&told(
            locale,
            &repeated(locale),
            IncidentNews::First,
            clip,
            still,
        ))
    };
    let words = "The picture shows the first sighting, at 23:40.";
    assert!(without(Some(still())).html.contains(words));
    for mail in [
        without(None),
        read(&first(locale, &incident(locale), ready())),
    ] {
        assert!(!mail.html.contains("first sighting"), "{}", mail.html);
        assert!(!mail.text.contains("first sighting"), "{}", mail.text);
    }
}

#[test]
fn no_more_is_called_confirmed_than_was() {
    for (_, locale) in LANGUAGES {
        let said = |incident: IncidentRow| read(&first(locale, &incident, ready())).text;
        let once = said(incident(locale));
        assert!(once.contains("\nConfirm"), "{once}");
        let (several, more) = (said(repeated(locale)), ["peut-être pas", "may not be"]);
        assert!(!several.contains("\nConfirm"), "{several}");
        assert!(
            more.iter().any(|words| several.contains(words)),
            "{several}"
        );
    }
}

#[test]
fn a_reader_knows_who_judged_and_what_not_to_do() {
    for (locale, judged, safe) in [
        (
            Locale::French,
            "analyse automatique",
            "N'affrontez personne et ne retenez personne.",
        ),
        (
            Locale::English,
            "automatic analysis",
            "Do not confront or try to detain anyone.",
        ),
    ] {
        for (kind, composed) in all(locale) {
            let text = read(&composed).text;
            let is_about_incidents = !kind.starts_with("camera");
            assert_eq!(text.contains(safe), is_about_incidents, "{kind}: {text}");
            let is_judged = is_about_incidents && kind != "by_hand";
            assert_eq!(text.contains(judged), is_judged, "{kind}: {text}");
        }
    }
    for (locale, words) in [
        (Locale::French, "Vigint ne l'a pas vérifiée"),
        (Locale::English, "Vigint has not checked it"),
    ] {
        let mail = read(&first(locale, &by_hand(locale), ready()));
        assert!(mail.text.contains(words), "{}", mail.text);
    }
}

#[test]
fn no_shopkeeper_is_told_of_an_api() {
    for (_, locale) in LANGUAGES {
        for (kind, composed) in all(locale) {
            let text = read(&composed).text;
            for word in ["API", "PATCH", "/api/", "dismissed"] {
                assert!(!text.contains(word), "{kind}, {word}: {text}");
            }
        }
    }
}
