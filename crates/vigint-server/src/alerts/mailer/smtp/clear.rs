//! What is said in the clear, before STARTTLS.
//!
//! lettre reads lines through a buffer that outlives the change to TLS. Whoever sits between could put answers behind
//! the server's "go ahead", and they would count as said under TLS: a mail "accepted" by nobody. So nothing beyond
//! the line that is being read gets into the buffer; what else was said in the clear stays for TLS, which refuses it.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use lettre::transport::smtp::client::AsyncTokioStream;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// How TLS begins: a record of the handshake (RFC 8446 §5.1). No command does.
const HANDSHAKE: u8 = 22;

/// A connection that is read byte by byte until TLS begins.
#[derive(Debug)]
pub(super) struct Clear {
    stream: TcpStream,
    is_clear: bool,
}

impl Clear {
    pub(super) const fn new(stream: TcpStream) -> Self {
        Self {
            stream,
            is_clear: true,
        }
    }
}

impl AsyncTokioStream for Clear {
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.stream.peer_addr()
    }
}

impl AsyncRead for Clear {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if !self.is_clear || buf.remaining() == 0 {
            return Pin::new(&mut self.stream).poll_read(cx, buf);
        }
        let mut one = [0];
        let mut one = ReadBuf::new(&mut one);
        ready!(Pin::new(&mut self.stream).poll_read(cx, &mut one))?;
        buf.put_slice(one.filled());
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Clear {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if bytes.first() == Some(&HANDSHAKE) {
            self.is_clear = false;
        }
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
