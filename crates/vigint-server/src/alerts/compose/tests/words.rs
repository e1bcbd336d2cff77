//! What mails say, whole, and that both their bodies say the same.

use std::collections::BTreeSet;

use lettre::Message;
use vigint_core::locale::Locale;
use vigint_core::verdict::{Confirmation, RiskLevel};
use vigint_db::incidents::IncidentRow;
use vigint_testkit::french::loose_punctuation;

use super::fixtures::*;
use crate::alerts::compose::{ClipNews, IncidentNews, WhyNoClip};
use crate::alerts::message::Composed;
use crate::clips::ClipHost;

const MISSING: [WhyNoClip; 5] = [
    WhyNoClip::NothingBuffered,
    WhyNoClip::Failed,
    WhyNoClip::StorageFull,
    WhyNoClip::Expired,
    WhyNoClip::TooMany,
];

pub(super) fn repeated(locale: Locale) -> IncidentRow {
    IncidentRow {
        occurrences: 3,
        last_seen_at: at("2026-11-22T22:47:30Z"),
        ..incident(locale)
    }
}

pub(super) fn vetoed_late(locale: Locale) -> IncidentRow {
    IncidentRow {
        confirmation: Confirmation::Vetoed,
        risk_level: RiskLevel::Low,
        detailed_analysis: Some(match locale {
            Locale::French => "La personne repose la boîte sur l'étagère.".to_owned(),
            Locale::English => "The person puts the can back onto the shelf.".to_owned(),
        }),
        ..incident(locale)
    }
}

fn hosted(host: ClipHost) -> ClipNews {
    let ClipNews::Ready {
        url,
        expires_at,
        bytes,
        ..
    } = ready()
    else {
        unreachable!("it is ready")
    };
    ClipNews::Ready {
        url,
        expires_at,
        bytes,
        duration_ms: None,
        host,
    }
}

/// One mail of each kind.
pub(super) fn all(locale: Locale) -> Vec<(&'static str, Composed)> {
    let news = |incident: &IncidentRow| {
        let raised = IncidentNews::RiskRaised;
        told(locale, incident, raised, ready(), None)
    };
    let still = Some(still());
    let confirmed = told(
        locale,
        &incident(locale),
        IncidentNews::First,
        ready(),
        still,
    );
    let no_clip = ClipNews::Missing(WhyNoClip::Failed);
    vec![
        ("confirmed", confirmed),
        ("unconfirmed", first(locale, &unconfirmed(locale), ready())),
        ("vetoed_late", first(locale, &vetoed_late(locale), ready())),
        ("by_hand", first(locale, &by_hand(locale), ready())),
        ("without_clip", first(locale, &incident(locale), no_clip)),
        (
            "late_clip",
            first(locale, &incident(locale), ClipNews::Late),
        ),
        ("risk_raised", news(&repeated(locale))),
        ("digest", digested(locale, &digest(locale, 5, 0))),
        ("long_digest", digested(locale, &digest(locale, 52, 7))),
        ("camera_silent", of_camera(locale, &silent(locale))),
        ("camera_back", of_camera(locale, &back(locale))),
        ("cameras_silent", of_camera(locale, &several_silent(locale))),
        ("cameras_back", of_camera(locale, &several_back(locale))),
    ]
}

#[test]
fn mails_read_as_they_are_meant_to() {
    for (language, locale) in LANGUAGES {
        for (kind, composed) in all(locale) {
            if kind != "long_digest" {
                insta::assert_snapshot!(format!("{kind}_{language}"), golden_text(&composed));
            }
            if ["confirmed", "risk_raised", "digest", "camera_silent"].contains(&kind) {
                let name = format!("{kind}_{language}_html");
                insta::assert_snapshot!(name, golden_html(&composed));
            }
        }
    }
}

/// The words that HTML shows.
fn shown(html: &str) -> String {
    let (_, body) = html.split_once("<body").unwrap();
    let mut shown = String::new();
    let mut rest = body;
    while let Some((text, tag)) = rest.split_once('<') {
        shown.push_str(text.split_once('>').map_or(text, |(_, text)| text));
        shown.push(' ');
        rest = tag;
    }
    let entities = [
        ("&nbsp;", " "),
        ("&#34;", "\""),
        ("&#39;", "'"),
        ("&#60;", "<"),
        ("&#62;", ">"),
        ("&#38;", "&"),
    ];
    entities
        .iter()
        .fold(shown, |text, (from, to)| text.replace(from, to))
}

fn words_of(text: &str) -> BTreeSet<String> {
    let words = text.split(|c: char| !c.is_alphanumeric());
    let words = words.filter(|word| !word.is_empty());
    words.map(str::to_lowercase).collect()
}

/// Without links, and without the numbers before steps, which HTML counts by itself.
fn without_links_and_numbers(text: &str) -> String {
    let lines = text.lines().map(|line| {
        let words = line.split(' ').enumerate().filter(|(index, word)| {
            let is_number = *index == 0 && word.ends_with('.') && word.len() == 2;
            !word.starts_with("https://") && !is_number
        });
        let words: Vec<_> = words.map(|(_, word)| word).collect();
        words.join(" ")
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn both_bodies_say_the_same() {
    for (_, locale) in LANGUAGES {
        for (kind, composed) in all(locale) {
            let mail = read(&composed);
            let (text, html) = (without_links_and_numbers(&mail.text), shown(&mail.html));
            assert_eq!(words_of(&text), words_of(&html), "{kind}");
        }
    }
}

#[test]
fn french_lines_do_not_break_before_punctuation() {
    let locale = Locale::French;
    let missing = MISSING.map(ClipNews::Missing).into_iter();
    let hosts = [ClipHost::Ours, ClipHost::SparseAi, ClipHost::OursInstead].map(hosted);
    let clips = missing.chain(hosts).chain([ClipNews::Late]);
    let of_clips = clips.map(|clip| ("clip", first(locale, &incident(locale), clip)));
    let one = ("one", digested(locale, &digest(locale, 1, 0)));
    for (kind, composed) in all(locale).into_iter().chain(of_clips).chain([one]) {
        let mail = read(&composed);
        // A subject's white space is folded, and it has one line.
        for body in [mail.text, shown(&mail.html)] {
            assert_eq!(loose_punctuation(&body), Vec::<String>::new(), "{kind}");
        }
    }
}

#[test]
fn no_two_languages_are_mixed() {
    for (_, composed) in all(Locale::French) {
        let words = words_of(&without_links_and_numbers(&read(&composed).text));
        for english in ["the", "and", "risk", "seen", "silent", "video"] {
            assert!(!words.contains(english), "{english}: {words:?}");
        }
    }
    for (_, composed) in all(Locale::English) {
        let words = words_of(&without_links_and_numbers(&read(&composed).text));
        for french in ["le", "la", "et", "gravité", "vidéo", "caméra", "fois"] {
            assert!(!words.contains(french), "{french}: {words:?}");
        }
    }
}

#[test]
fn the_subject_says_alert_first_then_kind_risk_and_camera() {
    let subject = |locale, incident: &IncidentRow| first(locale, incident, ready()).subject;
    let (french, english) = (Locale::French, Locale::English);
    for (found, expected) in [
        (
            subject(french, &incident(french)),
            "Alerte : vol à l'étalage, gravité élevée, Caisse 2",
        ),
        (
            subject(english, &incident(english)),
            "Alert: shoplifting, high risk, Till 2",
        ),
        (
            subject(french, &unconfirmed(french)),
            "Alerte non confirmée : vol à l'étalage, gravité élevée, Caisse 2",
        ),
        (
            subject(english, &unconfirmed(english)),
            "Alert, unconfirmed: shoplifting, high risk, Till 2",
        ),
        (
            subject(english, &vetoed_late(english)),
            "Alert, unconfirmed: shoplifting, low risk, Till 2",
        ),
        (
            subject(french, &by_hand(french)),
            "Alerte : donnée par le programme de la caméra, non vérifiée par Vigint, Caisse 2",
        ),
        (
            subject(english, &by_hand(english)),
            "Alert: raised by the camera program, not checked by Vigint, Till 2",
        ),
    ] {
        assert_eq!(found, expected);
    }
    let nameless = IncidentRow {
        source_name: None,
        incident_type: String::new(),
        ..incident(english)
    };
    assert_eq!(
        subject(english, &nameless),
        "Alert: incident, high risk, till-2"
    );
}

#[test]
fn long_kinds_and_names_leave_room_for_each_other_in_the_subject() {
    let wordy = IncidentRow {
        incident_type: "suspicious behaviour ".repeat(9),
        source_name: Some("Camera of the long corridor ".repeat(7)),
        ..incident(Locale::English)
    };
    let composed = first(Locale::English, &wordy, ready());
    assert_eq!(
        composed.subject,
        "Alert: suspicious behaviour suspicious behaviour suspicious behavi…, high risk, \
         Camera of the long corridor Camera of the long corridor Cam…"
    );
    assert_eq!(read(&composed).subject, composed.subject);
}

#[test]
fn nothing_is_said_twice() {
    let one = "A man puts a bottle under his coat.";
    let (locale, text) = (Locale::English, one.to_owned());
    let same = IncidentRow {
        description: text.clone(),
        analysis: text.clone(),
        detailed_analysis: Some(text),
        ..incident(locale)
    };
    for incident in [&same, &by_hand(locale)] {
        let mail = read(&first(locale, incident, ready()));
        for part in [&mail.text, &mail.html] {
            let first_line = incident.analysis.lines().next().unwrap();
            assert_eq!(part.matches(first_line).count(), 1, "{part}");
        }
    }
    let mail = read(&first(locale, &same, ready()));
    assert!(mail.text.contains("\nBoth looks:\n"), "{}", mail.text);
}

#[test]
fn both_looks_are_told_apart() {
    let mail = read(&first(Locale::English, &incident(Locale::English), ready()));
    let (_, looks) = mail.text.split_once("\nFirst look:\n").unwrap();
    let (first, second) = looks.split_once("\nSecond look:\n").unwrap();
    assert!(first.contains("turns away from"), "{first}");
    assert!(second.contains("Nothing suggests a purchase"), "{second}");
}

#[test]
fn the_same_incident_that_became_graver_is_called_so() {
    for (locale, words) in [
        (Locale::French, "Désormais plus grave"),
        (Locale::English, "Now more serious"),
    ] {
        let incident = incident(locale);
        let raised = told(locale, &incident, IncidentNews::RiskRaised, ready(), None);
        let mail = read(&raised);
        assert!(mail.text.contains(words) && mail.html.contains(words));
        let mail = read(&first(locale, &incident, ready()));
        assert!(!mail.text.contains(words) && !mail.html.contains(words));
        let refuted = vetoed_late(locale);
        let mail = read(&told(
            locale,
            &refuted,
            IncidentNews::RiskRaised,
            ready(),
            None,
        ));
        assert!(!mail.text.contains(words) && !mail.html.contains(words));
    }
}

#[test]
fn a_mail_without_a_link_speaks_of_none() {
    for (_, locale) in LANGUAGES {
        let missing = MISSING.map(ClipNews::Missing);
        for clip in missing.into_iter().chain([ClipNews::Late]) {
            let mail = read(&first(locale, &by_hand(locale), clip.clone()));
            for part in [&mail.text, &shown(&mail.html)] {
                let words = words_of(part);
                for word in ["lien", "link", "regardez d'abord la vidéo", "watch"] {
                    assert!(!words.contains(word), "{clip:?}: {part}");
                }
            }
            assert!(!mail.html.contains("<a "), "{}", mail.html);
        }
    }
}

#[test]
fn every_reason_for_no_video_has_its_own_sentence() {
    for (_, locale) in LANGUAGES {
        let said = MISSING.map(|why| {
            let mail = read(&first(locale, &by_hand(locale), ClipNews::Missing(why)));
            let is_about_video =
                |line: &&str| line.starts_with("Sans vidéo") || line.starts_with("Without video");
            mail.text.lines().find(is_about_video).unwrap().to_owned()
        });
        assert_eq!(BTreeSet::from(said).len(), MISSING.len());
    }
}

#[test]
fn a_video_that_lies_elsewhere_than_planned_is_said_to() {
    for (host, words) in [
        (
            ClipHost::SparseAi,
            Some("The video is hosted by Sparse AI."),
        ),
        (
            ClipHost::OursInstead,
            Some(
                "The hosting service has not taken the video: it is hosted on Vigint's own server.",
            ),
        ),
        (ClipHost::Ours, None),
    ] {
        let mail = read(&first(
            Locale::English,
            &incident(Locale::English),
            hosted(host),
        ));
        assert!(
            mail.text.contains("Video: 1.4\u{A0}MB.\n")
                || mail.text.contains("Video: 1.4\u{A0}MB. ")
        );
        match words {
            Some(words) => assert!(mail.text.contains(words), "{}", mail.text),
            None => assert!(!mail.text.contains("hosted"), "{}", mail.text),
        }
    }
}

#[test]
fn a_digest_counts_all_and_lists_fifty() {
    let held = digest(Locale::English, 52, 7);
    let mail = read(&digested(Locale::English, &held));
    assert_eq!(
        mail.subject,
        "Alert: 59 incidents in one message, at least one of high risk"
    );
    assert_eq!(mail.text.matches("0190aaaa-").count(), 50);
    assert!(mail.text.contains("… and 9 more."), "{}", mail.text);
    let text = mail.text.replace('\u{A0}', " ");
    assert!(
        text.contains("By camera: 18 × Parking, 34 × Till 2, 7 × not listed"),
        "{}",
        mail.text
    );
    let one = digest(Locale::French, 1, 0);
    let composed = digested(Locale::French, &one);
    assert_eq!(
        composed.subject,
        "Alerte : 1 incident de plus, gravité faible"
    );
    assert!(!read(&composed).text.contains("… et"));
}

/// Of each kind, in both languages.
pub(super) fn every_message() -> Vec<Message> {
    let mails = LANGUAGES.into_iter().flat_map(|(_, locale)| all(locale));
    mails.map(|(_, composed)| composed.message).collect()
}
