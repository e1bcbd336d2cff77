//! `vigint-client check`: from the key to the cameras, each with its cure where something is wrong.

mod cameras;
mod findings;
mod reader;
mod server;

use std::path::Path;

use vigint_client::{BuildError, SecureVideoAnalyzer, Settings, parse_key};
use vigint_core::clock::SystemClock;

use self::findings::Findings;
use crate::cli::Cli;
use crate::console::Console;
use crate::exit::Exit;

/// Looks at everything, even when the first thing is wrong.
pub(super) async fn check(cli: &Cli, stills: &Path, console: &Console) -> Exit {
    let (settings, sources) = match super::settings(cli, console) {
        Ok(settings) => match super::sources(cli, &settings, console) {
            Ok(sources) => (settings, sources),
            Err(exit) => return exit,
        },
        Err(exit) => return exit,
    };
    let mut findings = Findings::new(console, cli.server.json);
    let key_is_sound = check_key(&settings, console, &mut findings);
    // The server can be looked at without a key as well.
    let without_bad_key = Settings {
        api_key: settings.api_key.clone().filter(|_| key_is_sound),
        ..settings
    };
    let built = SecureVideoAnalyzer::builder()
        .settings(&without_bad_key)
        .build();
    match &built {
        Ok(analyzer) => server::check(analyzer, &SystemClock::new(), &mut findings).await,
        Err(error @ BuildError::Tls(_)) => {
            findings.bad("address", &error.to_string(), Exit::Server);
        }
        Err(error @ BuildError::Authority(_)) => {
            findings.bad("tls", &error.to_string(), Exit::Usage);
        }
        Err(error) => findings.bad("address", &error.to_string(), Exit::Usage),
    }
    reader::check(&mut findings).await;
    // Sources are looked at without the server, too.
    if let Ok(analyzer) = built.or_else(|_| SecureVideoAnalyzer::builder().build()) {
        cameras::check(&analyzer, sources, stills, &mut findings).await;
    }
    findings.exit()
}

/// What can be said of the key without asking the server. True: it is worth asking about.
fn check_key(settings: &Settings, console: &Console, findings: &mut Findings<'_>) -> bool {
    let Some(key) = &settings.api_key else {
        console.complain(super::NO_KEY);
        findings.bad(
            "key",
            "there is none: set VIGINT_API_KEY in .env or give --api-key",
            Exit::Key,
        );
        return false;
    };
    match parse_key(key.reveal()) {
        Ok(key) if key.has_checksum() => findings.good("key", "typed without a mistake"),
        Ok(_) => findings.good("key", "of the older form, which only the server can check"),
        Err(error) => {
            findings.bad("key", &error.to_string(), Exit::Key);
            return false;
        }
    }
    true
}
