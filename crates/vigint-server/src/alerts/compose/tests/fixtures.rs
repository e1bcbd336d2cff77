//! A shop, its incidents, and mails as a program that reads mails takes them apart.

use std::sync::LazyLock;
use std::time::Duration;

use vigint_core::clock::UtcTime;
use vigint_core::ids::{ClientId, IncidentId, KeyId};
use vigint_core::incident::{IncidentStatus, Triage};
use vigint_core::locale::Locale;
use vigint_core::verdict::{Confirmation, RiskLevel};
use vigint_db::clients::{ClientRow, ClientStatus};
use vigint_db::incidents::IncidentRow;
use vigint_testkit::mailbox::Mail;
use vigint_testkit::scene::Scene;

use crate::alerts::compose::{ClipNews, Digest, DigestMail, HeldLine, IncidentMail, IncidentNews};
use crate::alerts::message::{Composed, MailHead, Sender};
use crate::alerts::notice::{CameraMail, CameraNews};
use crate::clips::ClipHost;

pub(in crate::alerts) const LINK: &str = "https://vigint.example/video/0190bbbb-0000-4000-8000-000000000000?expires=1795448403&token=00ff";

pub(in crate::alerts) const MESSAGE_ID: &str = "0190cccc-0000-4000-8000-000000000000";

static SENDER: LazyLock<Sender> =
    LazyLock::new(|| Sender::new("alerts@vigint.example".parse().unwrap()));

pub(in crate::alerts) const LANGUAGES: [(&str, Locale); 2] =
    [("fr", Locale::French), ("en", Locale::English)];

pub(in crate::alerts) fn at(text: &str) -> UtcTime {
    text.parse().unwrap()
}

pub(in crate::alerts) fn client(locale: Locale) -> ClientRow {
    ClientRow {
        id: ClientId(7),
        name: match locale {
            Locale::French => "Épicerie Durand".to_owned(),
            Locale::English => "Durand's Grocery".to_owned(),
        },
        email: "durand@shop.example".to_owned(),
        locale,
        time_zone: "Europe/Paris".to_owned(),
        status: ClientStatus::Active,
        created_at: UtcTime::UNIX_EPOCH,
        updated_at: UtcTime::UNIX_EPOCH,
        monthly_budget: None,
    }
}

/// What two models wrote, in their client's language.
pub(in crate::alerts) fn incident(locale: Locale) -> IncidentRow {
    let [camera, kind, description, first, second] = match locale {
        Locale::French => [
            "Caisse 2",
            "vol à l'étalage",
            "Une personne en casquette prend une boîte sur l'étagère, la glisse sous sa veste et se dirige vers la porte.",
            "La personne prend une boîte rouge sur l'étagère du milieu, puis tourne le dos à la caméra.\nSur les images \
             suivantes la boîte n'est plus dans sa main, ni sur l'étagère.",
            "La boîte passe de la main droite sous la veste entre 23:40:04 et 23:40:05. Elle n'est pas reposée, et la \
             personne ne s'approche pas de la caisse.\nRien n'indique un achat.",
        ],
        Locale::English => [
            "Till 2",
            "shoplifting",
            "A person in a cap takes a can from the shelf, slips it under the jacket and walks towards the door.",
            "The person takes a red can from the middle shelf, then turns away from the camera.\nIn the frames that \
             follow the can is neither in the hand nor on the shelf.",
            "The can goes from the right hand under the jacket between 23:40:04 and 23:40:05. It is not put back, and \
             the person does not go near the till.\nNothing suggests a purchase.",
        ],
    };
    IncidentRow {
        id: IncidentId("0190aaaa-0000-4000-8000-000000000000".parse().unwrap()),
        client_id: ClientId(7),
        api_key_id: KeyId(3),
        source_id: "till-2".parse().unwrap(),
        source_name: Some(camera.to_owned()),
        status: IncidentStatus::Open,
        triage: Triage::New,
        incident_type: kind.to_owned(),
        risk_level: RiskLevel::High,
        description: description.to_owned(),
        analysis: first.to_owned(),
        detailed_analysis: Some(second.to_owned()),
        confirmation: Confirmation::Confirmed,
        is_manual: false,
        occurrences: 1,
        frame_count: 250,
        first_seen_at: at("2026-11-22T22:40:03.250Z"),
        last_seen_at: at("2026-11-22T22:40:06Z"),
        detected_at: at("2026-11-22T22:40:06Z"),
        note: None,
        created_at: at("2026-11-22T22:40:07Z"),
        updated_at: at("2026-11-22T22:40:07Z"),
    }
}

pub(in crate::alerts) fn unconfirmed(locale: Locale) -> IncidentRow {
    IncidentRow {
        confirmation: Confirmation::Unavailable,
        detailed_analysis: None,
        ..incident(locale)
    }
}

pub(in crate::alerts) fn by_hand(locale: Locale) -> IncidentRow {
    let words = match locale {
        Locale::French => ["Quelqu'un à la caisse", "qui ne devrait pas y être."],
        Locale::English => ["Someone at the till", "who should not be there."],
    };
    IncidentRow {
        description: words[0].to_owned(),
        analysis: words.join("\n"),
        detailed_analysis: None,
        confirmation: Confirmation::NotNeeded,
        is_manual: true,
        ..incident(locale)
    }
}

pub(in crate::alerts) fn ready() -> ClipNews {
    ClipNews::Ready {
        url: LINK.to_owned(),
        expires_at: at("2026-11-23T22:40:03Z"),
        bytes: Some(1_440_000),
        duration_ms: Some(12_400),
        host: ClipHost::Ours,
    }
}

/// A picture of the drawn scene, with its visitor.
pub(in crate::alerts) fn still() -> Vec<u8> {
    let scene = Scene {
        frames_per_second: 1,
        ..Scene::default()
    };
    let middle = (Scene::visit().start + Scene::visit().end) / 2;
    let mut frames = scene.frames();
    let frame = frames.find(|frame| frame.at >= middle - Duration::from_millis(500));
    frame.unwrap().jpeg
}

pub(in crate::alerts) fn in_thread<'a>(
    in_reply_to: Option<&'a str>,
    subject: Option<&'a str>,
) -> MailHead<'a> {
    MailHead {
        sender: &SENDER,
        recipient: "durand@shop.example",
        message_id: MESSAGE_ID,
        in_reply_to,
        subject,
        now: at("2026-11-22T22:40:20Z"),
    }
}

pub(in crate::alerts) fn told(
    locale: Locale,
    incident: &IncidentRow,
    news: IncidentNews,
    clip: ClipNews,
    still: Option<Vec<u8>>,
) -> Composed {
    let mail = IncidentMail {
        head: in_thread(None, None),
        client: &client(locale),
        incident,
        news,
        clip,
        still,
    };
    mail.compose().unwrap()
}

/// The first mail about an incident.
pub(in crate::alerts) fn first(locale: Locale, incident: &IncidentRow, clip: ClipNews) -> Composed {
    told(locale, incident, IncidentNews::First, clip, None)
}

pub(in crate::alerts) fn digest(locale: Locale, held: u64, more: u64) -> Digest {
    let line = |number: u64| HeldLine {
        at: at("2026-11-22T22:40:03Z").plus_millis(i64::try_from(number).unwrap() * 61_000),
        camera: if number.is_multiple_of(3) {
            "Parking".to_owned()
        } else {
            incident(locale).source_name.unwrap()
        },
        incident_type: if number == 1 {
            String::new()
        } else {
            incident(locale).incident_type
        },
        risk_level: RiskLevel::ALL[usize::try_from(number % 3).unwrap()],
        confirmation: Confirmation::ALL[usize::try_from(number % 4).unwrap()],
        occurrences: if number == 2 { 5 } else { 1 },
        incident_id: IncidentId(
            format!("0190aaaa-0000-4000-8000-{number:012}")
                .parse()
                .unwrap(),
        ),
        clip_url: number.is_multiple_of(2).then(|| LINK.to_owned()),
    };
    Digest {
        since: at("2026-11-22T22:38:10Z"),
        until: at("2026-11-22T23:38:10Z"),
        held: (0..held).map(line).collect(),
        more,
        max_per_hour: 20,
    }
}

pub(in crate::alerts) fn digested(locale: Locale, digest: &Digest) -> Composed {
    let mail = DigestMail {
        head: in_thread(None, None),
        client: &client(locale),
        digest,
    };
    mail.compose().unwrap()
}

pub(in crate::alerts) fn silent(locale: Locale) -> CameraNews {
    CameraNews::Silent {
        cameras: vec![incident(locale).source_name.unwrap()],
        since: at("2026-11-22T22:12:40Z"),
    }
}

pub(in crate::alerts) fn back(locale: Locale) -> CameraNews {
    CameraNews::Back {
        cameras: vec![incident(locale).source_name.unwrap()],
        silent_since: at("2026-11-22T22:12:40Z"),
        back_at: at("2026-11-23T00:27:05Z"),
    }
}

/// Three of them.
pub(in crate::alerts) fn several_silent(locale: Locale) -> CameraNews {
    CameraNews::Silent {
        cameras: cameras(locale, 3),
        since: at("2026-11-22T22:12:40Z"),
    }
}

pub(in crate::alerts) fn several_back(locale: Locale) -> CameraNews {
    CameraNews::Back {
        cameras: cameras(locale, 2),
        silent_since: at("2026-11-22T22:12:40Z"),
        back_at: at("2026-11-23T00:27:05Z"),
    }
}

pub(in crate::alerts) fn cameras(locale: Locale, count: usize) -> Vec<String> {
    let word = match locale {
        Locale::French => "Caisse",
        Locale::English => "Till",
    };
    (1..=count)
        .map(|number| format!("{word} {number}"))
        .collect()
}

pub(in crate::alerts) fn of_camera(locale: Locale, news: &CameraNews) -> Composed {
    let mail = CameraMail {
        head: in_thread(None, None),
        client: &client(locale),
        news,
    };
    mail.compose().unwrap()
}

/// The mail as a program that reads mails takes it apart, with plain line ends.
pub(in crate::alerts) fn read(composed: &Composed) -> Mail {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("1.eml");
    std::fs::write(&path, composed.message.formatted()).unwrap();
    let mut mail = Mail::read(&path).unwrap();
    mail.text = mail.text.replace('\r', "");
    mail.html = mail.html.replace('\r', "");
    mail
}

/// The lines of the head, unfolded, without the boundary, which is drawn by lot.
pub(in crate::alerts) fn head(composed: &Composed) -> String {
    let formatted = String::from_utf8(composed.message.formatted()).unwrap();
    let (head, _) = formatted.split_once("\r\n\r\n").unwrap();
    let head = head.replace("\r\n ", " ");
    let lines = head.lines();
    let lines: Vec<_> = lines
        .map(|line| line.split_once(" boundary=").map_or(line, |(kept, _)| kept))
        .collect();
    lines.join("\n")
}

pub(in crate::alerts) fn golden_text(composed: &Composed) -> String {
    let mail = read(composed);
    // Spaces that keep words together look like others in a golden file.
    let text = mail.text.replace('\u{A0}', "~");
    format!("Subject: {}\n\n{text}", mail.subject)
}

pub(in crate::alerts) fn golden_html(composed: &Composed) -> String {
    read(composed).html.replace('\u{A0}', "~")
}
