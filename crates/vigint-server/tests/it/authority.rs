//! Certificates made in the test: an authority, and what it signs.

use std::path::{Path, PathBuf};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, KeyUsagePurpose,
    date_time_ymd,
};

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

    /// A certificate for these names and its key, valid in these years, as PEM.
    pub(crate) fn sign(&self, names: &[&str], years: (i32, i32)) -> (String, String) {
        let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut params = CertificateParams::new(names).unwrap();
        params.not_before = date_time_ymd(years.0, 1, 1);
        params.not_after = date_time_ymd(years.1, 1, 1);
        let key = KeyPair::generate().unwrap();
        let signed = params.signed_by(&key, &self.0).unwrap();
        (signed.pem(), key.serialize_pem())
    }

    /// Writes a certificate for localhost, its key and this authority into a folder, and gives the lines of
    /// `[API]` that name the first two, and the file of the authority.
    pub(crate) fn equip(&self, folder: &Path) -> (String, PathBuf) {
        let (cert, key) = self.sign(&["localhost"], GOOD_YEARS);
        write_private(&folder.join("cert.pem"), &cert);
        write_private(&folder.join("key.pem"), &key);
        let authority = folder.join("ca.pem");
        write_private(&authority, &self.pem());
        (
            "tls_cert = cert.pem\ntls_key = key.pem\n".to_owned(),
            authority,
        )
    }
}

/// Years in which these tests are run.
pub(crate) const GOOD_YEARS: (i32, i32) = (2020, 2090);

/// Writes a file that its user alone can read.
pub(crate) fn write_private(path: &Path, text: &str) {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::write(path, text).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
}
