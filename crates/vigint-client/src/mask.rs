//! Camera passwords in texts for people: what hides them.
//!
//! Everything that comes from a camera's address or from ffmpeg's mouth goes through a [`Mask`] before it
//! is kept or shown. It hides too much rather than too little. It knows nothing of who prints.

const HIDDEN: &str = "***";

/// Shorter secrets are hidden only inside addresses: hiding every "a" would leave no message.
const SHORTEST_SECRET: usize = 3;

/// Words in the name of a query parameter that say its value is a secret.
const SECRET_NAMES: [&str; 7] = ["pass", "pwd", "psw", "token", "key", "secret", "auth"];

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
            if let Some((_, password)) = user.split_once(':') {
                self.hide(password);
            }
        }
        let query = address.split_once('?').map_or("", |(_, query)| query);
        for (name, value) in query.split('&').filter_map(|pair| pair.split_once('=')) {
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
        if secret.len() >= SHORTEST_SECRET {
            self.secrets.push(secret.to_owned());
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
/// unescaped, so the address is not parsed: whatever could be a password is taken for one.
fn user_part(address: &str) -> Option<(&str, usize)> {
    let start = address.find("://")? + 3;
    let end = address.rfind('@').filter(|at| *at >= start)?;
    Some((address.get(start..end)?, start))
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
}
