//! Where a server is, when it is reached over the network: only where the admin key stays private.

use std::net::IpAddr;

use url::{Host, Url};
use vigint_core::secrecy;

/// A server's address that an admin key may be sent to.
#[derive(Clone, Debug)]
pub(crate) struct ServerAddress {
    url: Url,
    pub(crate) is_loopback: bool,
}

/// An address that it may not be sent to. The text says what is wrong and the cure.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum InvalidAddress {
    #[error("--server-url: '{0}' is no address of a server such as https://vigint.example.com")]
    NotAnAddress(String),
    #[error(
        "--server-url: the admin key would go over the network for all to read: write https:// (plain http is for this machine alone)"
    )]
    Plain,
    #[error(
        "--server-url: leave user and password out of the address; the admin key is taken from VIGINT_ADMIN_KEY"
    )]
    Password,
}

impl std::str::FromStr for ServerAddress {
    type Err = InvalidAddress;

    fn from_str(text: &str) -> Result<Self, InvalidAddress> {
        let wrong = || InvalidAddress::NotAnAddress(fit_to_show(text));
        let mut url: Url = text.trim().parse().map_err(|_| wrong())?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(InvalidAddress::Password);
        }
        let is_server = matches!(url.scheme(), "http" | "https")
            && url.has_host()
            && url.query().is_none()
            && url.fragment().is_none();
        if !is_server {
            return Err(wrong());
        }
        let is_loopback = match url.host() {
            Some(Host::Domain(name)) => name.eq_ignore_ascii_case("localhost"),
            Some(Host::Ipv4(address)) => IpAddr::V4(address).is_loopback(),
            Some(Host::Ipv6(address)) => IpAddr::V6(address).to_canonical().is_loopback(),
            None => false,
        };
        if url.scheme() == "http" && !is_loopback {
            return Err(InvalidAddress::Plain);
        }
        // What is joined to it begins after the last slash.
        let folder = format!("{}/", url.path().trim_end_matches('/'));
        url.set_path(&folder);
        Ok(Self { url, is_loopback })
    }
}

impl ServerAddress {
    /// Whether it is reached without TLS.
    pub(super) fn is_plain(&self) -> bool {
        self.url.scheme() == "http"
    }

    /// The address of a path below it, such as `admin/clients`, with these parts of a query.
    pub(super) fn at(&self, path: &str, query: &[(&str, String)]) -> Url {
        let mut url = self.url.clone();
        url.set_path(&format!("{}{path}", self.url.path()));
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        url
    }
}

impl std::fmt::Display for ServerAddress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.url.as_str().trim_end_matches('/'))
    }
}

/// What was given, without its query: people put keys there. What else could be one is hidden, too.
fn fit_to_show(text: &str) -> String {
    let shown = match text.split_once('?') {
        Some((before, _)) => format!("{before}?{}", secrecy::HIDDEN),
        None => text.to_owned(),
    };
    secrecy::without(&shown, [shown.as_str()])
        .chars()
        .take(200)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<String, InvalidAddress> {
        text.parse::<ServerAddress>()
            .map(|address| address.to_string())
    }

    #[test]
    fn plain_http_is_for_this_machine_alone() {
        for good in [
            "http://localhost:5002",
            "http://127.0.0.1:5002",
            "http://[::1]:5002",
            "https://v.example",
        ] {
            assert_eq!(read(good).as_deref(), Ok(good));
        }
        for bad in [
            "http://v.example",
            "http://10.0.0.1:5002",
            "http://localhost.evil.example",
            "http://127.0.0.1.evil.example",
        ] {
            assert_eq!(read(bad), Err(InvalidAddress::Plain), "{bad}");
        }
    }

    #[test]
    fn what_is_no_server_is_named() {
        for bad in [
            "v.example",
            "ftp://v.example",
            "https://",
            "https://v.example/?key=1",
            "",
        ] {
            assert!(
                matches!(read(bad), Err(InvalidAddress::NotAnAddress(_))),
                "{bad}"
            );
        }
        assert_eq!(
            read("https://admin:secret@v.example"),
            Err(InvalidAddress::Password)
        );
    }

    #[test]
    fn what_may_be_a_key_in_a_wrong_address_is_not_shown() {
        for (text, shown) in [
            (
                "https://v.example/?key=5f1c0a9be27d4438b6e1",
                "https://v.example/?***",
            ),
            ("vgt_0123456789abcdef", "***"),
        ] {
            assert_eq!(
                read(text),
                Err(InvalidAddress::NotAnAddress(shown.to_owned()))
            );
        }
    }

    #[test]
    fn paths_are_joined_below_the_address() {
        let address: ServerAddress = "https://v.example/vigint".parse().unwrap();
        let url = address.at(
            "admin/usage",
            &[("from", "2026-11-24T00:00:00+01:00".to_owned())],
        );
        assert_eq!(
            url.as_str(),
            "https://v.example/vigint/admin/usage?from=2026-11-24T00%3A00%3A00%2B01%3A00"
        );
    }
}
