//! Mails to look at.

use std::path::PathBuf;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use super::fixtures::*;
use crate::alerts::compose::{ClipNews, IncidentNews, WhyNoClip};
use crate::alerts::message::Composed;

/// Writes the HTML of some mails into the folder `VIGINT_MAIL_SAMPLES`, which is there already, for a browser:
/// `VIGINT_MAIL_SAMPLES=/tmp/mails cargo test -p vigint-server --lib samples -- --ignored`.
#[test]
#[ignore = "writes files to look at, and tests nothing"]
fn mails_are_written_to_be_looked_at() {
    let folder = std::env::vars_os().find(|(name, _)| name == "VIGINT_MAIL_SAMPLES");
    let folder = PathBuf::from(folder.expect("VIGINT_MAIL_SAMPLES names a folder").1);
    let jpeg = still();
    let picture = format!("data:image/jpeg;base64,{}", BASE64_STANDARD.encode(&jpeg));
    let write = |name: &str, composed: &Composed| {
        let html = read(composed).html;
        let html = html.replace(&format!("cid:still.{MESSAGE_ID}@vigint.example"), &picture);
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
