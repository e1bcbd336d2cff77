//! The certificate and its key, read from their files and found to belong together.
//!
//! No text of a key's file is ever repeated. What is only unwise is in `warnings`.

mod error;
mod warnings;

use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::pem::{PemObject as _, SectionKind};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::version::{TLS12, TLS13};
use vigint_config::Settings;

pub use self::error::TlsError;
use self::error::{Setting, Wrong};
pub(super) use self::warnings::warnings;

/// What https is answered with; none when the settings ask for none.
pub(super) fn server_config(
    settings: &Settings,
) -> Result<Option<Arc<rustls::ServerConfig>>, TlsError> {
    let (Some(cert), Some(key)) = (&settings.api.tls_cert, &settings.api.tls_key) else {
        return Ok(None);
    };
    let chain = read_chain(cert)?;
    let private_key = read_key(key)?;
    let of_cert = |wrong| TlsError::new(Setting::Cert, cert, wrong);
    let of_key = |wrong| TlsError::new(Setting::Key, key, wrong);
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&TLS13, &TLS12])
        .map_err(|error| of_cert(Wrong::Unusable(error)))?
        .with_no_client_auth()
        .with_single_cert(chain, private_key)
        .map_err(|error| match error {
            rustls::Error::InconsistentKeys(_) => of_key(Wrong::OfAnother(cert.clone())),
            rustls::Error::InvalidCertificate(_) => of_cert(Wrong::Damaged),
            error => of_key(Wrong::Unusable(error)),
        })?;
    Ok(Some(Arc::new(config)))
}

/// The certificates of a file, the server's own first.
fn read_chain(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let of_cert = |wrong| TlsError::new(Setting::Cert, path, wrong);
    let sections = Sections::read(path).map_err(of_cert)?;
    let has_key = sections.private_key().is_some() || sections.is_encrypted;
    let chain = sections.certificates();
    match chain.first() {
        Some(first) if x509_parser::parse_x509_certificate(first).is_err() => {
            Err(of_cert(Wrong::Damaged))
        }
        Some(_) => Ok(chain),
        None if has_key => Err(of_cert(Wrong::KeyForCertificate)),
        None => Err(of_cert(Wrong::NoCertificate)),
    }
}

fn read_key(path: &Path) -> Result<PrivateKeyDer<'static>, TlsError> {
    let of_key = |wrong| TlsError::new(Setting::Key, path, wrong);
    let sections = Sections::read(path).map_err(of_key)?;
    if sections.is_encrypted {
        return Err(of_key(Wrong::Encrypted));
    }
    match sections.private_key() {
        Some(key) => Ok(key),
        None if sections.certificates().is_empty() => Err(of_key(Wrong::NoKey)),
        None => Err(of_key(Wrong::CertificateForKey)),
    }
}

/// The sections of a PEM file that mean something here.
struct Sections {
    known: Vec<(SectionKind, Vec<u8>)>,
    is_encrypted: bool,
}

impl Sections {
    fn read(path: &Path) -> Result<Self, Wrong> {
        let bytes = std::fs::read(path).map_err(Wrong::Unreadable)?;
        let has = |text: &[u8]| bytes.windows(text.len()).any(|window| window == text);
        // The two ways of writing one: a label of its own (PKCS #8), or a header (RFC 1421).
        let is_encrypted = has(b"BEGIN ENCRYPTED PRIVATE KEY") || has(b"Proc-Type: 4,ENCRYPTED");
        if !has(b"-----BEGIN ") {
            return Err(Wrong::NotPem);
        }
        let mut known = Vec::new();
        for section in <(SectionKind, Vec<u8>)>::pem_slice_iter(&bytes) {
            match section {
                Ok(section) => known.push(section),
                Err(_) if is_encrypted => {}
                // Its text would repeat a line of the file.
                Err(_) => return Err(Wrong::BrokenPem),
            }
        }
        Ok(Self {
            known,
            is_encrypted,
        })
    }

    fn certificates(&self) -> Vec<CertificateDer<'static>> {
        let of_certificates =
            (self.known.iter()).filter(|(kind, _)| *kind == SectionKind::Certificate);
        of_certificates
            .map(|(_, der)| CertificateDer::from(der.clone()))
            .collect()
    }

    fn private_key(&self) -> Option<PrivateKeyDer<'static>> {
        self.known
            .iter()
            .find_map(|(kind, der)| PrivateKeyDer::from_pem(*kind, der.clone()))
    }
}
