//! What is wrong with a certificate or its key, with the setting, the file and the cure.

use std::io;
use std::path::{Path, PathBuf};

/// A certificate or key that https cannot be answered with. Its text never repeats one of the file's.
#[derive(Debug, thiserror::Error)]
#[error("[API] {} = {}: {wrong}", setting.key(), path.display())]
pub struct TlsError {
    setting: Setting,
    path: PathBuf,
    wrong: Wrong,
}

impl TlsError {
    pub(super) fn new(setting: Setting, path: &Path, wrong: Wrong) -> Self {
        Self {
            setting,
            path: path.to_owned(),
            wrong,
        }
    }
}

/// Which of the two files.
#[derive(Clone, Copy, Debug)]
pub(super) enum Setting {
    Cert,
    Key,
}

impl Setting {
    const fn key(self) -> &'static str {
        match self {
            Self::Cert => "tls_cert",
            Self::Key => "tls_key",
        }
    }
}

/// What is wrong with it.
#[derive(Debug, thiserror::Error)]
pub(super) enum Wrong {
    #[error("it cannot be read: {0}")]
    Unreadable(io::Error),
    #[error("it is no PEM file: a line -----BEGIN …----- is expected in it")]
    NotPem,
    #[error("its PEM is broken: a line is damaged or the file is cut short")]
    BrokenPem,
    #[error("there is no certificate in it")]
    NoCertificate,
    #[error("it holds a private key and no certificate: have tls_cert and tls_key been exchanged?")]
    KeyForCertificate,
    #[error("its first certificate cannot be read: the file is damaged")]
    Damaged,
    #[error("there is no private key in it")]
    NoKey,
    #[error("it holds a certificate and no private key: have tls_cert and tls_key been exchanged?")]
    CertificateForKey,
    #[error(
        "the private key is encrypted, and there is nobody to ask for its password: write a copy without one with `openssl pkey -in FILE -out server.key`, and let only the server's user read it"
    )]
    Encrypted,
    #[error(
        "this private key does not belong to the first certificate in {}: the server's own certificate must stand first, and the key must be the one it was made for",
        .0.display()
    )]
    OfAnother(PathBuf),
    #[error("it cannot be used: {0}")]
    Unusable(rustls::Error),
}
