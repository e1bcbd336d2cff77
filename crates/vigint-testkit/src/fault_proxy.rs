//! What stands between a client and its server and can be bad: a forwarder on loopback that stalls, slows and cuts
//! connections, and reads what passes. An observer is told each frame once it is acknowledged with 200, and what is said
//! beside the pictures.
//!
//! It must not know what the pictures show.
//!
//! ```no_run
//! # async fn example() -> std::io::Result<()> {
//! use std::sync::Arc;
//! use vigint_testkit::fault_proxy::{FaultProxy, Passed};
//!
//! let proxy = FaultProxy::start(Arc::new(|passed| {
//!     if let Passed::Frame(frame) = passed {
//!         eprintln!("{}", frame.source_id);
//!     }
//! }))?;
//! proxy.forward_to("127.0.0.1:5002".parse().unwrap());
//! // ... what is tested talks to `proxy.url()` ...
//! proxy.stall();
//! proxy.cure();
//! # Ok(())
//! # }
//! ```

mod frames;
mod line;
mod message;
mod pump;
#[cfg(test)]
mod tests;

use std::fmt;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::timeout;

pub use self::frames::PassedFrame;

use self::line::{Flow, Line};

/// What is told of what passes.
#[derive(Debug)]
pub enum Passed {
    /// A frame, now that it is acknowledged.
    Frame(PassedFrame),
    /// What a request or an answer says beside pictures: its first line, its headers but for `Authorization`, where the
    /// key belongs, and all of its body that is no picture.
    Said(Vec<u8>),
    /// What cannot be followed, and why: that connection is cut, and nothing is known of what it carried.
    NotFollowed(String),
}

/// Who is told, of one after the other.
pub type Observer = Arc<dyn Fn(Passed) + Send + Sync>;

/// How long the server may take to be connected to.
const CONNECT_LIMIT: Duration = Duration::from_secs(10);

/// A running proxy. Its port and all its connections are closed when this is dropped.
pub struct FaultProxy {
    address: SocketAddr,
    line: Arc<Line>,
    server: watch::Sender<Option<SocketAddr>>,
    /// Whoever is told that all connections are cut.
    cuts: mpsc::UnboundedSender<oneshot::Sender<()>>,
    acceptor: JoinHandle<()>,
}

impl fmt::Debug for FaultProxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FaultProxy at {}", self.address)
    }
}

impl FaultProxy {
    /// Starts one on a free port of the loopback, with no server behind it yet. Needs a tokio runtime, which must run for
    /// as long as it forwards.
    ///
    /// # Errors
    /// When there is no free port.
    pub fn start(observer: Observer) -> io::Result<Self> {
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        let listener = TcpListener::from_std(listener)?;
        let address = listener.local_addr()?;
        let line = Arc::new(Line::new());
        let server = watch::Sender::new(None);
        let (cuts, to_cut) = mpsc::unbounded_channel();
        let acceptor = tokio::spawn(accept(
            listener,
            Arc::clone(&line),
            observer,
            server.clone(),
            to_cut,
        ));
        Ok(Self {
            address,
            line,
            server,
            cuts,
            acceptor,
        })
    }

    /// Where it is, as clients take it.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// New connections go to this server.
    pub fn forward_to(&self, server: SocketAddr) {
        self.server.send_replace(Some(server));
    }

    /// Nothing passes any more, and nobody is told.
    pub fn stall(&self) {
        self.line.become_so(Flow::Stalled);
    }

    /// So many bytes pass a second, of all connections and both ways together.
    pub fn slow(&self, bytes_per_second: u32) {
        self.line.become_so(Flow::Slow(bytes_per_second));
    }

    /// Closes all connections, and waits until they are. What they hold is lost. New ones are forwarded.
    pub async fn cut(&self) {
        let (done, is_done) = oneshot::channel();
        // Whoever accepts lives as long as this does, or the panic that ended it is told elsewhere.
        let _ = self.cuts.send(done);
        let _ = is_done.await;
    }

    /// All passes at once again.
    pub fn cure(&self) {
        self.line.become_so(Flow::Open);
    }
}

impl Drop for FaultProxy {
    fn drop(&mut self) {
        self.acceptor.abort();
    }
}

async fn accept(
    listener: TcpListener,
    line: Arc<Line>,
    observer: Observer,
    server: watch::Sender<Option<SocketAddr>>,
    mut cuts: mpsc::UnboundedReceiver<oneshot::Sender<()>>,
) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let Ok((client, _)) = accepted else { continue };
                let (line, observer) = (Arc::clone(&line), Arc::clone(&observer));
                let server = *server.borrow();
                connections.spawn(async move {
                    line.clear(0).await;
                    let Some(server) = server else { return };
                    let connecting = timeout(CONNECT_LIMIT, TcpStream::connect(server)).await;
                    let Ok(Ok(server)) = connecting else { return };
                    // How either side ends its connection is its own affair.
                    if let Err(error) = pump::forward(&line, &observer, client, server).await
                        && error.kind() == io::ErrorKind::InvalidData
                    {
                        observer(Passed::NotFollowed(error.to_string()));
                    }
                });
            }
            Some(ended) = connections.join_next() => {
                if let Err(error) = ended
                    && error.is_panic()
                {
                    std::panic::resume_unwind(error.into_panic());
                }
            }
            cut = cuts.recv() => {
                connections.shutdown().await;
                let Some(done) = cut else { return };
                // Whoever asked may have gone.
                let _ = done.send(());
            }
        }
    }
}
