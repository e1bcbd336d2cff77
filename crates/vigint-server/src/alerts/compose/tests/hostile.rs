//! What a model, a camera's name or a client's name says is shown and not obeyed.

use vigint_core::locale::Locale;
use vigint_db::incidents::IncidentRow;

use super::fixtures::*;
use crate::alerts::compose::{ClipNews, DigestMail, IncidentMail, IncidentNews};
use crate::alerts::message::Composed;
use crate::alerts::notice::{CameraMail, CameraNews};

const LOCALE: Locale = Locale::English;

const BREAKS: &str = "till\r\nBcc: thief@evil.example\r\n\r\nbody";

const LINKS: &str = "<a href=\"https://evil.example\">click</a> <img src=x> https://evil.example/pay or \
                     www.evil.example \u{202E}gpj.exe";

/// Every kind of mail, with this text wherever somebody else writes.
fn all_with(text: &str) -> Vec<Composed> {
    let owned = || text.to_owned();
    let mut client = client(LOCALE);
    client.name = owned();
    let incident = IncidentRow {
        source_name: Some(owned()),
        incident_type: owned(),
        description: format!("{text} described"),
        analysis: owned(),
        detailed_analysis: Some(format!("{text} in detail")),
        ..incident(LOCALE)
    };
    let by_hand = IncidentRow {
        is_manual: true,
        ..incident.clone()
    };
    let mut mails: Vec<_> = [&incident, &by_hand]
        .map(|incident| {
            let mail = IncidentMail {
                head: in_thread(None, None),
                client: &client,
                incident,
                news: IncidentNews::First,
                clip: ready(),
                still: None,
            };
            mail.compose().unwrap()
        })
        .into();
    let mut digest = digest(LOCALE, 1, 0);
    digest.held[0].camera = owned();
    digest.held[0].incident_type = owned();
    let mail = DigestMail {
        head: in_thread(None, None),
        client: &client,
        digest: &digest,
    };
    mails.push(mail.compose().unwrap());
    for news in [
        CameraNews::Silent {
            cameras: vec![owned()],
            since: at("2026-11-22T22:12:40Z"),
        },
        CameraNews::Back {
            cameras: vec![owned(), owned(), owned()],
            silent_since: at("2026-11-22T22:12:40Z"),
            back_at: at("2026-11-23T00:27:05Z"),
        },
    ] {
        let mail = CameraMail {
            head: in_thread(None, None),
            client: &client,
            news: &news,
        };
        mails.push(mail.compose().unwrap());
    }
    // The subject of a thread comes from a table.
    let mail = IncidentMail {
        head: in_thread(None, Some(text)),
        client: &client,
        incident: &incident,
        news: IncidentNews::RiskRaised,
        clip: ready(),
        still: None,
    };
    mails.push(mail.compose().unwrap());
    mails
}

#[test]
fn no_line_break_gets_from_a_name_or_a_model_into_the_head() {
    let names = |composed: &Composed| -> Vec<_> {
        let head = head(composed);
        let lines = head.lines();
        lines
            .map(|line| line.split_once(": ").unwrap().0.to_owned())
            .collect()
    };
    let plain = names(&first(LOCALE, &incident(LOCALE), ready()));
    for composed in all_with(BREAKS) {
        assert_eq!(names(&composed), plain);
        let subject = read(&composed).subject;
        assert_eq!(subject, composed.subject);
    }
    assert_eq!(
        all_with(BREAKS)[0].subject,
        "Alert: till Bcc: thief@evil[.]example body, high risk, till Bcc: thief@evil[.]example body"
    );
}

#[test]
fn nothing_but_our_own_link_can_be_clicked() {
    for composed in all_with(LINKS) {
        let mail = read(&composed);
        for part in [&mail.text, &mail.html, &mail.subject] {
            assert!(!part.contains("://evil"), "{part}");
            assert!(!part.contains("www.evil"), "{part}");
            assert!(!part.contains('\u{202E}'), "{part}");
        }
        for tag in ["<script", "<img", "<a href=\"https[:]"] {
            assert!(!mail.html.contains(tag), "{tag} in {}", mail.html);
        }
        let links: Vec<_> = mail.html.split("href=\"").skip(1).collect();
        assert_eq!(mail.html.matches("<a ").count(), links.len());
        for link in &links {
            assert!(link.starts_with("https://vigint.example/video/"), "{link}");
        }
    }
    let mail = read(&all_with(LINKS)[0]);
    assert_eq!(mail.html.matches("<a ").count(), 1);
    assert_eq!(mail.clip_link(), Some(LINK));
}

#[test]
fn html_in_what_a_model_says_is_shown_as_it_is() {
    let mail = read(&all_with(LINKS)[0]);
    assert!(
        mail.html
            .contains("&#60;a href=&#34;https[:]//evil[.]example&#34;&#62;click&#60;/a&#62;"),
        "{}",
        mail.html
    );
    assert!(
        mail.text
            .contains("<a href=\"https[:]//evil[.]example\">click</a>"),
        "{}",
        mail.text
    );
}

#[test]
fn only_a_web_address_becomes_a_link() {
    for odd in [
        "javascript:alert(1)",
        "data:text/html,x",
        "ftp://vigint.example/video/1",
        "//vigint.example/video/1",
        "https://vigint.example/video/1\" onclick=\"x",
        "https://vigint.example/video/1\nhttps://evil.example",
        "",
    ] {
        let ClipNews::Ready {
            expires_at,
            bytes,
            duration_ms,
            host,
            ..
        } = ready()
        else {
            unreachable!("it is ready")
        };
        let clip = ClipNews::Ready {
            url: odd.to_owned(),
            expires_at,
            bytes,
            duration_ms,
            host,
        };
        let mail = read(&first(LOCALE, &incident(LOCALE), clip));
        assert!(!mail.html.contains("<a "), "{odd}: {}", mail.html);
        assert!(mail.text.contains("Without video:"), "{}", mail.text);
        let mut digest = digest(LOCALE, 1, 0);
        digest.held[0].clip_url = Some(odd.to_owned());
        let mail = read(&digested(LOCALE, &digest));
        assert!(!mail.html.contains("<a "), "{odd}: {}", mail.html);
        assert!(!mail.text.contains("links are private"), "{}", mail.text);
    }
}

#[test]
fn nothing_is_loaded_from_elsewhere() {
    for message in super::words::every_message() {
        let raw = message.formatted();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("1.eml");
        std::fs::write(&path, raw).unwrap();
        let html = vigint_testkit::mailbox::Mail::read(&path).unwrap().html;
        for remote in [
            "<script",
            "<link",
            "<iframe",
            "url(",
            "@import",
            "src=\"http",
        ] {
            assert!(!html.contains(remote), "{remote}: {html}");
        }
    }
}
