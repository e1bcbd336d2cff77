//! Who hosts films, by the settings.

use vigint_config::{Loaded, Settings};

use super::BuildError;
use crate::hosting::{Hosting, HostingOptions};

/// The hosting service that the settings name; none when this server hosts the films. Connects to nothing.
///
/// # Errors
/// When it cannot be called.
pub(super) fn hosting(settings: &Settings) -> Result<Option<Hosting>, BuildError> {
    let sparse_ai = &settings.sparse_ai;
    let Some((api_key, base_url)) = sparse_ai.api_key.clone().zip(sparse_ai.base_url.clone())
    else {
        return Ok(None);
    };
    let hosting = Hosting::new(HostingOptions {
        base_url,
        api_key,
        stay: (sparse_ai.default_expiration_hours).min(settings.clips.retention_hours),
    })?;
    Ok(Some(hosting))
}

/// What an operator should know of the settings of `[SparseAI]`: a sentence each, with the key.
pub(super) fn warnings(loaded: &Loaded) -> Vec<String> {
    let settings = &loaded.settings;
    let is_set = |key: &str| loaded.origins.is_changed("SparseAI", key);
    if settings.sparse_ai.api_key.is_none() {
        let keys = ["base_url", "default_expiration_hours"];
        return (keys.into_iter().filter(|key| is_set(key)))
            .map(|key| {
                format!("[SparseAI] {key} is set to no effect: without api_key this server hosts the clips itself")
            })
            .collect();
    }
    let stay = settings.sparse_ai.default_expiration_hours;
    let is_longer = is_set("default_expiration_hours") && stay > settings.clips.retention_hours;
    is_longer
        .then(|| {
            "[SparseAI] default_expiration_hours is more than [Clips] retention_hours: clips are hosted no longer than \
             they are kept here"
                .to_owned()
        })
        .into_iter()
        .collect()
}
