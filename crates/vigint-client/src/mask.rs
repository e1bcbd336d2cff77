//! Camera passwords in texts for people: what hides them.
//!
//! Everything that comes from a camera's address or from ffmpeg's mouth goes through a [`Mask`] before it
//! is kept or shown. It hides too much rather than too little. It knows nothing of who prints.

use std::borrow::Cow;

const HIDDEN: &str = "***";

/// Shorter secrets are hidden only inside addresses: hiding every "a" would leave no message.
const SHORTEST_SECRET: usize = 3;

/// Words in a parameter's name that say its value is a secret.
const SECRET_NAMES: [&str; 7] = ["pas", "pwd", "psw", "token", "key", "secret", "auth"];

/// Hides the secrets of some addresses, and the user part of every address, in texts.
#[derive(Clone, Default)]
pub struct Mask {
    secrets: Vec<String>,
}

impl Mask {
    /// A mask that also knows the secrets inside `address`, wherever they may turn up in a text.
    #[must_use]
    pub fn of(address: &str) -> Self {
        let mut mask = Self::default();
        mask.learn(address);
        mask
    }

    /// Adds the secrets inside `address`.
    pub fn learn(&mut self, address: &str) {
        if let Some((user, _)) = user_part(address) {
            self.hide(user);
            let passwords = [user.split_once(':'), user.rsplit_once(':')];
            for (_, password) in passwords.into_iter().flatten() {
                self.hide(password);
            }
        }
        for (name, value) in parameters(address) {
            let name = name.to_ascii_lowercase();
            if SECRET_NAMES.iter().any(|word| name.contains(word)) {
                self.hide(value);
            }
        }
        // The longest first: a secret that holds another must go as a whole.
        self.secrets
            .sort_by_key(|secret| std::cmp::Reverse(secret.len()));
    }

    /// Adds one secret text.
    pub fn hide(&mut self, secret: &str) {
        // Who answers may give it back as it was meant, not as it was written.
        for form in [Cow::Borrowed(secret), percent_decoded(secret)] {
            if form.len() >= SHORTEST_SECRET && !self.secrets.iter().any(|known| *known == form) {
                self.secrets.push(form.into_owned());
            }
        }
    }

    /// `text` without secrets.
    #[must_use]
    pub fn apply(&self, text: &str) -> String {
        let mut shown = text.to_owned();
        for secret in &self.secrets {
            shown = shown.replace(secret.as_str(), HIDDEN);
        }
        let words: Vec<String> = shown.split(' ').map(without_user).collect();
        words.join(" ")
    }
}

impl std::fmt::Debug for Mask {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Mask(hidden)")
    }
}

/// `word` with `***` for what stands between `://` and the last `@`.
fn without_user(word: &str) -> String {
    match user_part(word) {
        Some((_, start)) => {
            let after = word.rfind('@').unwrap_or(start);
            let (head, tail) = (word.get(..start), word.get(after..));
            format!("{}{HIDDEN}{}", head.unwrap_or(""), tail.unwrap_or(""))
        }
        None => word.to_owned(),
    }
}

/// What stands between `://` and the last `@`, and where it starts. A password may hold `/` or `@`
/// unescaped, so the address is not parsed: whatever could be a password is taken for one. Without a scheme, or with
/// one that was mistyped, what looks like `user:password@` counts all the same.
fn user_part(address: &str) -> Option<(&str, usize)> {
    let end = address.rfind('@')?;
    let start = match address.find("://") {
        Some(scheme) if scheme + 3 <= end => scheme + 3,
        _ => 0,
    };
    let user = address.get(start..end)?;
    (start > 0 || user.contains(':')).then_some((user, start))
}

/// Each `name=value` of an address: of its query, and of its path, where some recorders have them, apart by `&` or `_`.
fn parameters(address: &str) -> impl Iterator<Item = (&str, &str)> {
    address
        .split(['/', '?', '&', ';'])
        .filter_map(|part| part.split_once('='))
        .flat_map(|(name, rest)| {
            let mut found = vec![(name, rest)];
            // `a=1_password=x_y_b=2`: a value ends where the next name begins.
            let mut rest = rest;
            let mut value_from = 0;
            while let Some(equals) = rest.get(value_from..).and_then(|r| r.find('=')) {
                let equals = value_from + equals;
                let Some(name_from) = rest.get(..equals).and_then(|head| head.rfind('_')) else {
                    value_from = equals + 1;
                    continue;
                };
                if let Some((_, value)) = found.last_mut() {
                    *value = rest.get(..name_from).unwrap_or_default();
                }
                let name = rest.get(name_from + 1..equals).unwrap_or_default();
                rest = rest.get(equals + 1..).unwrap_or_default();
                value_from = 0;
                found.push((name, rest));
            }
            found
        })
}

/// `%40` is `@` (RFC 3986, 2.1).
fn percent_decoded(text: &str) -> Cow<'_, str> {
    percent_encoding::percent_decode_str(text).decode_utf8_lossy()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_user_part_of_every_address_is_hidden() {
        let mask = Mask::default();
        for (text, shown) in [
            ("rtsp://admin:hunter2@cam/1", "rtsp://***@cam/1"),
            (
                "rtsp://admin:p@ss/w@cam/1 failed",
                "rtsp://***@cam/1 failed",
            ),
            (
                "open 'rtsp://tok@cam/1': refused",
                "open 'rtsp://***@cam/1': refused",
            ),
            ("rtsp://cam:554/1", "rtsp://cam:554/1"),
            ("no address, a@b", "no address, a@b"),
        ] {
            assert_eq!(mask.apply(text), shown);
        }
    }

    #[test]
    fn known_secrets_are_hidden_wherever_they_turn_up() {
        let mask = Mask::of("rtsp://admin:hun ter2@cam/live?user=bob&Password=s3cret&channel=1");
        let said = "hun ter2 was refused; s3cret too; channel=1 is fine (admin:hun ter2)";
        let shown = mask.apply(said);
        assert!(
            !shown.contains("ter2") && !shown.contains("s3cret"),
            "{shown}"
        );
        assert!(shown.contains("channel=1 is fine"), "{shown}");
        assert_eq!(format!("{mask:?}"), "Mask(hidden)");
    }

    #[test]
    fn passwords_of_recorders_are_hidden_wherever_their_addresses_have_them() {
        for address in [
            "rtsp://cam:554/user=admin&password=hunter2_pw&channel=1&stream=0.sdp?real_stream",
            "rtsp://cam:554/user=admin_password=hunter2_pw_channel=1_stream=0.sdp?real_stream",
            "rtsp://cam/x;password=hunter2_pw",
            "http://cam/videostream.cgi?loginuse=admin&loginpas=hunter2_pw",
            "admin:hunter2_pw@cam:554/1",
            "rtsp:/admin:hunter2_pw@cam/1",
            "rtsp//admin:hunter2_pw@cam/1",
            "rtsp://admin:hunter2%5Fpw@cam/1",
        ] {
            let mask = Mask::of(address);
            let shown = mask.apply(&format!("{address} said: hunter2_pw"));
            assert!(!shown.contains("hunter2"), "{shown}");
            assert!(shown.contains("cam"), "{shown}");
        }
        let shown = Mask::of("rtsp://cam/user=admin_password=ab_cd_channel=17_stream=0.sdp");
        let shown = shown.apply("channel=17_stream=0.sdp");
        assert_eq!(shown, "channel=17_stream=0.sdp");
    }
}
