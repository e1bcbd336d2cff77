//! Why a server gives no answer, in words that name a cure. reqwest's own text would show the whole URL.

use std::error::Error;
use std::io;

use rustls::CertificateError;

/// What is said of a server that was asked and kept silent.
pub(super) const NO_ANSWER_IN_TIME: &str = "no answer in time";

/// What went wrong on the way to a server, and what helps. Of one that `may_speak_tls` nothing good was heard yet over
/// plain http.
pub(super) fn in_words(error: &reqwest::Error, may_speak_tls: bool) -> String {
    if error.is_timeout() && error.is_connect() {
        return "no connection in time".to_owned();
    }
    if error.is_timeout() {
        return NO_ANSWER_IN_TIME.to_owned();
    }
    if let Some(tls) = tls_error(error) {
        return of_tls(tls);
    }
    let mut reason = root_cause(error);
    if may_speak_tls && !error.is_connect() {
        reason.push_str(" (perhaps it speaks https: try the address with https://)");
    }
    // tokio-rustls's words; an older server of plain http hangs up on what it does not understand.
    if reason == "tls handshake eof" {
        return "it hung up while a secure connection was made (perhaps it speaks plain http: is the address right?)"
            .to_owned();
    }
    reason
}

fn of_tls(error: &rustls::Error) -> String {
    match error {
        rustls::Error::InvalidCertificate(wrong) => of_certificate(wrong),
        rustls::Error::InvalidMessage(_) => {
            "what it answers is no TLS (perhaps it speaks plain http: is the address right?)"
                .to_owned()
        }
        error => error.to_string(),
    }
}

fn of_certificate(wrong: &CertificateError) -> String {
    match wrong {
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            format!("its certificate is for another name; give the address by that name ({wrong})")
        }
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            format!(
                "its certificate has expired; whoever runs the server must renew it, unless this machine's clock is \
                 wrong ({wrong})"
            )
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            format!("its certificate is not valid yet; is this machine's clock right? ({wrong})")
        }
        wrong => format!(
            "its certificate is not trusted ({wrong}); when an authority of your own signed it, name that \
             authority's certificate with --ca-file or VIGINT_CA_FILE"
        ),
    }
}

/// The error of TLS inside another. An `io::Error` does not give what it holds as its source.
fn tls_error<'e>(error: &'e (dyn Error + 'static)) -> Option<&'e rustls::Error> {
    let mut next = Some(error);
    while let Some(cause) = next {
        if let Some(found) = cause.downcast_ref() {
            return Some(found);
        }
        let held = cause
            .downcast_ref::<io::Error>()
            .and_then(io::Error::get_ref);
        next = match held {
            Some(held) => Some(held),
            None => cause.source(),
        };
    }
    None
}

/// The innermost error says what happened; the outer ones only where.
fn root_cause(error: &reqwest::Error) -> String {
    let mut cause: &dyn Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    match cause.downcast_ref::<reqwest::Error>() {
        Some(_) => "the connection failed".to_owned(),
        None => cause.to_string(),
    }
}
