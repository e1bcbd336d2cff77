//! What settings may ask for and this version has not. What would break a promise is refused; what is only
//! not heeded yet is told.

use vigint_config::{Loaded, Settings};
use vigint_core::clock::UtcTime;
use vigint_db::DatabaseUrl;

use super::{BuildError, analyzers, mail, tls};

/// Settings that are read and checked, and then used by nothing. A line goes when its setting is used.
const UNHEEDED: &[(&str, &[&str])] = &[("SparseAI", &["base_url", "default_expiration_hours"])];

/// All for which a server refuses to start with these settings, as far as that shows without its database and
/// its folders. Makes nothing.
#[must_use]
pub fn refusals(settings: &Settings) -> Vec<BuildError> {
    let url = settings.database.database_url.parse::<DatabaseUrl>();
    let of_files = [
        url.err().map(BuildError::from),
        tls::server_config(settings).err().map(BuildError::from),
        mail::refusal(settings),
    ];
    missing(settings)
        .chain(of_files.into_iter().flatten())
        .collect()
}

/// What a server starts with all the same, and the operator should know: a sentence each, with section and key.
#[must_use]
pub fn warnings(loaded: &Loaded, now: UtcTime) -> Vec<String> {
    let mut warnings = unheeded(loaded);
    warnings.extend(analyzers::warnings(loaded));
    warnings.extend(mail::warnings(loaded));
    warnings.extend(tls::warnings(loaded, now));
    warnings
}

/// What the operator set to no effect.
fn unheeded(loaded: &Loaded) -> Vec<String> {
    let origins = &loaded.origins;
    let changed = UNHEEDED
        .iter()
        .flat_map(|(section, keys)| keys.iter().map(move |key| (*section, *key)))
        .filter(|(section, key)| origins.is_changed(section, key))
        .map(|(section, key)| {
            format!("[{section}] {key} is set, but this version does not honour it yet")
        });
    changed.collect()
}

/// The first thing that is missing, if any.
pub(super) fn refuse(settings: &Settings) -> Result<(), BuildError> {
    missing(settings).next().map_or(Ok(()), Err)
}

fn missing(settings: &Settings) -> impl Iterator<Item = BuildError> {
    let asked = [(
        settings.sparse_ai.api_key.is_some(),
        "[SparseAI] api_key",
        "leave it out, and this server hosts the clips itself",
    )];
    asked
        .into_iter()
        .filter(|(is_asked_for, ..)| *is_asked_for)
        .map(|(_, setting, cure)| BuildError::NotYet { setting, cure })
}
