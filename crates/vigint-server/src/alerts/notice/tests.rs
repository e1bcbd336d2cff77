//! Golden mails: what a client and an operator read, whole. Renew them with
//! `INSTA_UPDATE=always cargo test -p vigint-server notice`.

use vigint_db::clients::ClientStatus;
use vigint_testkit::french::loose_punctuation;
use vigint_testkit::mailbox::Mail;

use super::*;
use crate::alerts::Sender;
use crate::notices::{BudgetReached, DiskRoom};

fn at(text: &str) -> UtcTime {
    text.parse().unwrap()
}

fn client(locale: Locale) -> ClientRow {
    ClientRow {
        id: ClientId(7),
        name: "Épicerie <Durand>".to_owned(),
        email: "durand@shop.example".to_owned(),
        locale,
        time_zone: "Europe/Paris".to_owned(),
        status: ClientStatus::Active,
        created_at: UtcTime::UNIX_EPOCH,
        updated_at: UtcTime::UNIX_EPOCH,
        monthly_budget: None,
    }
}

fn key() -> NoticedKey {
    NoticedKey {
        id: KeyId(3),
        prefix: "vgt_Ab12".to_owned(),
    }
}

fn seen(times: u64) -> SeenKey {
    SeenKey {
        key: key(),
        address: "203.0.113.9".parse().unwrap(),
        at: at("2026-11-22T15:40:03.250Z"),
        times,
        since: at("2026-11-22T14:58:00Z"),
    }
}

fn notices() -> Vec<Notice> {
    let refused = |address: &str, is_admin| Notice::RefusedKeys {
        address: address.to_owned(),
        allowed: 60,
        is_admin,
        at: at("2026-11-22T15:40:03Z"),
    };
    let budget = |is_of_all, percent, spent| Notice::BudgetReached {
        reached: BudgetReached {
            is_of_all,
            percent,
            spent: MicroEuros(spent),
            most: MicroEuros(20_000_000),
            currency: "EUR".to_owned(),
        },
    };
    vec![
        Notice::KeyInUrl { seen: seen(1) },
        Notice::RevokedKeyUsed {
            seen: seen(36),
            revoked_at: Some(at("2026-11-20T08:00:00Z")),
        },
        Notice::RevokedKeyUsed {
            seen: seen(1),
            revoked_at: None,
        },
        Notice::ExpiredKeyUsed {
            seen: seen(1),
            expired_at: at("2026-11-21T08:00:00Z"),
        },
        Notice::UnusualRate {
            key: key(),
            minute: at("2026-11-22T15:40:00Z"),
            requests: 6120,
            usual: 598,
        },
        refused("203.0.113.9", false),
        refused("2001:db8:1:2::/64", true),
        budget(false, 80, 16_012_345),
        budget(false, 100, 20_000_017),
        budget(true, 80, 17_500_000),
        budget(true, 100, 20_000_000),
        Notice::DiskNearlyFull {
            disk: disk(812_345_678),
        },
        Notice::DiskHasRoom {
            disk: disk(5_000_000_000),
        },
    ]
}

fn disk(free: u64) -> DiskRoom {
    DiskRoom {
        path: "/srv/vigint/clips".to_owned(),
        free,
        needed: 1_000_000_000,
    }
}

fn mail(notice: &Notice, client: Option<&ClientRow>, reader: Reader) -> Mail {
    let mail = NoticeMail {
        head: MailHead {
            sender: &Sender::new("alerts@vigint.example".parse().unwrap()),
            recipient: "reader@vigint.example",
            message_id: "note-0190cccc-0000-4000-8000-000000000000",
            in_reply_to: None,
            subject: None,
            now: at("2026-11-22T15:40:20Z"),
        },
        notice,
        client,
        reader,
    };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("1.eml");
    std::fs::write(&path, mail.compose().unwrap().message.formatted()).unwrap();
    Mail::read(&path).unwrap()
}

fn golden(locale: Locale, reader: Reader) -> String {
    let client = client(locale);
    let mut golden = String::new();
    for notice in notices() {
        let is_known = match &notice {
            Notice::BudgetReached { reached } => !reached.is_of_all,
            other => other.key().is_some(),
        };
        if reader == Reader::Client && !is_known {
            continue;
        }
        let mail = mail(&notice, is_known.then_some(&client), reader);
        golden += &format!("==== {}\n{}\n", mail.subject, mail.text);
    }
    golden.replace("\r\n", "\n")
}

#[test]
fn a_client_reads_in_english_what_became_of_its_key() {
    insta::assert_snapshot!(golden(Locale::English, Reader::Client));
}

#[test]
fn a_client_reads_in_french_what_became_of_its_key() {
    insta::assert_snapshot!(golden(Locale::French, Reader::Client));
}

#[test]
fn the_operator_reads_in_english_what_to_do() {
    let reader = Reader::Operator(Locale::English);
    insta::assert_snapshot!(golden(Locale::French, reader));
}

#[test]
fn the_operator_reads_in_french_what_to_do() {
    let reader = Reader::Operator(Locale::French);
    insta::assert_snapshot!(golden(Locale::English, reader));
}

#[test]
fn french_lines_do_not_break_before_punctuation() {
    for reader in [Reader::Client, Reader::Operator(Locale::French)] {
        let told = golden(Locale::French, reader);
        // Subjects are folded.
        for line in told.lines().filter(|line| !line.starts_with("==== ")) {
            assert_eq!(loose_punctuation(line), Vec::<String>::new());
        }
    }
}

#[test]
fn a_notice_is_readable_where_only_html_is_shown() {
    let notice = &notices()[1];
    let client = client(Locale::French);
    let reader = Reader::Operator(Locale::French);
    let html = mail(notice, Some(&client), reader).html;
    insta::assert_snapshot!(html.replace("\r\n", "\n"));
}

#[test]
fn every_notice_about_a_key_tells_the_operator_the_command_that_ends_it() {
    let client = client(Locale::English);
    for locale in [Locale::English, Locale::French] {
        for notice in notices().iter().filter(|notice| notice.key().is_some()) {
            let mail = mail(notice, Some(&client), Reader::Operator(locale));
            for body in [&mail.text, &mail.html] {
                assert!(body.contains("vigint-admin revoke --key-id 3"), "{body}");
            }
        }
    }
}

#[test]
fn a_notice_is_read_back_as_it_was_kept() {
    for notice in notices() {
        let kept = serde_json::to_string(&notice).unwrap();
        assert_eq!(serde_json::from_str::<Notice>(&kept).unwrap(), notice);
        assert!(kept.contains(notice.kind().as_str()), "{kept}");
    }
}
