//! The certificate that the server shows: until when it holds.

use reqwest::tls::TlsInfo;
use vigint_core::clock::UtcTime;

use super::{ApiError, Uplink, http_client, is_loopback};

/// A server's certificate, found to be one to trust.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerCertificate {
    /// After this moment nobody trusts it any more.
    pub expires_at: UtcTime,
}

impl Uplink {
    /// Connects anew, so that it is the certificate of now and not that of a connection from before its renewal.
    pub(crate) async fn server_certificate(&self) -> Result<Option<ServerCertificate>, ApiError> {
        let failure = |error: reqwest::Error| self.failure(&error);
        let client = http_client::inquiring_client(is_loopback(&self.base), &self.authorities)
            .map_err(|error| ApiError::Unreachable {
                server: self.server().to_owned(),
                reason: error.to_string(),
            })?;
        let request = client.get(self.url("api/health/live"));
        let response = request.send().await.map_err(failure)?;
        let shown = response.extensions().get::<TlsInfo>();
        Ok(shown.and_then(TlsInfo::peer_certificate).and_then(read))
    }
}

/// None for what is no certificate, which TLS would not have let through.
fn read(der: &[u8]) -> Option<ServerCertificate> {
    let (_, certificate) = x509_parser::parse_x509_certificate(der).ok()?;
    let ends = certificate.validity().not_after.timestamp();
    Some(ServerCertificate {
        expires_at: UtcTime::from_unix_seconds(ends),
    })
}
