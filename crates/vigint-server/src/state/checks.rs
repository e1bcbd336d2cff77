//! What shows of settings before anything is made: for which a server does not start, and of which it warns.

use vigint_config::{Loaded, Settings};
use vigint_core::clock::UtcTime;
use vigint_db::DatabaseUrl;

use super::{BuildError, analyzers, hosting, mail, tls};

/// All for which a server refuses to start with these settings, as far as that shows without its database and
/// its folders. Makes nothing.
#[must_use]
pub fn refusals(settings: &Settings) -> Vec<BuildError> {
    let url = settings.database.database_url.parse::<DatabaseUrl>();
    let refusals = [
        url.err().map(BuildError::from),
        tls::server_config(settings).err().map(BuildError::from),
        mail::refusal(settings),
        hosting::hosting(settings).err(),
    ];
    refusals.into_iter().flatten().collect()
}

/// What a server starts with all the same, and the operator should know: a sentence each, with section and key.
#[must_use]
pub fn warnings(loaded: &Loaded, now: UtcTime) -> Vec<String> {
    let mut warnings = analyzers::warnings(loaded);
    warnings.extend(mail::warnings(loaded));
    warnings.extend(hosting::warnings(loaded));
    warnings.extend(tls::warnings(loaded, now));
    warnings
}
