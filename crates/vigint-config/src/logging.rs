//! `[Logging]`: what is written to standard error, and how.

use tracing_subscriber::EnvFilter;

use super::definition::section;
use super::parse::one_of;

section! {
    /// What is written to standard error, and how.
    Logging in "Logging" {
        /// error, warn, info, debug, trace or off; what the libraries say stays at warn.
        /// Or directives as tracing-subscriber's EnvFilter takes them: info,actix_web=debug.
        level: String = "info", env RUST_LOG => level;
        /// text or json.
        format: Format = "text" => one_of(FORMATS);
    }
}

/// How a line of the log is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

const FORMATS: &[(&str, Format)] = &[("text", Format::Text), ("json", Format::Json)];

/// The names of levels, from nothing to everything.
const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];

/// A filter takes a misspelt level for the name of a library: a lone word must be a level here.
fn level(text: &str) -> Result<String, String> {
    let is_level = |word: &str| LEVELS.iter().any(|level| level.eq_ignore_ascii_case(word));
    let known = text
        .split(',')
        .map(str::trim)
        .all(|part| is_level(part) || part.contains(['=', '[']) || part.contains("::"));
    if known && EnvFilter::builder().parse(text).is_ok() {
        Ok(text.to_owned())
    } else {
        Err(format!(
            "must be one of {}, or directives such as info,actix_web=debug",
            LEVELS.join(", ")
        ))
    }
}
