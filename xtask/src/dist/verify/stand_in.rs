//! Stands in for a server as far as `vigint-client check` without a key asks it: how it is.

use std::cell::RefCell;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::time::Duration;

use vigint_core::clock::{Clock as _, SystemClock};
use vigint_core::wire::{Checks, HealthResponse, HealthStatus};

/// The client is on this machine, and has nothing to think about.
const LIMIT: Duration = Duration::from_secs(5);

/// On a free port of the loopback. It answers when it is told to.
pub(super) struct StandIn {
    listener: TcpListener,
    port: u16,
    hosts: RefCell<Vec<String>>,
}

impl StandIn {
    pub(super) fn start() -> anyhow::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        Ok(Self {
            port: listener.local_addr()?.port(),
            listener,
            hosts: RefCell::default(),
        })
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }

    /// The hosts that requests were for so far, as they named them.
    pub(super) fn asked(&self) -> Vec<String> {
        self.hosts.borrow().clone()
    }

    /// Answers who waits, if anybody does. A client that hangs up is not our failure: it will say so itself.
    pub(super) fn answer(&self) {
        while let Ok((stream, _)) = self.listener.accept() {
            if let Ok(host) = answer_one(&stream) {
                self.hosts.borrow_mut().push(host);
            }
        }
    }
}

fn answer_one(mut stream: &TcpStream) -> anyhow::Result<String> {
    stream.set_nonblocking(false)?;
    stream.set_read_timeout(Some(LIMIT))?;
    stream.set_write_timeout(Some(LIMIT))?;
    let mut host = String::new();
    for line in BufReader::new(stream).lines() {
        let line = line?;
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("host")
        {
            value.trim().clone_into(&mut host);
        }
        if line.is_empty() {
            break;
        }
    }
    let body = serde_json::to_string(&health())?;
    write!(
        stream,
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )?;
    Ok(host)
}

fn health() -> HealthResponse {
    HealthResponse {
        status: HealthStatus::Healthy,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        time: SystemClock::new().now(),
        checks: Checks {
            database: "ok".to_owned(),
            clips: "ok".to_owned(),
            mail: "file".to_owned(),
            analyzer: "motion".to_owned(),
            hosting: None,
        },
    }
}
