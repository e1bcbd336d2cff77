//! Defaults that depend on other settings or on the machine; every other one stands in its definition.

use super::definition::Definition;
use super::load::LoadFrom;

const LEAST_RING_MEMORY: u64 = 16 * 1_024 * 1_024;

/// What `definition` is when nobody says otherwise. `given` finds what was said of another key by its path.
pub(super) fn default_text(
    definition: &Definition,
    from: &LoadFrom,
    given: &dyn Fn(&str) -> Option<String>,
) -> String {
    match (definition.section, definition.key) {
        ("API", "public_url") => {
            let scheme = given("api.tls_cert").map_or("http", |_| "https");
            // A port that is no port has its own message.
            let port: Option<u16> = given("api.port").and_then(|port| port.parse().ok());
            format!("{scheme}://localhost:{}", port.unwrap_or(5_002))
        }
        ("VideoAnalysis", "max_bytes_total") => {
            let quarter = from.usable_memory / 4;
            quarter.max(LEAST_RING_MEMORY).to_string()
        }
        ("Email", "smtp_port") => {
            let security = super::email::security(given("email.security").as_deref());
            security.usual_port().to_string()
        }
        ("Email", "from_email") => given("email.username")
            .filter(|name| super::parse::mailbox(name).is_ok())
            .unwrap_or_else(|| "Vigint <vigint@localhost>".to_owned()),
        _ => definition.default.to_owned(),
    }
}
