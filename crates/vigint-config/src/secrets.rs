//! Secrets: what is too short or too well known to be one. No message here repeats the text.

use vigint_core::key::Secret;

const SIGNING_BYTES: usize = 32;
const ADMIN_CHARACTERS: usize = 24;
/// A secret of fewer different characters is a row of them, not a secret.
const FEWEST_DIFFERENT: usize = 5;

/// What samples are made of, in lower case and without anything but letters and digits.
const SAMPLES: [&str; 14] = [
    "changeme",
    "changethis",
    "serversecret",
    "yoursecret",
    "yoursuper",
    "supersecretkey",
    "secretkeyhere",
    "secretkeychange",
    "replaceme",
    "replacewith",
    "placeholder",
    "youradmin",
    "yourapikey",
    "example",
];

/// Any secret text.
pub(super) fn secret(text: &str) -> Result<Secret, String> {
    Ok(Secret::new(text))
}

/// A secret that is sent in an HTTP header.
pub(super) fn header_secret(text: &str) -> Result<Secret, String> {
    if text.bytes().all(|b| b.is_ascii_graphic()) {
        Ok(Secret::new(text))
    } else {
        Err("must be visible ASCII characters without spaces".to_owned())
    }
}

/// What links are signed with.
pub(super) fn signing_secret(text: &str) -> Result<Secret, String> {
    let cure =
        "write the output of `openssl rand -hex 32`, or leave it out and the server makes its own";
    strong(text, SIGNING_BYTES, "bytes", cure)
}

/// The key of the admin API.
pub(super) fn admin_secret(text: &str) -> Result<Secret, String> {
    let cure =
        "write the output of `openssl rand -hex 32`, or leave it out and there is no admin API";
    header_secret(text)?;
    strong(text, ADMIN_CHARACTERS, "characters", cure)
}

fn strong(text: &str, least: usize, unit: &str, cure: &str) -> Result<Secret, String> {
    if is_sample(text) {
        return Err(format!("is a sample that everybody knows: {cure}"));
    }
    if text.len() < least {
        return Err(format!(
            "is too short, at least {least} {unit} are needed: {cure}"
        ));
    }
    let mut different: Vec<char> = text.chars().collect();
    different.sort_unstable();
    different.dedup();
    if different.len() < FEWEST_DIFFERENT {
        return Err(format!("repeats the same few characters: {cure}"));
    }
    Ok(Secret::new(text))
}

fn is_sample(text: &str) -> bool {
    let squeezed: String = text
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|c| c.to_ascii_lowercase())
        .collect();
    SAMPLES.iter().any(|sample| squeezed.contains(sample))
}
