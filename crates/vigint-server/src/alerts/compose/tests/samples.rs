//! Mails to look at.

use std::path::PathBuf;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use super::fixtures::*;
use crate::alerts::compose::{ClipNews, IncidentNews, WhyNoClip};
use crate::alerts::message::Composed;

/// Each kind of mail is a page of its own, its picture put inside. In the folder `VIGINT_MAIL_SAMPLES`, when that is set
/// and there, the pages stay to be looked at: `VIGINT_MAIL_SAMPLES=/tmp/mails cargo test -p vigint-server --lib samples`.
#[test]
fn every_kind_of_mail_is_a_page_that_a_browser_shows_by_itself() {
    let named = std::env::vars_os().find(|(name, _)| name == "VIGINT_MAIL_SAMPLES");
    let passing = tempfile::tempdir().unwrap();
    let folder = named.map_or_else(
        || passing.path().to_owned(),
        |(_, path)| PathBuf::from(path),
    );
    let jpeg = still();
    let picture = format!("data:image/jpeg;base64,{}", BASE64_STANDARD.encode(&jpeg));
    let write = |name: &str, composed: &Composed| {
        let html = read(composed).html;
        let html = html.replace(&format!("cid:still.{MESSAGE_ID}@vigint.example"), &picture);
        assert!(html.to_lowercase().starts_with("<!doctype html>"), "{name}");
        assert!(html.trim_end().ends_with("</html>"), "{name}");
        assert!(
            !html.contains("cid:"),
            "{name} has a picture that is not in it"
        );
        let has_picture = html.contains("data:image/jpeg");
        assert_eq!(
            has_picture,
            composed
                .message
                .formatted()
                .windows(10)
                .any(|w| w == b"image/jpeg"),
            "{name}"
        );
        std::fs::write(folder.join(format!("{name}.html")), html).unwrap();
    };
    for (language, locale) in LANGUAGES {
        let tell = |incident, news, clip| told(locale, incident, news, clip, Some(jpeg.clone()));
        let plain = incident(locale);
        let no_clip = ClipNews::Missing(WhyNoClip::TooMany);
        let mut again = incident(locale);
        again.occurrences = 3;
        for (kind, composed) in [
            ("confirmed", tell(&plain, IncidentNews::First, ready())),
            (
                "unconfirmed",
                tell(&unconfirmed(locale), IncidentNews::First, no_clip),
            ),
            (
                "by-hand",
                tell(&by_hand(locale), IncidentNews::First, ClipNews::Late),
            ),
            (
                "risk-raised",
                tell(&again, IncidentNews::RiskRaised, ready()),
            ),
            ("digest", digested(locale, &digest(locale, 5, 3))),
            ("camera-silent", of_camera(locale, &silent(locale))),
            ("camera-back", of_camera(locale, &back(locale))),
        ] {
            write(&format!("{kind}-{language}"), &composed);
        }
    }
}
