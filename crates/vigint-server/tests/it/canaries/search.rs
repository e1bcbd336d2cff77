//! What a secret may be dressed as, and where it turned up.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use sha2::{Digest as _, Sha256};

/// How much of a secret is a leak even alone: a key's prefix is shown on purpose, its end never.
const TAIL: usize = 16;

/// A secret, in all the ways it is looked for.
struct Canary {
    name: String,
    forms: Vec<Vec<u8>>,
}

/// All secrets of a story.
#[derive(Default)]
pub(super) struct Canaries(Vec<Canary>);

impl Canaries {
    pub(super) fn add(&mut self, name: &str, secret: &str) {
        assert!(secret.len() >= TAIL, "{name} is too short to be looked for");
        self.0.push(Canary {
            name: name.to_owned(),
            forms: forms(secret),
        });
    }

    /// A client's key: its hash is the name of its row, and nobody's to read.
    pub(super) fn add_key(&mut self, name: &str, key: &str) {
        self.add(name, key);
        let hash = Sha256::digest(key.as_bytes());
        self.0.push(Canary {
            name: format!("{name} (hash)"),
            forms: vec![
                hex::encode(hash).into_bytes(),
                hex::encode_upper(hash).into_bytes(),
                STANDARD.encode(hash).into_bytes(),
                hash.to_vec(),
            ],
        });
    }

    /// The names of those in a text, each with what stands around it.
    pub(super) fn found_in(&self, text: &[u8]) -> Vec<(&str, String)> {
        let found = |canary: &Canary| {
            let mut places = canary.forms.iter().filter_map(|form| find(text, form));
            places.next()
        };
        self.0
            .iter()
            .filter_map(|canary| Some((canary.name.as_str(), around(text, found(canary)?))))
            .collect()
    }
}

fn find(text: &[u8], form: &[u8]) -> Option<usize> {
    memchr::memmem::find(text, form)
}

fn around(text: &[u8], at: usize) -> String {
    let from = at.saturating_sub(160);
    let to = text.len().min(at + 40);
    String::from_utf8_lossy(&text[from..to]).into_owned()
}

fn forms(secret: &str) -> Vec<Vec<u8>> {
    let bytes = secret.as_bytes();
    let percent: String = bytes.iter().map(|byte| format!("%{byte:02X}")).collect();
    let escaped: String = url::form_urlencoded::byte_serialize(bytes).collect();
    let debug = format!("{secret:?}");
    let mut forms = vec![
        bytes.to_vec(),
        bytes[bytes.len() - TAIL..].to_vec(),
        percent.to_lowercase().into_bytes(),
        percent.into_bytes(),
        escaped.into_bytes(),
        debug.trim_matches('"').as_bytes().to_vec(),
        // As `Debug` shows bytes.
        format!("{bytes:?}")
            .trim_matches(['[', ']'])
            .as_bytes()
            .to_vec(),
        hex::encode(bytes).into_bytes(),
        hex::encode_upper(bytes).into_bytes(),
    ];
    // Behind "Bearer " or "user:" a secret begins anywhere among three bytes.
    for shift in 0..3 {
        let shifted = [&vec![0; shift][..], bytes].concat();
        for engine in [STANDARD, URL_SAFE] {
            let coded = engine.encode(&shifted);
            let core = coded.get([0, 2, 3][shift]..coded.len() - 4).unwrap();
            forms.push(core.as_bytes().to_vec());
        }
    }
    forms
}

#[test]
fn a_secret_is_found_in_every_dress() {
    let secret = "canary/8f3a+5c7e=1b2d 4f6a";
    let mut canaries = Canaries::default();
    canaries.add_key("key", secret);
    let hash = hex::encode(Sha256::digest(secret.as_bytes()));
    for text in [
        format!("Authorization: Bearer {secret}"),
        format!("…{}", &secret[10..]),
        STANDARD.encode(format!("Bearer {secret}")),
        STANDARD.encode(format!("user:{secret}")),
        URL_SAFE.encode(format!("{secret} and more")),
        format!(
            "/x?key={}",
            secret
                .replace('/', "%2F")
                .replace('+', "%2B")
                .replace('=', "%3D")
                .replace(' ', "+")
        ),
        hex::encode(secret),
        format!("{:?}", secret.as_bytes()),
        format!("hash={hash}"),
    ] {
        assert_eq!(canaries.found_in(text.as_bytes()).len(), 1, "{text}");
    }
    assert!(canaries.found_in(b"Bearer canary/8f3a").is_empty());
}
