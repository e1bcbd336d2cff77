//! Whom to trust: the system's authorities, and those that a customer named.
//!
//! Both are files that somebody renews while a client runs for years: they are read again when a server that nobody
//! vouches for shows its certificate. There is no way to connect without that check, and nothing here is global: a
//! program that embeds this library chooses its own cryptography.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, Error, SignatureScheme};
use rustls_platform_verifier::Verifier;

use super::authorities::Authorities;

/// The files are not read more often, however many connections are refused.
const READ_AT_MOST_EVERY: Duration = Duration::from_secs(60);

/// TLS that trusts the system's authorities and `authorities`.
///
/// # Errors
/// When one of the latter cannot be an authority.
pub(super) fn tls_config(authorities: &Authorities) -> Result<ClientConfig, Error> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier = Following::new(authorities.clone(), Arc::clone(&provider))?;
    Ok(ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        // The name is rustls's for any verifier but its own: this one asks the system's, which checks all there is.
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth())
}

/// Asks a verifier that is made anew when the files that it was made from may have changed.
#[derive(Debug)]
struct Following {
    provider: Arc<CryptoProvider>,
    now: Mutex<Now>,
}

#[derive(Debug)]
struct Now {
    verifier: Arc<Verifier>,
    authorities: Authorities,
    /// When the files were read for a server that was not trusted.
    read_at: Option<UnixTime>,
}

impl Following {
    fn new(authorities: Authorities, provider: Arc<CryptoProvider>) -> Result<Self, Error> {
        let now = Now {
            verifier: Arc::new(verifier(&authorities, &provider)?),
            authorities,
            read_at: None,
        };
        Ok(Self {
            provider,
            now: Mutex::new(now),
        })
    }

    fn verifier(&self) -> Arc<Verifier> {
        let now = self.now.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&now.verifier)
    }

    /// The verifier of the files as they are at this time; `None` when they were looked at a moment ago or cannot be
    /// used: what was trusted still is.
    fn read_again(&self, at: UnixTime) -> Option<Arc<Verifier>> {
        let mut now = self.now.lock().unwrap_or_else(PoisonError::into_inner);
        let since = |then: UnixTime| at.as_secs().checked_sub(then.as_secs());
        let is_soon =
            |then| since(then).is_some_and(|seconds| seconds < READ_AT_MOST_EVERY.as_secs());
        if now.read_at.is_some_and(is_soon) {
            return None;
        }
        now.read_at = Some(at);
        let authorities = now.authorities.read_again().ok()?;
        let fresh = Arc::new(verifier(&authorities, &self.provider).ok()?);
        now.authorities = authorities;
        now.verifier = Arc::clone(&fresh);
        Some(fresh)
    }
}

impl ServerCertVerifier for Following {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let verify = |verifier: &Verifier| {
            verifier.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
        };
        match verify(&self.verifier()) {
            Err(error) if may_be_renewed(&error) => match self.read_again(now) {
                Some(fresh) => verify(&fresh),
                None => Err(error),
            },
            answer => answer,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.verifier().verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.verifier().verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.verifier().supported_verify_schemes()
    }
}

/// Whether other authorities might vouch for it: for its name and at this time nobody could.
fn may_be_renewed(error: &Error) -> bool {
    match error {
        Error::InvalidCertificate(wrong) => !matches!(
            wrong,
            CertificateError::Expired
                | CertificateError::ExpiredContext { .. }
                | CertificateError::NotValidYet
                | CertificateError::NotValidYetContext { .. }
                | CertificateError::NotValidForName
                | CertificateError::NotValidForNameContext { .. }
        ),
        _ => false,
    }
}

/// A system without certificates of its own offers nothing to trust; Mozilla's list is then used.
fn verifier(authorities: &Authorities, provider: &Arc<CryptoProvider>) -> Result<Verifier, Error> {
    let given = authorities.certificates();
    let mozillas = webpki_root_certs::TLS_SERVER_ROOT_CERTS.iter().cloned();
    if rustls_native_certs::load_native_certs().certs.is_empty() {
        Verifier::new_with_extra_roots(mozillas.chain(given), Arc::clone(provider))
    } else {
        Verifier::new_with_extra_roots(given, Arc::clone(provider))
    }
}

#[cfg(test)]
mod tests {
    use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};

    use super::*;

    const SECOND: u64 = 2_000_000_000;

    /// An authority, and the certificate of `localhost` that it signed.
    struct Authority {
        pem: String,
        leaf: CertificateDer<'static>,
    }

    fn authority() -> Authority {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let pem = params.self_signed(&key).unwrap().pem();
        let issuer = Issuer::new(params, key);
        let leaf_key = KeyPair::generate().unwrap();
        let leaf = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        let leaf = leaf.signed_by(&leaf_key, &issuer).unwrap();
        Authority {
            pem,
            leaf: leaf.der().clone(),
        }
    }

    fn trusts(following: &Following, leaf: &CertificateDer<'_>, second: u64) -> bool {
        let name = ServerName::try_from("localhost").unwrap();
        let now = UnixTime::since_unix_epoch(Duration::from_secs(second));
        let answer = following.verify_server_cert(leaf, &[], &name, &[], now);
        answer.is_ok()
    }

    #[test]
    fn an_authority_that_was_renewed_is_followed_and_a_broken_file_loses_none() {
        let (old, new) = (authority(), authority());
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("ca.pem");
        std::fs::write(&file, &old.pem).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let following = Following::new(Authorities::read(&file).unwrap(), provider).unwrap();
        assert!(trusts(&following, &old.leaf, SECOND));
        assert!(!trusts(&following, &new.leaf, SECOND));

        std::fs::write(&file, "half a fi").unwrap();
        assert!(!trusts(&following, &new.leaf, SECOND + 60));
        assert!(trusts(&following, &old.leaf, SECOND + 60), "still");
        std::fs::write(&file, &new.pem).unwrap();
        assert!(!trusts(&following, &new.leaf, SECOND + 119), "not yet");
        assert!(trusts(&following, &new.leaf, SECOND + 120));
        assert!(!trusts(&following, &old.leaf, SECOND + 180), "no more");
    }

    #[test]
    fn a_clock_that_is_set_back_stops_no_reading() {
        let new = authority();
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("ca.pem");
        std::fs::write(&file, authority().pem).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let following = Following::new(Authorities::read(&file).unwrap(), provider).unwrap();
        assert!(!trusts(&following, &new.leaf, SECOND));
        std::fs::write(&file, new.pem).unwrap();
        assert!(trusts(&following, &new.leaf, SECOND - 3600));
    }

    #[test]
    fn making_one_chooses_no_cryptography_for_the_process() {
        tls_config(&Authorities::default()).unwrap();
        assert!(CryptoProvider::get_default().is_none());
    }
}
