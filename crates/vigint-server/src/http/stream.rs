//! A connection's stream that ends when its client is shown out, though actix is waiting for its next request.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::presence::Connection;

/// The stream, plain or TLS.
pub(super) struct EndingStream<S> {
    inner: S,
    connection: Arc<Connection>,
}

impl<S> EndingStream<S> {
    pub(super) const fn new(inner: S, connection: Arc<Connection>) -> Self {
        Self { inner, connection }
    }

    /// What is known of the connection.
    pub(super) const fn connection(&self) -> &Arc<Connection> {
        &self.connection
    }

    fn go_on(&self) -> io::Result<()> {
        if self.connection.is_cut() {
            return Err(io::ErrorKind::ConnectionAborted.into());
        }
        Ok(())
    }
}

impl<S> Drop for EndingStream<S> {
    fn drop(&mut self) {
        self.connection.leave();
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for EndingStream<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.go_on()?;
        match Pin::new(&mut self.inner).poll_read(cx, buf) {
            // The end, as if the client had closed. What has come until now is still answered: on a connection that a
            // proxy keeps, it may be another's first request.
            Poll::Pending if self.connection.poll_is_over(cx) => Poll::Ready(self.go_on()),
            other => other,
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for EndingStream<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.go_on()?;
        match Pin::new(&mut self.inner).poll_write(cx, buf) {
            Poll::Pending if self.connection.poll_is_over(cx) => {
                Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()))
            }
            other => other,
        }
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.go_on()?;
        Pin::new(&mut self.inner).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}
