//! Who may look at a camera: Basic and Digest authentication (RFC 2617), the latter with MD5 and without `qop`, as
//! cameras have it.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest as _, Md5};

use super::request::Request;

const REALM: &str = "camera";

/// How a name and a password are shown to a camera.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// As they are.
    Basic,
    /// Hashed with what the camera said.
    Digest,
    /// In the path, as some recorders have it: `/user=viewer&password=geheim/video`.
    Path,
}

/// A name and a password that a camera demands.
#[derive(Clone, PartialEq, Eq)]
pub struct Login {
    /// How they are shown.
    pub scheme: Scheme,
    /// The name.
    pub user: String,
    /// The password; letters and digits only, it stands in URLs.
    pub password: String,
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} of {}", self.scheme, self.user)
    }
}

impl Login {
    /// Whether a request shows it.
    pub(crate) fn is_shown_by(&self, request: &Request, nonce: &str) -> bool {
        if self.scheme == Scheme::Path {
            let mut parts = request.target.split('/');
            return parts.any(|part| part == self.as_path());
        }
        let Some((scheme, shown)) = request
            .header("authorization")
            .and_then(|value| value.split_once(' '))
        else {
            return false;
        };
        match self.scheme {
            Scheme::Basic => {
                let expected = STANDARD.encode(format!("{}:{}", self.user, self.password));
                scheme.eq_ignore_ascii_case("basic") && shown.trim() == expected
            }
            Scheme::Digest => {
                scheme.eq_ignore_ascii_case("digest") && self.fits(request, shown, nonce)
            }
            Scheme::Path => false,
        }
    }

    /// The part of a path that shows it.
    pub(crate) fn as_path(&self) -> String {
        format!("user={}&password={}", self.user, self.password)
    }

    /// What a camera says to who has not shown it.
    pub(crate) fn challenge(&self, nonce: &str) -> String {
        match self.scheme {
            Scheme::Basic | Scheme::Path => format!("Basic realm=\"{REALM}\""),
            Scheme::Digest => format!("Digest realm=\"{REALM}\", nonce=\"{nonce}\""),
        }
    }

    fn fits(&self, request: &Request, shown: &str, nonce: &str) -> bool {
        let field = |name: &str| {
            shown.split(',').find_map(|field| {
                let (found, value) = field.trim().split_once('=')?;
                (found == name).then(|| value.trim_matches('"'))
            })
        };
        let who = md5(&format!("{}:{REALM}:{}", self.user, self.password));
        let what = md5(&format!(
            "{}:{}",
            request.method,
            field("uri").unwrap_or_default()
        ));
        field("username") == Some(&self.user)
            && field("nonce") == Some(nonce)
            && field("response") == Some(&md5(&format!("{who}:{nonce}:{what}")))
    }
}

fn md5(text: &str) -> String {
    let hash = Md5::digest(text.as_bytes());
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn login(scheme: Scheme) -> Login {
        Login {
            scheme,
            user: "viewer".to_owned(),
            password: "geheim7".to_owned(),
        }
    }

    fn request(authorization: &str) -> Request {
        Request {
            method: "DESCRIBE".to_owned(),
            target: "rtsp://cam/stream".to_owned(),
            headers: vec![("Authorization".to_owned(), authorization.to_owned())],
        }
    }

    #[test]
    fn basic_lets_in_who_shows_name_and_password_and_nobody_else() {
        let right = format!("Basic {}", STANDARD.encode("viewer:geheim7"));
        let wrong = format!("Basic {}", STANDARD.encode("viewer:geheim8"));
        assert!(login(Scheme::Basic).is_shown_by(&request(&right), "n"));
        assert!(!login(Scheme::Basic).is_shown_by(&request(&wrong), "n"));
        assert!(!login(Scheme::Digest).is_shown_by(&request(&right), "n"));
    }

    #[test]
    fn digest_is_bound_to_what_the_camera_said() {
        let who = md5("viewer:camera:geheim7");
        let what = md5("DESCRIBE:rtsp://cam/stream");
        let response = md5(&format!("{who}:n1:{what}"));
        let shown = format!(
            "Digest username=\"viewer\", realm=\"camera\", nonce=\"n1\", uri=\"rtsp://cam/stream\", response=\"{response}\""
        );
        assert!(login(Scheme::Digest).is_shown_by(&request(&shown), "n1"));
        assert!(!login(Scheme::Digest).is_shown_by(&request(&shown), "n2"));
        let other = shown.replace("rtsp://cam/stream", "rtsp://cam/other");
        assert!(!login(Scheme::Digest).is_shown_by(&request(&other), "n1"));
    }

    #[test]
    fn a_recorder_lets_in_who_has_name_and_password_in_the_path() {
        let shows = |target: &str| {
            let request = Request {
                target: target.to_owned(),
                ..request("none")
            };
            login(Scheme::Path).is_shown_by(&request, "n")
        };
        assert!(shows("/user=viewer&password=geheim7/video"));
        assert!(shows(
            "rtsp://cam/user=viewer&password=geheim7/stream/track1"
        ));
        assert!(!shows("/user=viewer&password=geheim8/video"));
        assert!(!shows("/user=viewer&password=geheim77/video"));
        assert!(!shows("/video"));
    }

    #[test]
    fn md5_is_md5() {
        assert_eq!(md5("abc"), "900150983cd24fb0d6963f7d28e17f72");
    }
}
