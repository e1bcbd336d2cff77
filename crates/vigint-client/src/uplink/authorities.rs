//! Certificates of authorities that a customer trusts besides the system's, read from PEM.
//!
//! What is wrong with them is said before anything is connected to. No text of the file is ever repeated: it may be
//! a private key that was named by mistake.

use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::{PemObject as _, SectionKind};

/// More than the certificates of every authority that there is.
const MAX_BYTES: u64 = 4 * 1024 * 1024;

/// Authorities' certificates that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("the authority's certificate {place}: {wrong}")]
pub struct AuthorityError {
    /// `in FILE`, or `that was given`.
    place: String,
    wrong: WrongAuthority,
}

/// What is wrong with them.
#[derive(Debug, thiserror::Error)]
enum WrongAuthority {
    #[error("there is no such file; look at --ca-file or VIGINT_CA_FILE")]
    Missing,
    #[error("it cannot be read: {0}")]
    Unreadable(io::Error),
    #[error("it is empty")]
    Empty,
    #[error("it has more than {} MiB, which no file of certificates has", MAX_BYTES / 1024 / 1024)]
    TooLarge,
    #[error(
        "it is no PEM file: a line -----BEGIN CERTIFICATE----- is expected in it (a certificate in DER becomes one with `openssl x509 -inform der -in FILE -out ca.pem`)"
    )]
    NotPem,
    #[error("its PEM is broken: a line is damaged or the file is cut short")]
    BrokenPem,
    #[error(
        "it holds a private key and no certificate: give the authority's certificate, and keep its key to yourself"
    )]
    KeyForCertificate,
    #[error("there is no certificate in it")]
    NoCertificate,
    #[error("certificate {0} in it cannot be read: the file is damaged")]
    Damaged(usize),
}

/// Certificates as they were found; none when nobody named any.
#[derive(Clone, Debug, Default)]
pub(crate) struct Authorities {
    of_files: Vec<(PathBuf, Vec<CertificateDer<'static>>)>,
    given: Vec<CertificateDer<'static>>,
}

impl Authorities {
    /// Those of a PEM file.
    pub(crate) fn read(path: &Path) -> Result<Self, AuthorityError> {
        let certificates = read_file(path)?;
        Ok(Self {
            of_files: vec![(path.to_owned(), certificates)],
            given: Vec::new(),
        })
    }

    /// Those of a PEM text.
    pub(crate) fn of_pem(pem: &[u8]) -> Result<Self, AuthorityError> {
        let given = parse(pem).map_err(|wrong| AuthorityError {
            place: "that was given".to_owned(),
            wrong,
        })?;
        Ok(Self {
            of_files: Vec::new(),
            given,
        })
    }

    /// Those of `more` besides.
    pub(crate) fn add(&mut self, more: Self) {
        self.of_files.extend(more.of_files);
        self.given.extend(more.given);
    }

    /// The same, with the files as they are now.
    pub(super) fn read_again(&self) -> Result<Self, AuthorityError> {
        let files = self.of_files.iter();
        let of_files = files.map(|(path, _)| Ok((path.clone(), read_file(path)?)));
        Ok(Self {
            of_files: of_files.collect::<Result<_, AuthorityError>>()?,
            given: self.given.clone(),
        })
    }

    pub(super) fn certificates(&self) -> impl Iterator<Item = CertificateDer<'static>> {
        let of_files = self
            .of_files
            .iter()
            .flat_map(|(_, certificates)| certificates);
        of_files.chain(&self.given).cloned()
    }
}

fn read_file(path: &Path) -> Result<Vec<CertificateDer<'static>>, AuthorityError> {
    let pem = read_bounded(path);
    pem.and_then(|pem| parse(&pem))
        .map_err(|wrong| AuthorityError {
            place: format!("in {}", path.display()),
            wrong,
        })
}

fn parse(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, WrongAuthority> {
    if pem.trim_ascii().is_empty() {
        return Err(WrongAuthority::Empty);
    }
    if !pem.windows(11).any(|window| window == b"-----BEGIN ") {
        return Err(WrongAuthority::NotPem);
    }
    let mut certificates = Vec::new();
    let mut has_key = false;
    for section in <(SectionKind, Vec<u8>)>::pem_slice_iter(pem) {
        // The error's own text would repeat a line of the file.
        match section.map_err(|_| WrongAuthority::BrokenPem)? {
            (SectionKind::Certificate, der) => {
                let certificate = CertificateDer::from(der);
                let mut roots = RootCertStore::empty();
                let added = roots.add(certificate.clone());
                added.map_err(|_| WrongAuthority::Damaged(certificates.len() + 1))?;
                certificates.push(certificate);
            }
            (
                SectionKind::PrivateKey | SectionKind::RsaPrivateKey | SectionKind::EcPrivateKey,
                _,
            ) => has_key = true,
            _ => {}
        }
    }
    // Of encrypted keys the reader above knows nothing.
    has_key |= pem
        .windows(27)
        .any(|window| window == b"BEGIN ENCRYPTED PRIVATE KEY");
    match (certificates.is_empty(), has_key) {
        (false, _) => Ok(certificates),
        (true, true) => Err(WrongAuthority::KeyForCertificate),
        (true, false) => Err(WrongAuthority::NoCertificate),
    }
}

fn read_bounded(path: &Path) -> Result<Vec<u8>, WrongAuthority> {
    let file = std::fs::File::open(path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => WrongAuthority::Missing,
        _ => WrongAuthority::Unreadable(error),
    })?;
    let mut pem = Vec::new();
    file.take(MAX_BYTES + 1)
        .read_to_end(&mut pem)
        .map_err(WrongAuthority::Unreadable)?;
    if pem.len() as u64 > MAX_BYTES {
        return Err(WrongAuthority::TooLarge);
    }
    Ok(pem)
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, KeyPair};

    use super::*;

    fn wrong(pem: &str) -> String {
        Authorities::of_pem(pem.as_bytes()).unwrap_err().to_string()
    }

    #[test]
    fn what_is_no_certificate_of_an_authority_is_named_and_not_repeated() {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        let pem = params.self_signed(&key).unwrap().pem();
        let key_pem = key.serialize_pem();
        assert!(Authorities::of_pem(pem.as_bytes()).is_ok());
        // An authority's key beside its certificate is unwise, and no reason to refuse.
        assert!(Authorities::of_pem(format!("{key_pem}{pem}").as_bytes()).is_ok());

        let encrypted = key_pem.replace("PRIVATE KEY", "ENCRYPTED PRIVATE KEY");
        let cut = &pem[..pem.len() / 2];
        let damaged = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        let other = "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n";
        for (text, said) in [
            (" \n", "it is empty"),
            ("0\u{82}1 binary", "it is no PEM file"),
            (&key_pem, "it holds a private key and no certificate"),
            (&encrypted, "it holds a private key and no certificate"),
            (cut, "its PEM is broken"),
            (
                &format!("{pem}{damaged}"),
                "certificate 2 in it cannot be read",
            ),
            (other, "there is no certificate in it"),
        ] {
            let error = wrong(text);
            assert!(error.contains(said), "{said}: {error}");
            let body = key_pem.lines().nth(1).unwrap();
            assert!(!error.contains(body), "{error}");
        }
    }

    #[test]
    fn a_file_that_is_missing_or_endless_is_named() {
        let said = |path: &str| Authorities::read(Path::new(path)).unwrap_err().to_string();
        assert_eq!(
            said("/no/such/ca.pem"),
            "the authority's certificate in /no/such/ca.pem: there is no such file; look at --ca-file or VIGINT_CA_FILE"
        );
        assert!(said("/dev/zero").contains("more than 4 MiB"));
        assert!(said("/").contains("in /: it cannot be read"));
    }
}
