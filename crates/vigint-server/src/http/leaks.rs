//! Keys that stand in a URL: by which parameters they are known. They are in every log on their way, and never
//! accepted.

use std::borrow::Cow;

/// Query parameters that people put keys into.
const KEY_PARAMETERS: [&str; 4] = ["api_key", "apikey", "key", "access_token"];

/// Query parameters that people put the admin key into.
const ADMIN_KEY_PARAMETERS: [&str; 4] = ["admin_key", "adminkey", "x_admin_key", "x-admin-key"];

/// The first parameter of a query that is meant as a key.
pub(super) fn key_in_query(query: &str) -> Option<Cow<'_, str>> {
    url::form_urlencoded::parse(query.as_bytes())
        .find(|(name, _)| {
            KEY_PARAMETERS
                .iter()
                .any(|key| name.eq_ignore_ascii_case(key))
        })
        .map(|(_, value)| value)
}

/// Whether a parameter of a query is meant as the admin key, or as any other.
pub(super) fn admin_key_in_query(query: &str) -> bool {
    let is_meant_as_key = |name: &str| {
        let mut names = KEY_PARAMETERS.iter().chain(&ADMIN_KEY_PARAMETERS);
        names.any(|key| name.eq_ignore_ascii_case(key))
    };
    url::form_urlencoded::parse(query.as_bytes()).any(|(name, _)| is_meant_as_key(&name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_in_the_query_are_noticed_however_they_are_written() {
        for query in ["api_key=x", "a=1&KEY=x", "access%5Ftoken=x", "apikey=x"] {
            assert_eq!(key_in_query(query).as_deref(), Some("x"), "{query}");
        }
        assert_eq!(key_in_query("apikey").as_deref(), Some(""));
        assert_eq!(key_in_query("source_id=key&keys=1"), None);
    }
}
