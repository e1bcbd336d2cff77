//! What settings may ask for and this version has not. What would break a promise is refused; what is only
//! not heeded yet is told.

use vigint_config::{Loaded, Provider, Settings};
use vigint_core::clock::UtcTime;
use vigint_db::DatabaseUrl;

use super::{BuildError, tls};

/// Settings that are read and checked, and then used by nothing. A line goes when its setting is used.
const UNHEEDED: &[(&str, &[&str])] = &[
    (
        "AI",
        &[
            "gemini_base_url",
            "openai_base_url",
            "screening_model",
            "confirmation_model",
            "screening_frames",
            "confirmation_frames",
            "model_prices",
            "monthly_budget",
        ],
    ),
    ("VideoAnalysis", &["silent_min_seconds"]),
    ("Email", &["smtp_port", "security", "password"]),
    ("Clips", &["max_bytes_per_client"]),
    ("SparseAI", &["base_url", "default_expiration_hours"]),
];

/// All for which a server refuses to start with these settings, as far as that shows without its database and
/// its folders. Makes nothing.
#[must_use]
pub fn refusals(settings: &Settings) -> Vec<BuildError> {
    let url = settings.database.database_url.parse::<DatabaseUrl>();
    let of_files = [
        url.err().map(BuildError::from),
        tls::server_config(settings).err().map(BuildError::from),
    ];
    missing(settings)
        .chain(of_files.into_iter().flatten())
        .collect()
}

/// What a server starts with all the same, and the operator should know: a sentence each, with section and key.
#[must_use]
pub fn warnings(loaded: &Loaded, now: UtcTime) -> Vec<String> {
    let mut warnings = unheeded(loaded);
    warnings.extend(tls::warnings(loaded, now));
    warnings
}

/// What the operator set to no effect.
fn unheeded(loaded: &Loaded) -> Vec<String> {
    let origins = &loaded.origins;
    // Who chose motion by name expects no model, whatever keys lie about in the environment.
    let expects_model = loaded.settings.ai.provider == Provider::Auto;
    let idle_keys = ["gemini_api_key", "openai_api_key"]
        .into_iter()
        .filter(|key| expects_model && origins.is_changed("AI", key))
        .map(|key| format!("[AI] {key} is set, but this version judges by motion alone"));
    let changed = UNHEEDED
        .iter()
        .flat_map(|(section, keys)| keys.iter().map(move |key| (*section, *key)))
        .filter(|(section, key)| origins.is_changed(section, key))
        .map(|(section, key)| {
            format!("[{section}] {key} is set, but this version does not honour it yet")
        });
    changed.chain(idle_keys).collect()
}

/// The first thing that is missing, if any.
pub(super) fn refuse(settings: &Settings) -> Result<(), BuildError> {
    missing(settings).next().map_or(Ok(()), Err)
}

fn missing(settings: &Settings) -> impl Iterator<Item = BuildError> {
    let is_model = matches!(settings.ai.provider, Provider::Gemini | Provider::OpenAi);
    let asked = [
        (
            is_model,
            "[AI] provider",
            "write motion, and the built-in motion analyzer judges",
        ),
        (
            settings.email.smtp_server.is_some(),
            "[Email] smtp_server",
            "leave it out, and mails are written as .eml files",
        ),
        (
            settings.sparse_ai.api_key.is_some(),
            "[SparseAI] api_key",
            "leave it out, and this server hosts the clips itself",
        ),
    ];
    asked
        .into_iter()
        .filter(|(is_asked_for, ..)| *is_asked_for)
        .map(|(_, setting, cure)| BuildError::NotYet { setting, cure })
}
