//! The head of a mail, its thread, and how it is put together.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use vigint_core::locale::Locale;

use super::fixtures::*;
use super::words::every_message;
use crate::alerts::compose::{IncidentMail, IncidentNews};
use crate::alerts::message::{Composed, MAX_STILL_BYTES};

const LOCALE: Locale = Locale::French;

fn with_still(still: Vec<u8>) -> Composed {
    let incident = incident(LOCALE);
    told(LOCALE, &incident, IncidentNews::First, ready(), Some(still))
}

#[test]
fn a_mail_says_that_a_program_sent_it_and_keeps_its_id_when_it_is_sent_again() {
    let mail = || head(&first(LOCALE, &incident(LOCALE), ready()));
    let head = mail();
    assert_eq!(head, mail());
    insta::assert_snapshot!(head, @r#"
    From: Vigint <alerts@vigint.example>
    To: durand@shop.example
    Subject: Alerte : vol =?utf-8?b?w6AgbCfDqXRhbGFnZSwgZ3Jhdml0w6kgw6lsZXY=?= =?utf-8?b?w6llLA==?= Caisse 2
    Date: Sun, 22 Nov 2026 22:40:20 +0000
    Message-ID: <0190cccc-0000-4000-8000-000000000000@vigint.example>
    Auto-Submitted: auto-generated
    X-Auto-Response-Suppress: All
    MIME-Version: 1.0
    Content-Type: multipart/alternative;
    "#);
}

#[test]
fn a_later_mail_of_a_thread_names_the_first_and_bears_its_subject() {
    let first = first(LOCALE, &incident(LOCALE), ready());
    assert!(!head(&first).contains("References"));
    for subject in [
        &first.subject,
        "Alert, unconfirmed: theft, medium risk, Till 2",
    ] {
        let mail = IncidentMail {
            head: in_thread(Some("the-first"), Some(subject)),
            client: &client(LOCALE),
            incident: &incident(LOCALE),
            news: IncidentNews::RiskRaised,
            clip: ready(),
            still: None,
        };
        let later = mail.compose().unwrap();
        let head = head(&later);
        for line in [
            "In-Reply-To: <the-first@vigint.example>",
            "References: <the-first@vigint.example>",
            "Message-ID: <0190cccc-0000-4000-8000-000000000000@vigint.example>",
        ] {
            assert!(head.lines().any(|found| found == line), "{line}:\n{head}");
        }
        assert_eq!(later.subject, *subject);
        assert_eq!(read(&later).subject, *subject);
    }
}

/// What was cut, defanged or without meaning once is taken for the thread's subject as it is.
#[test]
fn the_subject_that_is_returned_is_the_one_that_a_later_mail_bears() {
    for name in [
        "Caisse 2",
        "www.evil.example and https://evil.example/a",
        "=?utf-8?b?ZXZpbA==?=",
        "=\u{200B}?utf-8?q?evil?=",
        &"very long ".repeat(40),
        &"x.example".repeat(12),
    ] {
        let mut incident = incident(LOCALE);
        incident.source_name = Some((*name).to_owned());
        incident.incident_type = (*name).to_owned();
        let composed = first(LOCALE, &incident, ready());
        assert!(!composed.subject.contains("=?"), "{}", composed.subject);
        let mail = IncidentMail {
            head: in_thread(Some("the-first"), Some(&composed.subject)),
            client: &client(LOCALE),
            incident: &incident,
            news: IncidentNews::RiskRaised,
            clip: ready(),
            still: None,
        };
        let later = mail.compose().unwrap();
        assert_eq!(later.subject, composed.subject);
        assert_eq!(read(&composed).subject, composed.subject);
        assert_eq!(read(&later).subject, composed.subject);
    }
}

#[test]
fn a_still_picture_is_shown_inside_the_mail() {
    let jpeg = still();
    assert!(jpeg.len() <= MAX_STILL_BYTES, "{}", jpeg.len());
    let composed = with_still(jpeg.clone());
    let raw = String::from_utf8(composed.message.formatted()).unwrap();
    let order = [
        "Content-Type: multipart/alternative;",
        "Content-Type: text/plain; charset=utf-8",
        "Content-Type: multipart/related;",
        "Content-Type: text/html; charset=utf-8",
        "Content-ID: <still.0190cccc-0000-4000-8000-000000000000@vigint.example>",
    ];
    let places: Vec<_> = order.iter().map(|line| raw.find(line).unwrap()).collect();
    assert!(places.is_sorted(), "{places:?}");
    let (_, part) = raw.split_once(order[4]).unwrap();
    let (part_head, part) = part.split_once("\r\n\r\n").unwrap();
    assert!(
        part_head.contains("Content-Type: image/jpeg"),
        "{part_head}"
    );
    assert!(
        part_head.contains("Content-Disposition: inline"),
        "{part_head}"
    );
    let (picture, _) = part.split_once("\r\n--").unwrap();
    let picture = picture.replace("\r\n", "");
    assert_eq!(BASE64_STANDARD.decode(picture).unwrap(), jpeg);
    let html = read(&composed).html;
    assert!(html.contains(
        "<img src=\"cid:still.0190cccc-0000-4000-8000-000000000000@vigint.example\" alt=\"Image de la caméra Caisse 2\""
    ), "{html}");
}

#[test]
fn what_is_no_picture_or_too_large_is_left_out() {
    let mut large = still();
    large.resize(MAX_STILL_BYTES + 1, 0);
    for odd in [Vec::new(), b"<svg>".to_vec(), large] {
        let composed = with_still(odd);
        assert!(!read(&composed).html.contains("<img"));
        let raw = String::from_utf8(composed.message.formatted()).unwrap();
        assert!(!raw.contains("image/jpeg"));
    }
}

#[test]
fn every_server_can_pass_the_mail_on_as_it_is() {
    let mut wordy = incident(LOCALE);
    wordy.analysis = "é".repeat(4000);
    wordy.detailed_analysis = Some("no space in 4000 letters".replace(' ', "-").repeat(160));
    wordy.source_name = Some("Ω".repeat(200));
    wordy.incident_type = "x".repeat(200);
    let long = first(LOCALE, &wordy, ready()).message;
    for message in every_message().into_iter().chain([long]) {
        let raw = message.formatted();
        assert!(raw.is_ascii());
        for line in raw.split(|byte| *byte == b'\n') {
            // RFC 5322 asks for 78, allows 998.
            assert!(line.len() <= 200, "{}", String::from_utf8_lossy(line));
            assert!(line.is_empty() || line.ends_with(b"\r"));
        }
    }
}

#[test]
fn long_texts_are_told_to_the_end() {
    let mut wordy = incident(LOCALE);
    wordy.analysis = format!("{}Fin.", "Il attend. ".repeat(350));
    let mail = read(&first(LOCALE, &wordy, ready()));
    for part in [&mail.text, &mail.html] {
        assert!(part.contains(&wordy.analysis), "{part}");
    }
}
