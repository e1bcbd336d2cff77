//! A DNS server (RFC 1035) on this machine that knows the names it is given, and is the authority on all others:
//! they do not exist. It knows A and AAAA, one address a name; it speaks UDP.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

const HEADER: usize = 12;
/// The longest message without EDNS (RFC 1035, 2.3.4).
const LONGEST: usize = 512;
const TYPE_A: u16 = 1;
const TYPE_AAAA: u16 = 28;

/// Runs until it is dropped.
#[derive(Debug)]
pub struct NameServer {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<String>>>,
    running: Option<JoinHandle<()>>,
}

impl NameServer {
    /// Listens here; port 0 takes any free one.
    ///
    /// # Errors
    /// When it cannot: port 53 is for root.
    pub fn start(listen: SocketAddr, known: &[(&str, IpAddr)]) -> io::Result<Self> {
        Self::spawn(listen, known, false)
    }

    /// The same, but whoever asks for an IPv6 address hears nothing, as from some old routers.
    ///
    /// # Errors
    /// When it cannot listen.
    pub fn start_deaf_to_ipv6(listen: SocketAddr, known: &[(&str, IpAddr)]) -> io::Result<Self> {
        Self::spawn(listen, known, true)
    }

    fn spawn(
        listen: SocketAddr,
        known: &[(&str, IpAddr)],
        is_deaf_to_ipv6: bool,
    ) -> io::Result<Self> {
        let socket = UdpSocket::bind(listen)?;
        let address = socket.local_addr()?;
        let asked = Arc::new(Mutex::new(Vec::new()));
        let known: Vec<_> = known
            .iter()
            .map(|(name, address)| (name.to_ascii_lowercase(), *address))
            .collect();
        let noted = Arc::clone(&asked);
        let running = std::thread::spawn(move || {
            let mut message = [0; LONGEST];
            while let Ok((length, from)) = socket.recv_from(&mut message) {
                // Nobody asks with nothing but our own end.
                if length == 0 {
                    return;
                }
                let Some(question) = Question::read(&message[..length]) else {
                    continue;
                };
                noted.lock().unwrap().push(question.name.clone());
                if is_deaf_to_ipv6 && question.kind == TYPE_AAAA {
                    continue;
                }
                let found = known.iter().find(|(name, _)| *name == question.name);
                let answer = question.answer(found.map(|(_, address)| *address));
                // Whoever asked may be gone.
                let _ = socket.send_to(&answer, from);
            }
        });
        Ok(Self {
            address,
            asked,
            running: Some(running),
        })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The names it was asked for so far, in small letters, without the dot at the end.
    ///
    /// # Panics
    /// When its thread has panicked.
    #[must_use]
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

impl Drop for NameServer {
    fn drop(&mut self) {
        let end = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))
            .and_then(|socket| socket.send_to(&[], self.address));
        if let (Ok(_), Some(running)) = (end, self.running.take()) {
            drop(running.join());
        }
    }
}

/// The one question of a message.
struct Question<'a> {
    id: &'a [u8],
    /// As it came, letter for letter: a resolver compares it.
    bytes: &'a [u8],
    name: String,
    kind: u16,
}

impl<'a> Question<'a> {
    fn read(message: &'a [u8]) -> Option<Self> {
        let mut name = Vec::new();
        let mut at = HEADER;
        loop {
            let length = usize::from(*message.get(at)?);
            at += 1;
            if length == 0 {
                break;
            }
            name.push(String::from_utf8_lossy(message.get(at..at + length)?).to_ascii_lowercase());
            at += length;
        }
        let kind = message.get(at..at + 2)?;
        Some(Self {
            id: message.get(..2)?,
            bytes: message.get(HEADER..at + 4)?,
            name: name.join("."),
            kind: u16::from_be_bytes([kind[0], kind[1]]),
        })
    }

    /// One address, none of this kind, or that there is no such name.
    fn answer(&self, address: Option<IpAddr>) -> Vec<u8> {
        let data = match (address, self.kind) {
            (Some(IpAddr::V4(v4)), TYPE_A) => Some(v4.octets().to_vec()),
            (Some(IpAddr::V6(v6)), TYPE_AAAA) => Some(v6.octets().to_vec()),
            _ => None,
        };
        let no_such_name = if address.is_none() { 3 } else { 0 };
        // An answer, recursion asked for and there.
        let flags = [0x81, 0x80 | no_such_name];
        let counts = [0, 1, 0, u8::from(data.is_some()), 0, 0, 0, 0];
        let mut answer = [self.id, &flags, &counts, self.bytes].concat();
        if let Some(data) = data {
            // The name of the question; its kind; the internet; for a minute.
            answer.extend([0xc0, 12]);
            answer.extend(self.kind.to_be_bytes());
            answer.extend([0, 1, 0, 0, 0, 60, 0]);
            answer.push(u8::try_from(data.len()).unwrap());
            answer.extend(data);
        }
        answer
    }
}
