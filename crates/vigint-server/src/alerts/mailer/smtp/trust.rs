//! Which certificates a mail server may show: those the system trusts, where it has none Mozilla's, and the
//! operator's own. The same as towards other services. And why one is not believed.

use std::error::Error;
use std::io;
use std::path::{Path, PathBuf};

use lettre::transport::smtp::Error as LettreError;
use lettre::transport::smtp::client::{Certificate, CertificateStore, TlsParameters};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{CertificateError, RootCertStore};

/// Why `[Email] ca_file` cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("[Email] ca_file = {}: {why}", path.display())]
pub struct CaError {
    path: PathBuf,
    why: Wrong,
}

#[derive(Debug, thiserror::Error)]
enum Wrong {
    #[error("it cannot be read: {0}")]
    Unreadable(io::Error),
    #[error(
        "it holds no certificate (PEM); it must have a section that begins with -----BEGIN CERTIFICATE-----"
    )]
    NoCertificate,
    #[error("a certificate in it is damaged; take the file anew from whoever runs the authority")]
    Damaged,
}

/// Why the certificate of a server is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Distrust {
    /// It is another server's.
    Name,
    /// Nobody whom we trust has signed it.
    Authority,
    /// Its time is over, or has not begun.
    Time,
    /// Something else is wrong with it.
    Other,
}

impl Distrust {
    /// Whether it is this that ended a session.
    pub(super) fn of(error: &LettreError) -> Option<Self> {
        let mut cause = Some(error as &(dyn Error + 'static));
        while let Some(error) = cause {
            // rustls' own error is inside one of I/O, which does not name it as its cause.
            let inner = error
                .downcast_ref::<io::Error>()
                .and_then(io::Error::get_ref)
                .and_then(|inner| inner.downcast_ref::<rustls::Error>());
            if let Some(rustls::Error::InvalidCertificate(wrong)) = inner {
                return Some(wrong.into());
            }
            cause = error.source();
        }
        None
    }

    /// What helps.
    pub(super) const fn cure(self) -> &'static str {
        match self {
            Self::Name => "check that [Email] smtp_server is the name in its certificate",
            Self::Authority => {
                "when its authority is the house's own, name that in [Email] ca_file; else ask whoever runs the mail \
                 server for a certificate of a public one"
            }
            Self::Time => {
                "ask whoever runs the mail server to renew its certificate, and check this machine's clock"
            }
            Self::Other => "ask whoever runs the mail server to mend its certificate",
        }
    }
}

impl From<&CertificateError> for Distrust {
    fn from(wrong: &CertificateError) -> Self {
        match wrong {
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                Self::Name
            }
            CertificateError::UnknownIssuer => Self::Authority,
            CertificateError::Expired
            | CertificateError::ExpiredContext { .. }
            | CertificateError::NotValidYet
            | CertificateError::NotValidYetContext { .. } => Self::Time,
            _ => Self::Other,
        }
    }
}

/// The certificates of authorities in a PEM file. Blocks.
///
/// # Errors
/// When it cannot be read, or holds none, or a damaged one.
pub(super) fn authorities(path: &Path) -> Result<Vec<CertificateDer<'static>>, CaError> {
    let wrong = |why| CaError {
        path: path.to_owned(),
        why,
    };
    let bytes = std::fs::read(path).map_err(|error| wrong(Wrong::Unreadable(error)))?;
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&bytes).collect();
    let found = found.map_err(|_| wrong(Wrong::Damaged))?;
    if found.is_empty() {
        return Err(wrong(Wrong::NoCertificate));
    }
    let mut parsed = RootCertStore::empty();
    let all = found.iter().cloned().try_for_each(|der| parsed.add(der));
    all.map_err(|_| wrong(Wrong::Damaged))?;
    Ok(found)
}

/// TLS towards a server of this name. Blocks while the system's certificates are read.
pub(super) fn parameters(
    host: &str,
    authorities: Vec<CertificateDer<'static>>,
) -> Result<TlsParameters, LettreError> {
    let of_system = rustls_native_certs::load_native_certs().certs;
    let store = if of_system.is_empty() {
        CertificateStore::WebpkiRoots
    } else {
        CertificateStore::None
    };
    let mut builder = TlsParameters::builder(host.to_owned()).certificate_store(store);
    // One that is not understood would end it all; a system may well have an odd one among its hundred.
    let of_system = of_system
        .into_iter()
        .filter(|der| RootCertStore::empty().add(der.clone()).is_ok());
    for der in of_system.chain(authorities) {
        builder = builder.add_root_certificate(Certificate::from_der(der.to_vec())?);
    }
    builder.build()
}
