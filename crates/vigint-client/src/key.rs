//! What a customer gave as the API key: told apart, without asking the server, from what can never be one.
//!
//! No error holds any of the text: it may be most of a key.

use vigint_core::key::{ApiKey, KeyError};

/// What stands in `.env.client_template` where the key goes, and in the README.
const PLACEHOLDER: &str = "your-api-key-here";
/// The same without what people change about it.
const PLACEHOLDER_WORDS: &str = "yourapikey";

/// Why a text is no API key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidKey {
    /// The template was copied as it is.
    #[error(
        "the API key is still the placeholder {PLACEHOLDER}: in .env, set VIGINT_API_KEY to the key that \
         whoever runs the server gave you"
    )]
    Placeholder,
    /// Quotes that came along when it was copied.
    #[error("there are quotes in the API key: give it without them")]
    Quotes,
    /// It came in pieces.
    #[error("there is a blank or a line break in the API key: copy it again, in one piece")]
    Blank,
    /// Mistyped, too short, or of other characters than a key has.
    #[error(transparent)]
    Key(#[from] KeyError),
}

/// The key that was meant. A key of the earlier Vigint has no format: only the server knows those.
///
/// # Errors
/// [`InvalidKey`], which says what to mend.
pub fn parse_key(text: &str) -> Result<ApiKey, InvalidKey> {
    let text = text.trim();
    let words = text
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|c| c.to_ascii_lowercase());
    if words.collect::<String>().contains(PLACEHOLDER_WORDS) {
        Err(InvalidKey::Placeholder)
    } else if text.contains(['"', '\'', '`', '“', '”', '„', '‘', '’', '«', '»']) {
        Err(InvalidKey::Quotes)
    } else if text.contains(char::is_whitespace) {
        Err(InvalidKey::Blank)
    } else {
        Ok(text.parse()?)
    }
}

#[cfg(test)]
mod tests {
    use vigint_core::random::SystemRandom;

    use super::*;

    fn refused(text: &str) -> InvalidKey {
        parse_key(text).unwrap_err()
    }

    #[test]
    fn the_placeholder_of_the_template_is_no_key() {
        let template = include_str!("../../../.env.client_template");
        let mut values = template
            .lines()
            .filter_map(|line| line.strip_prefix("VIGINT_API_KEY="));
        assert_eq!(values.next(), Some(PLACEHOLDER));
        assert_eq!(refused(PLACEHOLDER), InvalidKey::Placeholder);
        assert_eq!(refused("<YOUR_API_KEY> here"), InvalidKey::Placeholder);
    }

    #[test]
    fn what_came_along_with_a_key_is_told_from_a_typing_error() {
        let key = ApiKey::generate(&SystemRandom);
        let key = key.reveal();
        assert_eq!(parse_key(&format!(" {key}\n")).unwrap().reveal(), key);
        assert_eq!(refused(&format!("\"{key}\"")), InvalidKey::Quotes);
        assert_eq!(refused(&format!("{key}'")), InvalidKey::Quotes);
        assert_eq!(refused(&format!("“{key}”")), InvalidKey::Quotes);
        let (front, back) = key.split_at(30);
        assert_eq!(refused(&format!("{front} {back}")), InvalidKey::Blank);
        assert_eq!(refused(&format!("{front}\n{back}")), InvalidKey::Blank);
        let last = if key.ends_with('a') { "b" } else { "a" };
        let mistyped = format!("{}{last}", &key[..63]);
        assert_eq!(refused(&mistyped), InvalidKey::Key(KeyError::Mistyped));
        assert_eq!(refused("short"), InvalidKey::Key(KeyError::NotAKey));
        assert!(parse_key("a-key-of-16-chars").is_ok());
    }
}
