//! API keys: how they are made, told from typing errors, and hashed.
//!
//! A new key is `vgt_` + 54 base62 characters + 6 base62 characters of the CRC-32 (IEEE) of all that
//! stands before: 64 characters, one double-click selects it. The prefix lets secret scanners find a
//! leaked key: never change it. The checksum lets a program tell a mistyped key without asking the
//! server. Keys of the earlier Vigint have no format; any 16 to 256 visible ASCII characters are looked up.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use crate::random::Random;

/// What every new key starts with. Secret scanners know it: never change it.
pub const KEY_PREFIX: &str = "vgt_";

const BODY_LENGTH: usize = 54;
const CHECKSUM_LENGTH: usize = 6;
const KEY_LENGTH: usize = KEY_PREFIX.len() + BODY_LENGTH + CHECKSUM_LENGTH;
/// How many characters of a key are kept to recognise it by.
const SHOWN_LENGTH: usize = 8;
const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// Bytes at or above this would make some characters likelier than others: 4 × 62.
const UNBIASED_BELOW: u8 = 248;

/// A customer's secret. It cannot be printed by accident; [`ApiKey::reveal`] shows it.
#[derive(Clone)]
pub struct ApiKey(Box<str>);

/// Why a text is no usable key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// It has our format but not its own checksum.
    #[error("the API key is mistyped: its checksum does not match; copy it again, whole")]
    Mistyped,
    /// It cannot be a key at all.
    #[error("an API key has 16 to 256 visible ASCII characters without spaces")]
    NotAKey,
}

impl ApiKey {
    /// A new key of 54 random base62 characters, 321 bits.
    #[must_use]
    pub fn generate(random: &dyn Random) -> Self {
        loop {
            let mut key = String::with_capacity(KEY_LENGTH);
            key.push_str(KEY_PREFIX);
            while key.len() < KEY_PREFIX.len() + BODY_LENGTH {
                let mut bytes = [0; 64];
                random.fill(&mut bytes);
                let room = KEY_PREFIX.len() + BODY_LENGTH - key.len();
                key.extend(bytes.iter().filter_map(|b| base62_digit(*b)).take(room));
            }
            key.push_str(&checksum(&key));
            // A CRC catches every slip inside the body. A swap of the body's last character with the
            // checksum's first is caught but for one key in four milliards: such a key is not given out.
            if !swapped(&key, KEY_PREFIX.len() + BODY_LENGTH - 1)
                .is_some_and(|slip| is_sound(&slip))
            {
                return Self(key.into());
            }
        }
    }

    /// The key itself, to be shown once or sent in a header.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// What is kept of the key: its SHA-256.
    #[must_use]
    pub fn hash(&self) -> KeyHash {
        KeyHash(Sha256::digest(self.0.as_bytes()).into())
    }

    /// The first characters, by which a person recognises the key in a list.
    #[must_use]
    pub fn shown_prefix(&self) -> &str {
        self.0.get(..SHOWN_LENGTH).unwrap_or_default()
    }

    /// Whether this key has the new format (its checksum was verified when it was parsed).
    #[must_use]
    pub fn has_checksum(&self) -> bool {
        is_sound(&self.0)
    }
}

impl FromStr for ApiKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        if !(16..=256).contains(&text.len()) || !text.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(KeyError::NotAKey);
        }
        if is_sound(text) || !resembles_new_format(text) {
            Ok(Self(text.into()))
        } else {
            Err(KeyError::Mistyped)
        }
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiKey(hidden)")
    }
}

/// The SHA-256 of a key: what the database holds, and by what a key is looked up.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct KeyHash([u8; 32]);

impl KeyHash {
    /// 64 lower-case hexadecimal digits, as stored.
    #[must_use]
    pub fn to_hex(self) -> String {
        hex::encode(self.0)
    }
}

impl fmt::Debug for KeyHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyHash(hidden)")
    }
}

/// A secret text of the operator's (a password, a provider's key, the admin key): it cannot be printed.
#[derive(Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// Hides a text.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text itself.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// Whether `attempt` is this secret; takes the same time wherever they differ.
    #[must_use]
    pub fn matches(&self, attempt: &str) -> bool {
        let digest = |text: &str| -> [u8; 32] { Sha256::digest(text.as_bytes()).into() };
        digest(&self.0).ct_eq(&digest(attempt)).into()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(hidden)")
    }
}

impl Serialize for Secret {
    /// Writes `(set)` or nothing, never the secret.
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(if self.0.is_empty() { "" } else { "(set)" })
    }
}

fn base62_digit(random: u8) -> Option<char> {
    (random < UNBIASED_BELOW)
        .then(|| {
            BASE62
                .get(usize::from(random % 62))
                .copied()
                .map(char::from)
        })
        .flatten()
}

/// The CRC-32 of `text` as six base62 digits, the highest first.
fn checksum(text: &str) -> String {
    let mut rest = u64::from(crc32fast::hash(text.as_bytes()));
    let mut digits = [b'0'; CHECKSUM_LENGTH];
    for digit in digits.iter_mut().rev() {
        let value = usize::try_from(rest % 62).unwrap_or_default();
        *digit = BASE62.get(value).copied().unwrap_or(b'0');
        rest /= 62;
    }
    digits.map(char::from).iter().collect()
}

/// Whether `text` is a key of the new format with its right checksum.
fn is_sound(text: &str) -> bool {
    text.len() == KEY_LENGTH
        && text
            .strip_prefix(KEY_PREFIX)
            .is_some_and(|rest| rest.bytes().all(|b| b.is_ascii_alphanumeric()))
        && text
            .split_at_checked(KEY_LENGTH - CHECKSUM_LENGTH)
            .is_some_and(|(body, sum)| sum == checksum(body))
}

/// Whether `text` was meant to be a key of the new format: it has its prefix and about its length, or
/// it becomes a sound key once a slip in the prefix is mended. An old key does so by one chance in 2³².
fn resembles_new_format(text: &str) -> bool {
    let near_length = text.len().abs_diff(KEY_LENGTH) <= 4;
    if near_length && text.starts_with(KEY_PREFIX) {
        return true;
    }
    let mended = text
        .get(KEY_PREFIX.len()..)
        .map(|rest| format!("{KEY_PREFIX}{rest}"));
    let unswapped = swapped(text, KEY_PREFIX.len() - 1);
    mended
        .into_iter()
        .chain(unswapped)
        .any(|key| is_sound(&key))
}

/// `text` with the characters at `at` and `at + 1` swapped.
fn swapped(text: &str, at: usize) -> Option<String> {
    let mut bytes = text.as_bytes().to_vec();
    if at + 1 >= bytes.len() {
        return None;
    }
    bytes.swap(at, at + 1);
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::random::SystemRandom;

    /// Random bytes that proptest can shrink and repeat.
    #[derive(Debug)]
    struct Seeded(std::sync::Mutex<u64>);

    impl Random for Seeded {
        fn fill(&self, bytes: &mut [u8]) {
            let mut state = self.0.lock().unwrap();
            for byte in bytes {
                // SplitMix64, enough to vary the keys.
                *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
                let mut z = *state;
                z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
                z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
                *byte = (z >> 56).to_le_bytes()[0];
            }
        }
    }

    fn key_from(seed: u64) -> ApiKey {
        ApiKey::generate(&Seeded(std::sync::Mutex::new(seed)))
    }

    proptest! {
        #[test]
        fn every_generated_key_parses_and_has_its_format(seed: u64) {
            let key = key_from(seed);
            prop_assert_eq!(key.reveal().len(), 64);
            prop_assert!(key.reveal().starts_with("vgt_"));
            let parsed: ApiKey = key.reveal().parse().unwrap();
            prop_assert!(parsed.has_checksum());
            prop_assert_eq!(parsed.hash(), key.hash());
        }

        #[test]
        fn every_one_character_change_is_caught(seed: u64, by in b'!'..=b'~') {
            let key = key_from(seed);
            for at in 0..64 {
                let mut bytes = key.reveal().as_bytes().to_vec();
                if bytes[at] == by { continue; }
                bytes[at] = by;
                let slip = String::from_utf8(bytes).unwrap();
                prop_assert_eq!(slip.parse::<ApiKey>().err(), Some(KeyError::Mistyped), "{}", slip);
            }
        }

        #[test]
        fn every_swap_of_neighbours_is_caught(seed: u64) {
            let key = key_from(seed);
            for at in 0..63 {
                let slip = swapped(key.reveal(), at).unwrap();
                if slip == key.reveal() { continue; }
                prop_assert_eq!(slip.parse::<ApiKey>().err(), Some(KeyError::Mistyped), "{}", slip);
            }
        }

        #[test]
        fn a_lost_or_doubled_character_is_caught(seed: u64, at in 4_usize..64) {
            let key = key_from(seed);
            let mut lost = key.reveal().to_owned();
            let gone = lost.remove(at);
            prop_assert_eq!(lost.parse::<ApiKey>().err(), Some(KeyError::Mistyped));
            lost.insert(at, gone);
            lost.insert(at, gone);
            prop_assert_eq!(lost.parse::<ApiKey>().err(), Some(KeyError::Mistyped));
        }
    }

    #[test]
    fn keys_of_the_earlier_vigint_are_looked_up() {
        for old in [
            "8xK9mP2nQ5rT7vW1xZ4aC6eG8hJ0kL3mN6oP9qR2sT5uV8wX1yZ4bC7dF0gH3jK6",
            "sixteen-chars-ok",
            "~!@#$%^&*()_+{}|:<>?",
            "vgt_but_short_and_old",
            &"k".repeat(256),
        ] {
            let key: ApiKey = old.parse().unwrap();
            assert!(!key.has_checksum());
            assert_eq!(key.reveal(), old);
        }
        for no_key in [
            "",
            "fifteen-chars-x",
            "with a space in it",
            &"k".repeat(257),
            "clé-secrète-longue",
        ] {
            assert_eq!(
                no_key.parse::<ApiKey>().err(),
                Some(KeyError::NotAKey),
                "{no_key:?}"
            );
        }
    }

    #[test]
    fn hashes_are_the_sha_256_of_the_text_in_lower_case_hex() {
        let key: ApiKey = "sixteen-chars-ok".parse().unwrap();
        // From `printf %s sixteen-chars-ok | sha256sum`.
        assert_eq!(
            key.hash().to_hex(),
            "51ae2facf941e210ddc51d658718c15879f0ad171de9e37c5b7bfcd2d1b49b3e"
        );
    }

    #[test]
    fn secrets_cannot_be_printed() {
        let key = ApiKey::generate(&SystemRandom);
        let shown = format!("{key:?} {:?} {:?}", key.hash(), Secret::new(key.reveal()));
        assert!(!shown.contains(key.reveal()) && !shown.contains(&key.hash().to_hex()));
        assert_eq!(
            serde_json::to_string(&Secret::new("hunter2")).unwrap(),
            "\"(set)\""
        );
        assert!(Secret::new("hunter2").matches("hunter2"));
        assert!(!Secret::new("hunter2").matches("hunter3"));
    }
}
