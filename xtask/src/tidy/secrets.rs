//! Nothing in the tree looks like a secret, so that one that slips in is seen.

use regex::Regex;
use vigint_core::key::ApiKey;

use super::Problem;
use super::tree::Tree;

/// What secrets look like.
const SHAPES: &[(&str, &str)] = &[
    (VIGINT_KEY, r"vgt_[0-9A-Za-z]{60}"),
    ("a Google API key", r"AIza[0-9A-Za-z_-]{35}"),
    ("an OpenAI key", r"\bsk-[0-9A-Za-z_-]{20,}"),
    ("an AWS key", r"\bAKIA[0-9A-Z]{16}\b"),
    ("a GitHub token", r"\bgh[opusr]_[0-9A-Za-z]{36}"),
    ("a private key", r"-----BEGIN [A-Z ]*PRIVATE KEY-----"),
    (
        PASSWORD,
        r#"\b[a-z][a-z0-9+.-]*://[^\s/:@"'`<>]*:([^\s/@"'`<>]+)@"#,
    ),
];
const VIGINT_KEY: &str = "a Vigint API key";
const PASSWORD: &str = "a password in a URL";

/// Words by which a password in an example or a test says that it is none.
const EXAMPLE_WORDS: &[&str] = &[
    "password", "secret", "geheim", "canary", "c4n", "hunter", "***",
];

/// Passwords, keys and the like of tests that look real and are not, by the file they stand in.
const ALLOWED: &[(&str, &str)] = &[
    ("crates/vigint-client/src/mask.rs", "p"),
    ("crates/vigint-client/src/uplink/mod.rs", "p"),
    ("crates/vigint-db/src/database_url.rs", "pa#ss"),
    ("crates/vigint-config/src/masking.rs", "ge"),
    ("crates/vigint-testkit/src/postgres.rs", "p"),
];

pub(super) fn check(tree: &Tree) -> Vec<Problem> {
    let shapes: Vec<_> = SHAPES
        .iter()
        .filter_map(|(what, shape)| Some((*what, Regex::new(shape).ok()?)))
        .collect();
    let mut problems = Vec::new();
    for file in &tree.files {
        for (number, line) in file.text.lines().enumerate() {
            for (what, shape) in &shapes {
                for found in shape.captures_iter(line) {
                    let text = found
                        .get(1)
                        .or(found.get(0))
                        .map_or("", |found| found.as_str());
                    let harmless = match *what {
                        VIGINT_KEY => !text.parse::<ApiKey>().is_ok_and(|key| key.has_checksum()),
                        PASSWORD => is_example(text),
                        _ => false,
                    };
                    if !harmless && !ALLOWED.contains(&(file.path.as_str(), text)) {
                        let what = format!("this looks like {what}");
                        let cure = "If it is real, revoke it now. If not, make it look less so, or add it to xtask/src/tidy/secrets.rs";
                        problems.push(Problem::new(&file.path, number + 1, what, cure));
                    }
                }
            }
        }
    }
    problems
}

/// Whether this says that it is an example, or is a place to put a password (`{password}`, `${PASSWORD}`).
fn is_example(password: &str) -> bool {
    let lower = password.to_lowercase();
    EXAMPLE_WORDS.iter().any(|word| lower.contains(word)) || password.contains(['{', '$', '…'])
}

#[cfg(test)]
mod tests {
    use vigint_core::random::SystemRandom;

    use super::*;

    fn lines(text: &str) -> Vec<usize> {
        check(&Tree::made_up(&[("a.txt", text)]))
            .iter()
            .map(|problem| problem.line)
            .collect()
    }

    #[test]
    fn every_shape_is_a_valid_expression() {
        for (what, shape) in SHAPES {
            assert!(Regex::new(shape).is_ok(), "{what}");
        }
    }

    #[test]
    fn a_real_key_is_found_and_a_made_up_one_is_not() {
        let key = ApiKey::generate(&SystemRandom);
        assert_eq!(lines(&format!("VIGINT_API_KEY=\n{}", key.reveal())), [2]);
        assert!(lines(&format!("vgt_{}", "0".repeat(60))).is_empty());
    }

    #[test]
    fn others_secrets_are_found() {
        assert_eq!(lines(&format!("AIza{}", "x".repeat(35))), [1]);
        assert_eq!(
            lines(&["-----BEGIN RSA ", "PRIVATE KEY-----"].concat()),
            [1]
        );
        assert_eq!(
            lines(&["a\nrtsp://admin:", "Vr4Zq@10.0.0.7/1"].concat()),
            [2]
        );
        assert!(
            lines("postgresql://vigint:password@db/vigint and http://127.0.0.1:80/a@b").is_empty()
        );
        assert!(lines("postgresql://vigint:${DB_PASSWORD}@db/vigint").is_empty());
    }
}
