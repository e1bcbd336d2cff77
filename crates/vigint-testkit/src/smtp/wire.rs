//! Lines in and out, in the clear or under TLS.

use std::io;

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// A line of a mail may have 1000 bytes (RFC 5321 §4.5.3.1.6), one of a login 12288 (RFC 4954 §4).
const LONGEST_LINE: u64 = 16 * 1024;

pub(super) enum Wire {
    Plain(BufReader<TcpStream>),
    Tls(Box<BufReader<TlsStream<TcpStream>>>),
}

impl Wire {
    pub(super) fn new(stream: TcpStream) -> Self {
        Self::Plain(BufReader::new(stream))
    }

    pub(super) fn is_tls(&self) -> bool {
        matches!(self, Self::Tls(_))
    }

    /// Sets TLS up. What was said before it and not yet read would be taken as said under it: it is refused.
    pub(super) async fn upgrade(self, acceptor: &TlsAcceptor) -> io::Result<Self> {
        let Self::Plain(reader) = self else {
            return Err(io::Error::other("TLS within TLS"));
        };
        if !reader.buffer().is_empty() {
            return Err(io::Error::other("commands before TLS was set up"));
        }
        let stream = acceptor.accept(reader.into_inner()).await?;
        Ok(Self::Tls(Box::new(BufReader::new(stream))))
    }

    /// The next line, with its end; empty when the client has closed the connection.
    pub(super) async fn line(&mut self) -> io::Result<Vec<u8>> {
        let mut line = Vec::new();
        match self {
            Self::Plain(reader) => {
                reader
                    .take(LONGEST_LINE)
                    .read_until(b'\n', &mut line)
                    .await?
            }
            Self::Tls(reader) => {
                reader
                    .take(LONGEST_LINE)
                    .read_until(b'\n', &mut line)
                    .await?
            }
        };
        if line.is_empty() || line.ends_with(b"\n") {
            Ok(line)
        } else {
            Err(io::Error::other("a line too long, or cut short"))
        }
    }

    pub(super) async fn say(&mut self, reply: &str) -> io::Result<()> {
        let text = reply.replace('\n', "\r\n") + "\r\n";
        match self {
            Self::Plain(reader) => reader.get_mut().write_all(text.as_bytes()).await,
            Self::Tls(reader) => {
                reader.get_mut().write_all(text.as_bytes()).await?;
                reader.get_mut().flush().await
            }
        }
    }

    /// Ends the connection, and TLS in order.
    pub(super) async fn close(self) -> io::Result<()> {
        match self {
            Self::Plain(reader) => reader.into_inner().shutdown().await,
            Self::Tls(reader) => reader.into_inner().shutdown().await,
        }
    }
}
