//! `vigint-client check`: from the key to the cameras, each with its cure where something is wrong.

use vigint_client::{
    ApiError, BuildError, CaptureError, SecureVideoAnalyzer, Settings, Source, parse_key,
};
use vigint_core::clock::{Clock as _, SystemClock};
use vigint_core::wire::{HealthResponse, HealthStatus};

use crate::cli::Cli;
use crate::console::{Console, one_line};
use crate::exit::Exit;

/// A clock further off than this is told. The server takes the frames of one that is further *ahead* at
/// their arrival; one that is behind it believes.
const MAX_CLOCK_OFFSET_MS: i64 = 5000;

/// What was found, in the order it was looked at.
struct Findings<'a> {
    console: &'a Console,
    json: bool,
    worst: Exit,
}

/// How one thing was found.
#[derive(Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
enum Mark {
    Ok,
    /// It works, and should not stay so.
    Warn,
    Fail,
}

#[derive(serde::Serialize)]
struct Finding<'a> {
    check: &'a str,
    /// Whether it works, as the exit code has it.
    ok: bool,
    mark: Mark,
    message: &'a str,
}

impl Findings<'_> {
    fn good(&self, check: &str, message: &str) {
        self.tell(check, Mark::Ok, message);
    }

    fn warn(&self, check: &str, message: &str) {
        self.tell(check, Mark::Warn, message);
    }

    /// Something is wrong; the first kind of wrong is what the program ends with.
    fn bad(&mut self, check: &str, message: &str, exit: Exit) {
        self.tell(check, Mark::Fail, message);
        if self.worst == Exit::Done {
            self.worst = exit;
        }
    }

    fn tell(&self, check: &str, mark: Mark, message: &str) {
        let message = &one_line(message);
        if self.json {
            self.console.answer_json(&Finding {
                check,
                ok: mark != Mark::Fail,
                mark,
                message,
            });
        }
        let mark = match mark {
            Mark::Ok => "ok  ",
            Mark::Warn => "warn",
            Mark::Fail => "FAIL",
        };
        self.console.say(&format!("{mark}  {check}: {message}"));
    }
}

/// Looks at everything, even when the first thing is wrong.
pub(super) async fn check(cli: &Cli, console: &Console) -> Exit {
    let (settings, sources) = match super::settings(cli, console) {
        Ok(settings) => match super::sources(cli, &settings, console) {
            Ok(sources) => (settings, sources),
            Err(exit) => return exit,
        },
        Err(exit) => return exit,
    };
    let mut findings = Findings {
        console,
        json: cli.server.json,
        worst: Exit::Done,
    };
    let key_is_sound = check_key(&settings, console, &mut findings);
    // The server can be looked at without a key as well.
    let without_bad_key = Settings {
        api_key: settings.api_key.clone().filter(|_| key_is_sound),
        ..settings
    };
    let built = SecureVideoAnalyzer::builder()
        .settings(&without_bad_key)
        .build();
    let analyzer = match built {
        Ok(analyzer) => analyzer,
        Err(error @ BuildError::Tls(_)) => {
            findings.bad("address", &error.to_string(), Exit::Server);
            return findings.worst;
        }
        Err(error) => {
            findings.bad("address", &error.to_string(), Exit::Usage);
            return findings.worst;
        }
    };
    check_server(&analyzer, &mut findings).await;
    check_ffmpeg(&mut findings).await;
    for source in &sources {
        check_source(&analyzer, source, &mut findings).await;
    }
    findings.worst
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

async fn check_server(analyzer: &SecureVideoAnalyzer, findings: &mut Findings<'_>) {
    let server = analyzer.server();
    match analyzer.health().await {
        Ok(health) => {
            findings.good("address", &format!("{server} answers"));
            check_encryption(analyzer, findings);
            check_health(&health, findings);
            check_clock(&health, findings);
        }
        Err(error @ ApiError::Busy { .. }) => {
            findings.good("address", &format!("{server} answers"));
            findings.bad(
                "server",
                &format!("{error}; whoever runs the server must look"),
                Exit::Server,
            );
        }
        Err(error) => {
            let cure = "is the server running, and is VIGINT_SERVER_URL or --api-url right?";
            findings.bad("address", &format!("{error}; {cure}"), Exit::from(&error));
            return;
        }
    }
    if !analyzer.has_key() {
        return;
    }
    match analyzer.whoami().await {
        Ok(who) => findings.good("key", &format!("accepted, of {}", who.client.name)),
        Err(error) => findings.bad("key", &error.to_string(), Exit::from(&error)),
    }
}

fn check_health(health: &HealthResponse, findings: &mut Findings<'_>) {
    let status = serde_json::to_string(&health.status).unwrap_or_default();
    let version = format!(
        "version {}, {}; this program is {}",
        health.version,
        status.trim_matches('"'),
        env!("CARGO_PKG_VERSION")
    );
    let checks = &health.checks;
    let parts = [
        ("database", &checks.database),
        ("clips", &checks.clips),
        ("mail", &checks.mail),
        ("analyzer", &checks.analyzer),
    ];
    let failing = parts.into_iter().filter(|(_, state)| *state == "failing");
    let failing: Vec<_> = failing.map(|(part, _)| part).collect();
    let cure = format!(
        "{version}. Failing: {}; whoever runs the server must look",
        failing.join(", ")
    );
    match health.status {
        HealthStatus::Healthy => findings.good("server", &version),
        HealthStatus::Degraded => findings.warn("server", &cure),
        HealthStatus::Unhealthy => findings.bad("server", &cure, Exit::Server),
    }
}

fn check_encryption(analyzer: &SecureVideoAnalyzer, findings: &Findings<'_>) {
    if analyzer.is_exposed() {
        let server = analyzer.server();
        let warning = format!(
            "{server} is not encrypted: key and pictures can be read on the way; use https://"
        );
        findings.warn("tls", &warning);
    } else if analyzer.server().starts_with("https") {
        findings.good("tls", "the server's certificate is accepted");
    } else {
        findings.good("tls", "not needed: the server is on this machine");
    }
}

fn check_clock(health: &HealthResponse, findings: &Findings<'_>) {
    let offset = SystemClock::new().now().millis_since(health.time);
    let seconds = offset.abs() / 1000;
    let cure = "set this machine's clock (timedatectl set-ntp true)";
    if offset.abs() <= MAX_CLOCK_OFFSET_MS {
        findings.good("clock", "agrees with the server's");
    } else if offset > 0 {
        findings.warn(
            "clock",
            &format!(
                "{seconds} s ahead of the server's, which goes by the frames' arrival then: {cure}"
            ),
        );
    } else {
        findings.warn("clock", &format!("{seconds} s behind the server's: {cure}"));
    }
}

async fn check_ffmpeg(findings: &mut Findings<'_>) {
    let version = tokio::process::Command::new("ffmpeg")
        .arg("-version")
        .stdin(std::process::Stdio::null())
        .kill_on_drop(true)
        .output();
    match version.await {
        Ok(output) => {
            let said = String::from_utf8_lossy(&output.stdout).into_owned();
            findings.good("ffmpeg", said.lines().next().unwrap_or("there"));
        }
        Err(_) => findings.bad(
            "ffmpeg",
            &CaptureError::FfmpegMissing.to_string(),
            Exit::Source,
        ),
    }
}

async fn check_source(
    analyzer: &SecureVideoAnalyzer,
    source: &Source,
    findings: &mut Findings<'_>,
) {
    let check = format!("source {}", source.id);
    match analyzer.try_source(source).await {
        Ok((width, height)) => {
            findings.good(
                &check,
                &format!("{} shows pictures, {width}x{height}", source.location),
            );
        }
        Err(error) => findings.bad(
            &check,
            &format!("{}: {error}", source.location),
            Exit::Source,
        ),
    }
}
