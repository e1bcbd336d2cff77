//! Texts that people gave us and that may be shown back to them: what in them could be a secret is hidden.
//!
//! A key lands where a name should stand: as an argument of its own, as the value of the wrong setting, on a line
//! of its own. What says so must not repeat it, for it goes into a log. It hides too much rather than too little,
//! and it is no more than the last net: secrets that are known as such have types that cannot be printed.

use uuid::Uuid;

/// What is shown instead.
pub const HIDDEN: &str = "***";

/// Shorter ones are no secrets, or poor ones.
const SHORTEST: usize = 16;
/// Random text of that length has as many digits; names that people make up rarely have.
const FEWEST_DIGITS: usize = 3;
/// How keys of ours and of others' begin.
const KEY_PREFIXES: [&str; 3] = [crate::key::KEY_PREFIX, "AIza", "sk-"];

/// Whether a word could be a key, a password or a token: it begins as keys do, or it is as long as a secret and
/// looks as random. An id of ours (a UUID) does not count, and nothing with a dot or a colon in it, as paths and
/// addresses have.
#[must_use]
pub fn looks_secret(word: &str) -> bool {
    if word.len() < SHORTEST {
        return false;
    }
    if KEY_PREFIXES.iter().any(|prefix| word.starts_with(prefix)) {
        return true;
    }
    let is_of_secrets = |b: u8| b.is_ascii_graphic() && !b".:,<>".contains(&b);
    let digits = word.bytes().filter(u8::is_ascii_digit).count();
    // Without its dashes a UUID is hexadecimal like any secret.
    let is_id = word.contains('-') && Uuid::try_parse(word).is_ok();
    word.bytes().all(is_of_secrets) && digits >= FEWEST_DIGITS && !is_id
}

/// `text` without those of these words that look like secrets, and without the passwords of those that are
/// addresses, such as `postgresql://user:password@host/name`.
#[must_use]
pub fn without<'w>(text: &str, words: impl IntoIterator<Item = &'w str>) -> String {
    let mut hidden: Vec<&str> = words.into_iter().flat_map(secrets_in).collect();
    // The longest first: a secret that holds another must go as a whole.
    hidden.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
    (hidden.iter()).fold(text.to_owned(), |text, secret| text.replace(secret, HIDDEN))
}

/// What of one word has to be hidden: it as a whole, what stands behind a flag's `=`, or a password in it.
fn secrets_in(word: &str) -> impl Iterator<Item = &str> {
    let flag_value = (word.starts_with('-'))
        .then(|| word.split_once('='))
        .flatten()
        .map(|(_, value)| value);
    let whole = Some(flag_value.unwrap_or(word)).filter(|word| looks_secret(word));
    let password = password_of(word).filter(|password| !password.is_empty());
    whole.into_iter().chain(password)
}

/// What stands between `://`, a colon and the last `@`. A password may hold `/` or `@` unescaped.
fn password_of(address: &str) -> Option<&str> {
    let (_, rest) = address.split_once("://")?;
    let (login, _) = rest.rsplit_once('@')?;
    login.split_once(':').map(|(_, password)| password)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_and_random_words_look_secret_and_names_and_ids_do_not() {
        for secret in [
            "vgt_abcdefghijklmnop",
            "AIzaabcdefghijklmnop",
            "sk-proj-abcdefghijkl",
            "5f1c0a9be27d4438b6e1",
            "5f1c0a9be27d4438b6e1d0c2f3a49587",
            "hunter-2!hunter-22$",
            "8Kv0+/3hTq9zPw==aa",
        ] {
            assert!(looks_secret(secret), "{secret}");
        }
        for harmless in [
            "",
            "vgt_short",
            "short_buffer_duration",
            "max_sources_per_client",
            "0190aaaa-0000-4000-8000-000000000000",
            "/etc/vigint/2026-11-24/config.ini",
            "gemini-3.5-flash-lite",
            "https://vigint.example.com:8443",
            "a sentence of 100 words, or 1000",
        ] {
            assert!(!looks_secret(harmless), "{harmless}");
        }
    }

    #[test]
    fn a_text_is_shown_without_the_secrets_that_were_typed() {
        let said = "unexpected 'vgt_0123456789abcdef' and '--x=5f1c0a9be27d4438b6e1' and \
            'postgresql://u:hun/ter2@db/v' and '--client-id' and '7'";
        let typed = [
            "vgt_0123456789abcdef",
            "--x=5f1c0a9be27d4438b6e1",
            "postgresql://u:hun/ter2@db/v",
            "--client-id",
            "7",
        ];
        assert_eq!(
            without(said, typed),
            "unexpected '***' and '--x=***' and 'postgresql://u:***@db/v' and '--client-id' and '7'"
        );
    }
}
