//! What a server starts with all the same, and what its callers will not like.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use rustls::client::verify_server_name;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::server::ParsedCertificate;
use vigint_config::Loaded;
use vigint_core::clock::UtcTime;
use x509_parser::certificate::X509Certificate;

use super::read_chain;

/// A certificate that ends sooner than this is told of: there is still time to renew it.
const SOON_DAYS: i64 = 14;
const DAY_SECONDS: i64 = 24 * 60 * 60;

/// A sentence for each; none for files that cannot be used at all, which are refused elsewhere.
pub(in crate::state) fn warnings(loaded: &Loaded, now: UtcTime) -> Vec<String> {
    let api = &loaded.settings.api;
    let (Some(cert), Some(key)) = (&api.tls_cert, &api.tls_key) else {
        return Vec::new();
    };
    let readable = readable_by_others(key);
    let readable = readable.map(|wrong| format!("[API] tls_key = {}: {wrong}", key.display()));
    let of_cert = read_chain(cert).map_or_else(
        |_| Vec::new(),
        |chain| {
            let public_url = loaded
                .origins
                .is_given("API", "public_url")
                .then_some(api.public_url.as_str());
            chain
                .first()
                .map_or_else(Vec::new, |leaf| of_leaf(leaf, public_url, now))
        },
    );
    let of_cert = of_cert
        .into_iter()
        .map(|wrong| format!("[API] tls_cert = {}: {wrong}", cert.display()));
    of_cert.chain(readable).collect()
}

fn of_leaf(leaf: &CertificateDer<'_>, public_url: Option<&str>, now: UtcTime) -> Vec<String> {
    let Ok((_, certificate)) = x509_parser::parse_x509_certificate(leaf) else {
        return Vec::new();
    };
    let is_authority = certificate.is_ca().then(|| {
        "it is an authority's own certificate: many programs refuse that of a server; use one that it signed".to_owned()
    });
    let other_name = public_url.and_then(|url| not_for(leaf, url));
    [of_dates(&certificate, now), is_authority, other_name]
        .into_iter()
        .flatten()
        .collect()
}

fn of_dates(certificate: &X509Certificate<'_>, now: UtcTime) -> Option<String> {
    let validity = certificate.validity();
    let (from, to) = (
        validity.not_before.timestamp(),
        validity.not_after.timestamp(),
    );
    let now = now.timestamp().as_second();
    let day = |seconds| UtcTime::from_unix_seconds(seconds).to_string();
    if now > to {
        Some(format!(
            "it expired at {}: callers refuse it; renew it and start the server again",
            day(to)
        ))
    } else if now < from {
        Some(format!(
            "it is valid only from {} on: callers refuse it until then; is this machine's clock right?",
            day(from)
        ))
    } else if to - now < SOON_DAYS * DAY_SECONDS {
        Some(format!(
            "it expires at {}: renew it and start the server again before then",
            day(to)
        ))
    } else {
        None
    }
}

/// Callers compare the name that they call with those in the certificate.
fn not_for(leaf: &CertificateDer<'_>, public_url: &str) -> Option<String> {
    let url: url::Url = public_url.parse().ok()?;
    // Behind a proxy that ends TLS itself it is the proxy's certificate that counts.
    if url.scheme() != "https" {
        return None;
    }
    let host = url.host_str()?.trim_matches(['[', ']']);
    let name = ServerName::try_from(host).ok()?;
    let parsed = ParsedCertificate::try_from(leaf).ok()?;
    let is_other = verify_server_name(&parsed, &name).is_err();
    is_other.then(|| format!("it is not for {host}, the name in public_url: callers refuse it"))
}

fn readable_by_others(key: &Path) -> Option<String> {
    let mode = std::fs::metadata(key).ok()?.permissions().mode();
    (mode & 0o004 != 0).then(|| {
        format!(
            "every user of this machine can read it: chmod 600 {}",
            key.display()
        )
    })
}
