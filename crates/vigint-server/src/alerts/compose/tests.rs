//! Golden mails: what a customer reads, whole. Renew them with `INSTA_UPDATE=always cargo test -p vigint-server compose`.

use vigint_core::ids::{ClientId, IncidentId, KeyId};
use vigint_core::incident::{IncidentStatus, Triage};
use vigint_db::clients::ClientStatus;
use vigint_testkit::mailbox::Mail;

use super::*;
use crate::alerts::Sender;

const LINK: &str = "https://vigint.example/video/0190bbbb-0000-4000-8000-000000000000?expires=1795448403&token=00ff";

fn at(text: &str) -> UtcTime {
    text.parse().unwrap()
}

fn client(locale: Locale) -> ClientRow {
    ClientRow {
        id: ClientId(7),
        name: "Acme".to_owned(),
        email: "acme@shop.example".to_owned(),
        locale,
        time_zone: "Europe/Paris".to_owned(),
        status: ClientStatus::Active,
        created_at: UtcTime::UNIX_EPOCH,
        updated_at: UtcTime::UNIX_EPOCH,
        monthly_budget: None,
    }
}

fn incident() -> IncidentRow {
    IncidentRow {
        id: IncidentId("0190aaaa-0000-4000-8000-000000000000".parse().unwrap()),
        client_id: ClientId(7),
        api_key_id: KeyId(3),
        source_id: "till-2".parse().unwrap(),
        source_name: Some("Caisse 2".to_owned()),
        status: IncidentStatus::Open,
        triage: Triage::New,
        incident_type: "vol à l'étalage".to_owned(),
        risk_level: RiskLevel::High,
        description: "A man puts a bottle under his coat.".to_owned(),
        analysis: "He looks around first.\nThen he leaves without paying.".to_owned(),
        detailed_analysis: None,
        confirmation: Confirmation::Confirmed,
        is_manual: false,
        occurrences: 1,
        frame_count: 250,
        first_seen_at: at("2026-11-22T15:40:03.250Z"),
        last_seen_at: at("2026-11-22T15:40:06Z"),
        detected_at: at("2026-11-22T15:40:06Z"),
        note: None,
        created_at: at("2026-11-22T15:40:07Z"),
        updated_at: at("2026-11-22T15:40:07Z"),
    }
}

fn by_hand() -> IncidentRow {
    IncidentRow {
        description: "Someone at the till".to_owned(),
        analysis: "Someone at the till\nwho should not be there.".to_owned(),
        confirmation: Confirmation::NotNeeded,
        is_manual: true,
        ..incident()
    }
}

fn ready() -> ClipNews {
    ClipNews::Ready {
        url: LINK.to_owned(),
        expires_at: at("2026-11-23T15:40:03Z"),
    }
}

fn composed(locale: Locale, incident: &IncidentRow, clip: ClipNews) -> Message {
    let mail = IncidentMail {
        head: MailHead {
            sender: &Sender::new("alerts@vigint.example".parse().unwrap()),
            recipient: "acme@shop.example",
            message_id: "0190cccc-0000-4000-8000-000000000000",
            now: at("2026-11-22T15:40:20Z"),
        },
        client: &client(locale),
        incident,
        clip,
    };
    mail.compose().unwrap()
}

/// The mail as a program that reads mails takes it apart.
fn read(message: &Message) -> Mail {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("1.eml");
    std::fs::write(&path, message.formatted()).unwrap();
    Mail::read(&path).unwrap()
}

/// The lines of the head, unfolded, without the boundary, which is drawn by lot.
fn head(message: &Message) -> String {
    let formatted = String::from_utf8(message.formatted()).unwrap();
    let (head, _) = formatted.split_once("\r\n\r\n").unwrap();
    let head = head.replace("\r\n ", " ");
    let lines = head.lines();
    let lines: Vec<_> = lines
        .map(|line| line.split_once(" boundary=").map_or(line, |(kept, _)| kept))
        .collect();
    lines.join("\n")
}

fn golden(message: &Message) -> String {
    let mail = read(message);
    format!(
        "{}\n\nSubject, decoded: {}\n\n{}\n---- HTML\n{}",
        head(message),
        mail.subject,
        mail.text.replace('\r', ""),
        mail.html.replace('\r', "")
    )
}

#[test]
fn mails_read_as_they_are_meant_to() {
    let unconfirmed = IncidentRow {
        confirmation: Confirmation::Unavailable,
        ..incident()
    };
    for (language, locale) in [("fr", Locale::French), ("en", Locale::English)] {
        for (kind, incident, clip) in [
            ("confirmed", &incident(), ready()),
            ("unconfirmed", &unconfirmed, ready()),
            ("by_hand", &by_hand(), ready()),
            ("by_hand_without_clip", &by_hand(), ClipNews::Missing),
            ("late_clip", &incident(), ClipNews::Late),
            ("without_clip", &incident(), ClipNews::Missing),
        ] {
            let message = composed(locale, incident, clip);
            insta::assert_snapshot!(format!("{kind}_{language}"), golden(&message));
        }
    }
}

#[test]
fn a_mail_says_that_a_program_sent_it_and_keeps_its_id_when_it_is_sent_again() {
    let first = head(&composed(Locale::English, &incident(), ready()));
    let again = head(&composed(Locale::English, &incident(), ready()));
    assert_eq!(first, again);
    for line in [
        "Message-ID: <0190cccc-0000-4000-8000-000000000000@vigint.example>",
        "Auto-Submitted: auto-generated",
        "From: Vigint <alerts@vigint.example>",
        "To: acme@shop.example",
    ] {
        assert!(
            first.lines().any(|found| found == line),
            "{line} in\n{first}"
        );
    }
}

#[test]
fn no_line_break_gets_from_a_name_or_a_model_into_the_head() {
    let hostile = IncidentRow {
        source_name: Some("till\r\nBcc: thief@evil.example\r\n\r\nbody".to_owned()),
        incident_type: "theft\nReply-To: thief@evil.example".to_owned(),
        ..incident()
    };
    let message = composed(Locale::English, &hostile, ready());
    let plain = head(&composed(Locale::English, &incident(), ready()));
    assert_eq!(head(&message).lines().count(), plain.lines().count());
    for line in head(&message).lines() {
        assert!(
            !line.starts_with("Bcc") && !line.starts_with("Reply-To"),
            "{line}"
        );
    }
    assert_eq!(
        read(&message).subject,
        "[Vigint] till Bcc: thief@evil[.]example body: theft Reply-To: thief@evil[.]example"
    );
}

#[test]
fn what_a_model_or_a_name_says_is_shown_and_not_obeyed() {
    let hostile = IncidentRow {
        source_name: Some("<img src=x> https://evil.example".to_owned()),
        incident_type: "<script>alert(1)</script>".to_owned(),
        description: "Pay at https://evil.example/pay or www.evil.example".to_owned(),
        analysis: "<a href=\"https://evil.example\">click</a> \u{202E}gpj.exe".to_owned(),
        ..incident()
    };
    let mail = read(&composed(Locale::English, &hostile, ready()));
    for part in [&mail.text, &mail.html, &mail.subject] {
        assert!(
            !part.contains("://evil") && !part.contains("www.evil"),
            "{part}"
        );
        assert!(!part.contains('\u{202E}'), "{part}");
    }
    for tag in ["<script", "<img", "<a href=\"https[:]"] {
        assert!(!mail.html.contains(tag), "{tag} in {}", mail.html);
    }
    // The only link is ours.
    assert_eq!(mail.html.matches("<a href=").count(), 1);
    assert_eq!(mail.clip_link(), Some(LINK));
}

#[test]
fn nothing_is_said_twice() {
    let same = IncidentRow {
        description: "A man puts a bottle under his coat.".to_owned(),
        analysis: "A man puts a bottle under his coat.".to_owned(),
        ..incident()
    };
    for incident in [&same, &by_hand()] {
        let mail = read(&composed(Locale::English, incident, ready()));
        for part in [&mail.text, &mail.html] {
            let first_line = incident.analysis.lines().next().unwrap();
            assert_eq!(part.matches(first_line).count(), 1, "{part}");
        }
    }
}

#[test]
fn a_mail_without_a_link_speaks_of_none() {
    for (locale, word) in [(Locale::French, "lien"), (Locale::English, "link")] {
        for clip in [ClipNews::Late, ClipNews::Missing] {
            let mail = read(&composed(locale, &by_hand(), clip));
            assert!(
                !mail.text.contains(word) && !mail.html.contains(word),
                "{}",
                mail.text
            );
        }
    }
}
