//! The server: whether it answers, is to be trusted and is well, and whether its clock is ours.

use jiff::tz::TimeZone;
use serde_json::json;
use vigint_client::{ApiError, SecureVideoAnalyzer};
use vigint_core::clock::{Clock, UtcTime};
use vigint_core::wire::{HealthResponse, HealthStatus};

use super::findings::{Findings, Mark};
use crate::exit::Exit;

/// A clock further off than this is told. The server takes the frames of one that is further *ahead* at
/// their arrival; one that is behind it believes.
const MAX_CLOCK_OFFSET_MS: i64 = 5000;

/// A certificate that ends sooner than this is told of: there is still time to renew it.
const SOON_DAYS: i64 = 14;
const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// Whether it is there, is to be trusted, is well, and knows the key. `clock` is that of this machine.
pub(super) async fn check(
    analyzer: &SecureVideoAnalyzer,
    clock: &dyn Clock,
    findings: &mut Findings<'_>,
) {
    let server = analyzer.server();
    let asked_at = clock.now();
    let answer = analyzer.health().await;
    let answered_at = clock.now();
    match answer {
        Ok(health) => {
            findings.good("address", &format!("{server} answers"));
            check_encryption(analyzer, clock, findings).await;
            check_health(&health, findings);
            check_version(&health, findings);
            check_clock(offset_ms(health.time, asked_at, answered_at), findings);
        }
        Err(error @ ApiError::Busy { .. }) => {
            findings.good("address", &format!("{server} answers"));
            findings.bad(
                "server",
                &format!("{error}; whoever runs the server must look"),
                Exit::Server,
            );
        }
        Err(error) if is_of_certificate(&error) => {
            findings.bad("tls", &error.to_string(), Exit::Server);
            return;
        }
        Err(error) => {
            let cure = "is the server running, and is VIGINT_SERVER_URL or --api-url right?";
            findings.bad("address", &format!("{error}; {cure}"), exit_of(&error));
            return;
        }
    }
    if !analyzer.has_key() {
        return;
    }
    match analyzer.whoami().await {
        Ok(who) => findings.good("key", &format!("accepted, of {}", who.client.name)),
        Err(error) => findings.bad("key", &error.to_string(), exit_of(&error)),
    }
}

/// Whatever is wrong there but the key, it is the server that cannot be used.
fn exit_of(error: &ApiError) -> Exit {
    match Exit::from(error) {
        Exit::Key => Exit::Key,
        _ => Exit::Server,
    }
}

/// The address is right then, and the reason names a cure of its own.
fn is_of_certificate(error: &ApiError) -> bool {
    matches!(error, ApiError::Unreachable { reason, .. } if reason.starts_with("its certificate"))
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

/// A major version of its own may say and understand other things.
fn check_version(health: &HealthResponse, findings: &Findings<'_>) {
    let ours = env!("CARGO_PKG_VERSION");
    if major(&health.version) != major(ours) {
        findings.warn(
            "version",
            &format!(
                "the server is {} and this program {ours}: another major version may not understand this one; \
                 install the program of the server's version",
                health.version
            ),
        );
    }
}

fn major(version: &str) -> &str {
    version.split('.').next().unwrap_or(version)
}

async fn check_encryption(
    analyzer: &SecureVideoAnalyzer,
    clock: &dyn Clock,
    findings: &Findings<'_>,
) {
    if analyzer.is_exposed() {
        let server = analyzer.server();
        let warning = format!(
            "{server} is not encrypted: key and pictures can be read on the way; use https://"
        );
        findings.warn("tls", &warning);
        return;
    }
    if !analyzer.server().starts_with("https") {
        findings.good("tls", "not needed: the server is on this machine");
        return;
    }
    match analyzer.server_certificate().await {
        Ok(Some(certificate)) => check_expiry(certificate.expires_at, clock.now(), findings),
        // It was accepted a moment ago: what is not known is only until when.
        Ok(None) | Err(_) => findings.warn(
            "tls",
            "the server's certificate is accepted; until when could not be found out",
        ),
    }
}

fn check_expiry(expires_at: UtcTime, now: UtcTime, findings: &Findings<'_>) {
    let left = expires_at.millis_since(now);
    let days = left.div_euclid(DAY_MS);
    let until = expires_at.timestamp().to_zoned(TimeZone::UTC);
    let until = until.strftime("%Y-%m-%d %H:%M UTC");
    let plural = if days == 1 { "" } else { "s" };
    let said =
        format!("the server's certificate is accepted until {until}, {days} day{plural} from now");
    let details = json!({"expires_at": expires_at, "days_left": days});
    if days < SOON_DAYS {
        let said = format!("{said}: whoever runs the server must renew it before then");
        findings.tell("tls", Mark::Warn, &said, details);
    } else {
        findings.tell("tls", Mark::Ok, &said, details);
    }
}

/// By how many milliseconds our clock is ahead of the server's (negative: behind), at the least. The server looked at
/// its own some time between the request and the answer, and nobody knows when: a slow network must not make a clock
/// wrong that is right.
fn offset_ms(of_server: UtcTime, asked_at: UtcTime, answered_at: UtcTime) -> i64 {
    let ahead = asked_at.millis_since(of_server);
    let behind = of_server.millis_since(answered_at);
    ahead.max(0) - behind.max(0)
}

fn check_clock(offset: i64, findings: &Findings<'_>) {
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

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::{Arc, Mutex};
    use std::time::Duration;

    use vigint_core::clock::{ManualClock, SystemClock};

    use super::*;
    use crate::authority::Authority;
    use crate::console::Console;
    use crate::scripted_server::{Reply, Request, ScriptedServer};

    #[derive(Clone, Default)]
    struct Sheet(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Sheet {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    const MINUTE: Duration = Duration::from_secs(60);

    /// What is said of the clock where the certificate is shown only after a minute, and each other answer takes so
    /// long as well; the server's clock is so many milliseconds ahead.
    async fn said_of_clock(takes: Duration, ahead_ms: i64) -> String {
        let clock = Arc::new(ManualClock::new(SystemClock::new().now()));
        let turned = Arc::clone(&clock);
        let authority = Authority::new();
        let acceptor = authority.acceptor("localhost", -1..90);
        let server = ScriptedServer::start_tls(acceptor, move |request: &Request| {
            turned.advance(takes);
            let time = turned.now().plus_millis(ahead_ms);
            match request.path() {
                "/api/health/live" => turned.advance(MINUTE),
                _ => turned.advance(takes),
            }
            Reply::new(
                200,
                json!({
                    "status": "healthy", "version": env!("CARGO_PKG_VERSION"), "time": time,
                    "checks": {"database": "ok", "clips": "ok", "mail": "file", "analyzer": "motion"},
                }),
            )
        })
        .await;
        let analyzer = SecureVideoAnalyzer::builder()
            .api_base_url(format!("https://localhost:{}", server.address.port()))
            .ca_certificates(authority.pem())
            .build()
            .unwrap();
        let sheet = Sheet::default();
        let console = Console::printing_to(sheet.clone(), false, false);
        let mut findings = Findings::new(&console, false);
        check(&analyzer, &*clock, &mut findings).await;
        assert_eq!(console.finish(), None);
        let printed = String::from_utf8(sheet.0.lock().unwrap().clone()).unwrap();
        assert!(printed.contains("ok    tls: "), "{printed}");
        let line = printed.lines().find(|line| line.contains("clock: "));
        line.unwrap().to_owned()
    }

    #[tokio::test]
    async fn answers_that_take_long_make_no_clock_wrong() {
        for takes in [Duration::ZERO, MINUTE] {
            let said = said_of_clock(takes, 0).await;
            assert_eq!(said, "ok    clock: agrees with the server's", "{takes:?}");
        }
        let said = said_of_clock(Duration::ZERO, 60_000).await;
        assert!(said.contains("60 s behind"), "{said}");
        let said = said_of_clock(Duration::ZERO, -60_000).await;
        assert!(said.contains("60 s ahead"), "{said}");
    }
}
