//! Signed, expiring links to clips.
//!
//! A link is `/video/{clip_id}?expires=UNIX&token=HEX`. The token is an HMAC-SHA-256 (RFC 2104) with a key
//! made for this purpose alone from the server's secret (HKDF-SHA-256, RFC 5869) over the purpose, the
//! clip's id and the expiry, each framed by its length, so that no two messages share a signature.

use std::fmt;

use hkdf::Hkdf;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use crate::clock::UtcTime;
use crate::ids::ClipId;

/// Says what is signed and in which form: a later form gets a new name, so that old links cannot be taken for it.
const PURPOSE: &[u8] = b"vigint/clip/v1";

/// The shortest secret that links are signed with, in bytes.
pub const MIN_SECRET_LENGTH: usize = 32;

/// A secret too short to sign with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the signing secret needs at least {MIN_SECRET_LENGTH} bytes")]
pub struct SecretTooShort;

/// Why a link is not honoured. The caller answers all of them alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LinkError {
    /// The token is not ours.
    #[error("the link's token is wrong")]
    WrongToken,
    /// It was ours, but its time is over.
    #[error("the link has expired")]
    Expired,
}

/// Makes and checks links.
#[derive(Clone)]
pub struct LinkSigner {
    current: Hmac<Sha256>,
    previous: Option<Hmac<Sha256>>,
}

impl fmt::Debug for LinkSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LinkSigner(hidden)")
    }
}

impl LinkSigner {
    /// Signs with `secret`; links signed with `previous` are still honoured.
    ///
    /// # Errors
    /// When a secret has fewer than [`MIN_SECRET_LENGTH`] bytes.
    pub fn new(secret: &[u8], previous: Option<&[u8]>) -> Result<Self, SecretTooShort> {
        Ok(Self {
            current: keyed(secret)?,
            previous: previous.map(keyed).transpose()?,
        })
    }

    /// The token of a link to `clip` that is good until `expires` (whole seconds count).
    #[must_use]
    pub fn token(&self, clip: ClipId, expires: UtcTime) -> String {
        let mac = mac(&self.current, clip, expires.unix_seconds());
        hex::encode(mac.finalize().into_bytes())
    }

    /// Path and query of a link to `clip` that is good until `expires`.
    #[must_use]
    pub fn path(&self, clip: ClipId, expires: UtcTime) -> String {
        let token = self.token(clip, expires);
        format!(
            "/video/{clip}?expires={}&token={token}",
            expires.unix_seconds()
        )
    }

    /// Checks a token, then the time; compares in constant time.
    ///
    /// # Errors
    /// When the token is not the one for this clip and expiry, or the expiry has passed.
    pub fn verify(
        &self,
        clip: ClipId,
        expires: i64,
        token: &str,
        now: UtcTime,
    ) -> Result<(), LinkError> {
        // Exactly 64 lower-case digits: one link has one spelling.
        let is_lower_hex = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
        let mut given = [0; 32];
        if !token.bytes().all(is_lower_hex) || hex::decode_to_slice(token, &mut given).is_err() {
            return Err(LinkError::WrongToken);
        }
        let is_signed_by =
            |key: &Hmac<Sha256>| mac(key, clip, expires).verify_slice(&given).is_ok();
        if !is_signed_by(&self.current) && !self.previous.as_ref().is_some_and(is_signed_by) {
            return Err(LinkError::WrongToken);
        }
        if now.unix_seconds() >= expires {
            return Err(LinkError::Expired);
        }
        Ok(())
    }
}

/// The HMAC, keyed with what HKDF makes of `secret` for this purpose.
fn keyed(secret: &[u8]) -> Result<Hmac<Sha256>, SecretTooShort> {
    if secret.len() < MIN_SECRET_LENGTH {
        return Err(SecretTooShort);
    }
    let mut key = [0; 32];
    Hkdf::<Sha256>::new(None, secret)
        .expand(PURPOSE, &mut key)
        .map_err(|_| SecretTooShort)?;
    Hmac::<Sha256>::new_from_slice(&key).map_err(|_| SecretTooShort)
}

fn mac(keyed: &Hmac<Sha256>, clip: ClipId, expires: i64) -> Hmac<Sha256> {
    let mut mac = keyed.clone();
    for field in [
        PURPOSE,
        clip.to_string().as_bytes(),
        expires.to_string().as_bytes(),
    ] {
        let length = u32::try_from(field.len()).unwrap_or(u32::MAX);
        mac.update(&length.to_be_bytes());
        mac.update(field);
    }
    mac
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;

    const SECRET: &[u8] = b"0123456789abcdef0123456789abcdef";
    const NOW: UtcTime = UtcTime::UNIX_EPOCH;

    fn signer() -> LinkSigner {
        LinkSigner::new(SECRET, None).unwrap()
    }

    fn flip(text: &str, bit: usize) -> Option<String> {
        let mut bytes = text.as_bytes().to_vec();
        bytes[bit / 8] ^= 1 << (bit % 8);
        String::from_utf8(bytes).ok()
    }

    proptest! {
        #[test]
        fn a_link_with_any_bit_changed_fails(id: u128, expires in 1_i64..=4_102_444_800) {
            let clip = ClipId(Uuid::from_u128(id));
            let token = signer().token(clip, UtcTime::from_unix_seconds(expires));
            prop_assert_eq!(signer().verify(clip, expires, &token, NOW), Ok(()));
            for bit in 0..token.len() * 8 {
                let Some(changed) = flip(&token, bit) else { continue };
                prop_assert_eq!(
                    signer().verify(clip, expires, &changed, NOW),
                    Err(LinkError::WrongToken)
                );
            }
            for bit in 0..128 {
                let other = ClipId(Uuid::from_u128(id ^ (1 << bit)));
                prop_assert_eq!(signer().verify(other, expires, &token, NOW), Err(LinkError::WrongToken));
            }
            for bit in 0..64 {
                let other = expires ^ (1 << bit);
                prop_assert_eq!(signer().verify(clip, other, &token, NOW), Err(LinkError::WrongToken));
            }
        }
    }

    #[test]
    fn a_link_is_honoured_until_its_second_and_not_after() {
        let clip = ClipId(Uuid::from_u128(7));
        let expires = UtcTime::from_unix_seconds(100);
        let token = signer().token(clip, expires);
        let at = |millis| signer().verify(clip, 100, &token, UtcTime::from_unix_millis(millis));
        assert_eq!(at(99_999), Ok(()));
        assert_eq!(at(100_000), Err(LinkError::Expired));
    }

    #[test]
    fn links_of_the_previous_secret_are_honoured_but_not_made() {
        let clip = ClipId(Uuid::from_u128(7));
        let expires = UtcTime::from_unix_seconds(100);
        let old = signer().token(clip, expires);
        let new_secret = b"another secret of thirty-two byt";
        let rotated = LinkSigner::new(new_secret, Some(SECRET)).unwrap();
        assert_eq!(rotated.verify(clip, 100, &old, NOW), Ok(()));
        assert_ne!(rotated.token(clip, expires), old);
        let forgotten = LinkSigner::new(new_secret, None).unwrap();
        assert_eq!(
            forgotten.verify(clip, 100, &old, NOW),
            Err(LinkError::WrongToken)
        );
        assert_eq!(LinkSigner::new(b"short", None).unwrap_err(), SecretTooShort);
    }
}
