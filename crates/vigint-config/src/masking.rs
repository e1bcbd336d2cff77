//! Values that may hold a password, made fit to be shown.

use super::definition::{Definition, Shown};

const LONGEST_SHOWN: usize = 200;

/// The value of a key as it may be shown to anybody.
pub(super) fn fit_to_show(definition: &Definition, text: &str) -> String {
    match definition.shown {
        _ if text.is_empty() => "(none)".to_owned(),
        Shown::Secret => "(set)".to_owned(),
        Shown::Masked => printable(&without_passwords(text)),
        Shown::Plain => printable(text),
    }
}

/// Control characters struck out: a value must not draw on the operator's terminal.
fn printable(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { '\u{FFFD}' } else { c })
        .take(LONGEST_SHOWN)
        .collect()
}

/// A URL without its password, even when it is badly written: everything between the user and the last
/// `@`, and all that follows a `password=`.
pub(super) fn without_passwords(url: &str) -> String {
    let scheme_end = url.find("://").map_or(0, |at| at + "://".len());
    let (scheme, rest) = url.split_at_checked(scheme_end).unwrap_or(("", url));
    let mut shown = match rest.rsplit_once('@') {
        Some((login, host)) => match login.split_once(':') {
            Some((user, _)) => format!("{scheme}{user}:***@{host}"),
            None => url.to_owned(),
        },
        None => url.to_owned(),
    };
    let lower = shown.to_ascii_lowercase();
    let is_given = |after: usize| {
        let rest = lower.get(after..).unwrap_or_default();
        rest.trim_start().starts_with('=')
    };
    let password = lower
        .match_indices("password")
        .map(|(at, name)| at + name.len())
        .find(|after| is_given(*after));
    if let Some(end) = password {
        shown.truncate(end);
        shown.push_str("=***");
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_password_in_a_database_url_is_shown_however_it_is_written() {
        for (url, shown) in [
            (
                "postgresql://vigint:geheim@db:5432/v",
                "postgresql://vigint:***@db:5432/v",
            ),
            (
                "postgresql://vigint:ge@/?#heim@db/v",
                "postgresql://vigint:***@db/v",
            ),
            (
                "postgresql//vigint:geheim@db/v",
                "postgresql//vigint:***@db/v",
            ),
            (
                "postgresql://db/v?user=u&password=ge&heim",
                "postgresql://db/v?user=u&password=***",
            ),
            (
                "host=db password = 'ge heim' dbname=v",
                "host=db password=***",
            ),
            (
                "postgresql://db/v?sslPassword=geheim",
                "postgresql://db/v?sslPassword=***",
            ),
            ("postgresql://vigint@db/v", "postgresql://vigint@db/v"),
            ("postgresql://password-db/v", "postgresql://password-db/v"),
            (
                "sqlite:///vigint-data/vigint.db",
                "sqlite:///vigint-data/vigint.db",
            ),
        ] {
            assert_eq!(without_passwords(url), shown);
        }
    }

    #[test]
    fn control_characters_are_struck_out() {
        assert_eq!(printable("a\u{1b}[31mb\n"), "a\u{FFFD}[31mb\u{FFFD}");
    }
}
