//! The certificate and its key, read from their files.

use std::fmt::Display;
use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use vigint_config::Settings;

use super::BuildError;

/// What https is answered with; none when the settings ask for none.
pub(super) fn server_config(
    settings: &Settings,
) -> Result<Option<Arc<rustls::ServerConfig>>, BuildError> {
    let (Some(cert), Some(key)) = (&settings.api.tls_cert, &settings.api.tls_key) else {
        return Ok(None);
    };
    let unread =
        |path: &Path, error: &dyn Display| BuildError::Tls(format!("{}: {error}", path.display()));
    let chain = CertificateDer::pem_file_iter(cert)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| unread(cert, &error))?;
    if chain.is_empty() {
        return Err(unread(cert, &"there is no certificate in it"));
    }
    let key = PrivateKeyDer::from_pem_file(key).map_err(|error| unread(key, &error))?;
    let config = rustls::ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(|error| BuildError::Tls(error.to_string()))?;
    Ok(Some(Arc::new(config)))
}
