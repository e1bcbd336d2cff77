//! Certificates made in the test: an authority, and servers that it signed for.

use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, KeyUsagePurpose};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use vigint_core::clock::{Clock as _, SystemClock};

/// An authority that nobody trusts who was not told to.
pub(crate) struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![
            KeyUsagePurpose::KeyCertSign,
            KeyUsagePurpose::DigitalSignature,
        ];
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    /// Its own certificate, as PEM.
    pub(crate) fn pem(&self) -> String {
        self.0.pem()
    }

    /// Its own private key, as PEM.
    pub(crate) fn key_pem(&self) -> String {
        self.0.key().serialize_pem()
    }

    /// What answers https as `name`, with a certificate that holds between these days from now.
    pub(crate) fn acceptor(&self, name: &str, days: std::ops::Range<i64>) -> TlsAcceptor {
        let moment = |days: i64| {
            // Half a day more, so that the whole days left are what was asked for.
            let seconds = SystemClock::new().now().unix_seconds() + days * 86_400 + 43_200;
            let at = vigint_core::clock::UtcTime::from_unix_seconds(seconds).timestamp();
            let at = at.to_zoned(jiff::tz::TimeZone::UTC);
            let (month, day) = (at.month().unsigned_abs(), at.day().unsigned_abs());
            rcgen::date_time_ymd(at.year().into(), month, day)
                + std::time::Duration::from_secs(at.hour().unsigned_abs().into()) * 3600
        };
        let mut leaf = CertificateParams::new(vec![name.to_owned()]).unwrap();
        leaf.not_before = moment(days.start);
        leaf.not_after = moment(days.end);
        let key = KeyPair::generate().unwrap();
        let certificate = leaf.signed_by(&key, &self.0).unwrap();
        let chain = vec![CertificateDer::from(certificate.der().to_vec())];
        let key = PrivateKeyDer::from_pem_slice(key.serialize_pem().as_bytes()).unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .unwrap();
        TlsAcceptor::from(Arc::new(config))
    }
}
