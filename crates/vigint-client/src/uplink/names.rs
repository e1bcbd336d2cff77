//! Names to addresses: `/etc/hosts` and the DNS servers of `/etc/resolv.conf`, and nobody else.
//!
//! Not the C library's `getaddrinfo`: in a static program it loads the system's name service modules, made for
//! another copy of the C library, and dies in them (rust-lang/rust#100711). Nor reqwest's own use of hickory, which
//! reads `/etc/resolv.conf` once, and asks Google where there is none. Here both files are read at each look-up: a
//! program that runs for a year, started before the network was there, must follow them.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hickory_resolver::net::NetError;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::op::Query;
use hickory_resolver::proto::rr;
use hickory_resolver::proto::rr::RecordType;
use hickory_resolver::system_conf::parse_resolv_conf;
use hickory_resolver::{Hosts, TokioResolver, lookup::Lookup};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

/// Below the limit of a connection, so that it is the name that is named.
const LOOK_UP_LIMIT: Duration = Duration::from_secs(8);
/// How long the other kind of address is waited for once there is one: some DNS servers never answer for IPv6.
const OTHER_KIND_LIMIT: Duration = Duration::from_millis(200);
/// A larger file is nobody's configuration.
const MAX_FILE_BYTES: u64 = 4 << 20;

/// Why a name has no address.
#[derive(Debug, thiserror::Error)]
enum NameError {
    #[error("'{0}' is no name of a machine")]
    NotAName(String),
    #[error(
        "{name} is not in /etc/hosts, and {reason}: name a DNS server there, or give the server's IP address"
    )]
    NobodyToAsk { name: String, reason: String },
    #[error(
        "the DNS knows no address of {0}: is it typed right? A name of your own network belongs into /etc/hosts"
    )]
    Unknown(String),
    #[error(
        "the DNS servers in /etc/resolv.conf do not tell the address of {name}: {reason}; is the network up?"
    )]
    NoAnswer { name: String, reason: String },
}

/// The names that this machine can look up. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Names {
    hosts_file: PathBuf,
    resolv_conf: PathBuf,
    /// Another port than the files can say, for tests.
    dns_port: Option<u16>,
    known: Arc<Mutex<Option<Known>>>,
}

/// Who was asked last.
#[derive(Debug)]
struct Known {
    /// The text that named them.
    resolv_conf: Vec<u8>,
    resolver: TokioResolver,
}

impl Names {
    /// As this system's files have them.
    pub(super) fn of_system() -> Self {
        Self {
            hosts_file: "/etc/hosts".into(),
            resolv_conf: "/etc/resolv.conf".into(),
            dns_port: None,
            known: Arc::default(),
        }
    }

    /// All addresses of a name, at least one.
    async fn addresses(&self, name: &str) -> Result<Vec<IpAddr>, NameError> {
        let parsed =
            rr::Name::from_str_relaxed(name).map_err(|_| NameError::NotAName(name.to_owned()))?;
        let listed = self.listed(&parsed).await;
        if !listed.is_empty() {
            return Ok(listed);
        }
        // RFC 6761, 6.3: it is this machine, and never asked about.
        if rr::Name::from_ascii("localhost.").is_ok_and(|zone| zone.zone_of(&parsed)) {
            return Ok(vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()]);
        }
        let resolver = self
            .resolver()
            .await
            .map_err(|error| NameError::NobodyToAsk {
                name: name.to_owned(),
                reason: error.to_string(),
            })?;
        let no_answer = |reason: String| NameError::NoAnswer {
            name: name.to_owned(),
            reason,
        };
        match tokio::time::timeout(LOOK_UP_LIMIT, ask(&resolver, &parsed)).await {
            Ok(Ok(addresses)) if !addresses.is_empty() => Ok(addresses),
            Ok(Ok(_)) => Err(NameError::Unknown(name.to_owned())),
            Ok(Err(error)) if error.is_no_records_found() => {
                Err(NameError::Unknown(name.to_owned()))
            }
            Ok(Err(error)) => Err(no_answer(error.to_string())),
            Err(_) => Err(no_answer("no answer in time".to_owned())),
        }
    }

    /// What `/etc/hosts` says of it. A machine without that file has no such names.
    async fn listed(&self, name: &rr::Name) -> Vec<IpAddr> {
        let text = read(&self.hosts_file).await.unwrap_or_default();
        let mut hosts = Hosts::default();
        // The lines before one that cannot be read count.
        let _ = hosts.read_hosts_conf(text.as_slice());
        let kinds = [RecordType::A, RecordType::AAAA].into_iter();
        let found = kinds
            .filter_map(|kind| hosts.lookup_static_host(&Query::query(name.to_lowercase(), kind)));
        found.flat_map(|found| addresses_in(&found)).collect()
    }

    /// Who is to be asked now. What a DNS server said is remembered as long as it allowed, and while
    /// `/etc/resolv.conf` stays the same.
    async fn resolver(&self) -> io::Result<TokioResolver> {
        let text = read(&self.resolv_conf).await.map_err(|error| {
            let path = self.resolv_conf.display();
            let said = match error.kind() {
                io::ErrorKind::NotFound => format!("there is no {path}"),
                _ => format!("{path} cannot be read ({error})"),
            };
            io::Error::new(error.kind(), said)
        })?;
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = known.as_ref().filter(|known| known.resolv_conf == text) {
            return Ok(known.resolver.clone());
        }
        let resolver = self.build(&text)?;
        *known = Some(Known {
            resolv_conf: text,
            resolver: resolver.clone(),
        });
        Ok(resolver)
    }

    fn build(&self, text: &[u8]) -> io::Result<TokioResolver> {
        let unusable = |error: NetError| {
            let said = format!("{} is of no use ({error})", self.resolv_conf.display());
            io::Error::new(io::ErrorKind::InvalidData, said)
        };
        let (mut config, options) = parse_resolv_conf(text).map_err(unusable)?;
        for connection in config
            .name_servers
            .iter_mut()
            .flat_map(|server| &mut server.connections)
        {
            connection.port = self.dns_port.unwrap_or(connection.port);
        }
        let builder = TokioResolver::builder_with_config(config, TokioRuntimeProvider::default());
        let mut resolver = builder.with_options(options).build().map_err(unusable)?;
        // We have looked there already.
        resolver.set_hosts(Arc::default());
        Ok(resolver)
    }
}

impl Resolve for Names {
    fn resolve(&self, name: Name) -> Resolving {
        let names = self.clone();
        Box::pin(async move {
            let found = names.addresses(name.as_str()).await?;
            // Port 0 stands for the URL's.
            let found = found.into_iter().map(|address| SocketAddr::new(address, 0));
            Ok(Box::new(found) as Addrs)
        })
    }
}

/// Asks for both kinds of addresses at once. Those that come first are enough soon after.
async fn ask(resolver: &TokioResolver, name: &rr::Name) -> Result<Vec<IpAddr>, NetError> {
    let mut v4 = pin!(resolver.lookup(name.clone(), RecordType::A));
    let mut v6 = pin!(resolver.lookup(name.clone(), RecordType::AAAA));
    let (first, other) = tokio::select! {
        first = v4.as_mut() => (first, v6),
        first = v6.as_mut() => (first, v4),
    };
    let found = first.as_ref().map(addresses_in).unwrap_or_default();
    if found.is_empty() {
        // That it could not be told of the one kind says more than that there is none of the other.
        return match (first, other.await) {
            (_, Ok(other)) => Ok(addresses_in(&other)),
            (Err(first), Err(other)) if other.is_no_records_found() => Err(first),
            (_, Err(other)) => Err(other),
        };
    }
    let other = tokio::time::timeout(OTHER_KIND_LIMIT, other).await;
    let other = other.ok().and_then(Result::ok);
    let other = other.as_ref().map(addresses_in).unwrap_or_default();
    Ok([found, other].concat())
}

fn addresses_in(lookup: &Lookup) -> Vec<IpAddr> {
    let answers = lookup.answers().iter();
    answers.filter_map(|record| record.data.ip_addr()).collect()
}

/// A file of the system. A folder or a device in its place is an error, too.
async fn read(path: &Path) -> io::Result<Vec<u8>> {
    let about = tokio::fs::metadata(path).await?;
    if !about.is_file() || about.len() > MAX_FILE_BYTES {
        return Err(io::Error::other("it is no text file"));
    }
    tokio::fs::read(path).await
}

#[cfg(test)]
mod tests;
