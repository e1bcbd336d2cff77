//! `[API]`: where the server listens, how it is reached, and what it signs with.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use ipnet::IpNet;
use vigint_core::key::Secret;

use super::definition::section;
use super::parse::{number, optional, path, web_address};
use super::secrets::signing_secret;

section! {
    /// Where the server listens, how it is reached, and what it signs with.
    Api in "API" {
        /// The address to listen on: an IP address or a host name.
        host: String = "0.0.0.0", env HOST => host_name;
        /// The port to listen on; 0 takes any free one.
        port: u16 = "5002", env PORT => number(0..=65_535);
        /// Signs the links to clips: at least 32 bytes, for instance from `openssl rand -hex 32`.
        /// Without it the server makes one on its first start, in vigint-data/secret_key.
        @secret secret_key: Option<Secret> = "", env SECRET_KEY => optional(signing_secret);
        /// The secret_key before this one; links signed with it still open.
        @secret previous_secret_key: Option<Secret> = "" => optional(signing_secret);
        /// How customers reach the server; the links in mails begin with it. Must be given when smtp_server is.
        /// Default: localhost and the port above, with https when tls_cert is given.
        @masked public_url: String = "", env VIGINT_PUBLIC_URL => web_address;
        /// Certificate chain (PEM) for https; together with tls_key.
        tls_cert: Option<PathBuf> = "" => optional(path);
        /// Private key (PEM) of tls_cert.
        tls_key: Option<PathBuf> = "" => optional(path);
        /// Proxies in front of the server whose X-Forwarded-For is believed: addresses or networks
        /// such as 10.0.0.0/8, with commas between them. Default: none.
        trusted_proxies: Vec<IpNet> = "" => networks;
        /// Address and port, such as 127.0.0.1:9090, on which /metrics is open to all. Default: none.
        metrics_listen: Option<SocketAddr> = "" => optional(listener);
        /// Threads that answer requests, 1 to 256. Default: one a processor.
        workers: Option<usize> = "" => optional(number(1..=256));
    }
}

fn host_name(text: &str) -> Result<String, String> {
    let bare = text.trim_start_matches('[').trim_end_matches(']');
    let is_name = !text.is_empty()
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-'));
    if bare.parse::<IpAddr>().is_ok() || is_name {
        Ok(bare.to_owned())
    } else {
        Err("must be an IP address or a host name, without a port".to_owned())
    }
}

fn networks(text: &str) -> Result<Vec<IpNet>, String> {
    text.split([',', ' ', '\t'])
        .filter(|part| !part.is_empty())
        .map(|part| {
            part.parse::<IpNet>()
                .or_else(|_| part.parse::<IpAddr>().map(IpNet::from))
                .map_err(|_| {
                    format!("'{part}' is neither an address (10.0.0.7) nor a network (10.0.0.0/8)")
                })
        })
        .collect()
}

fn listener(text: &str) -> Result<SocketAddr, String> {
    text.parse()
        .map_err(|_| "must be an address and a port, such as 127.0.0.1:9090".to_owned())
}
