//! A server that reads what it is sent, keeps nothing and says what Vigint says when all is well.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

const AT: &str = "2026-11-22T15:40:03.250Z";

/// It; gone when dropped, its connections too.
pub(super) struct Sink {
    address: SocketAddr,
    open: Arc<Mutex<Vec<TcpStream>>>,
    ends: Arc<AtomicBool>,
    listening: Option<JoinHandle<()>>,
}

impl Sink {
    pub(super) fn start(address: SocketAddr) -> anyhow::Result<Self> {
        let listener = TcpListener::bind(address)?;
        let address = listener.local_addr()?;
        let open: Arc<Mutex<Vec<TcpStream>>> = Arc::default();
        let ends = Arc::new(AtomicBool::new(false));
        let (kept, told) = (Arc::clone(&open), Arc::clone(&ends));
        let listening = std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if told.load(SeqCst) {
                    return;
                }
                if let Ok(copy) = stream.try_clone() {
                    lock(&kept).push(copy);
                }
                std::thread::spawn(move || {
                    // Whatever ends a connection ends it.
                    let _ = serve(stream);
                });
            }
        });
        Ok(Self {
            address,
            open,
            ends,
            listening: Some(listening),
        })
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        self.ends.store(true, SeqCst);
        // The listener waits for a connection: this is the last.
        let _ = TcpStream::connect(self.address);
        if let Some(listening) = self.listening.take() {
            let _ = listening.join();
        }
        for stream in lock(&self.open).drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

fn lock(open: &Mutex<Vec<TcpStream>>) -> std::sync::MutexGuard<'_, Vec<TcpStream>> {
    open.lock().unwrap_or_else(PoisonError::into_inner)
}

fn serve(mut stream: TcpStream) -> anyhow::Result<()> {
    stream.set_nodelay(true)?;
    let mut reader = BufReader::with_capacity(64 * 1024, stream.try_clone()?);
    let mut line = String::new();
    loop {
        line.clear();
        if reader.read_line(&mut line)? == 0 {
            return Ok(());
        }
        let is_batch = line.contains("/batch ");
        let mut length = 0_u64;
        while line != "\r\n" {
            line.clear();
            reader.read_line(&mut line)?;
            if let Some((name, value)) = line.split_once(':')
                && name.eq_ignore_ascii_case("content-length")
            {
                length = value.trim().parse()?;
            }
        }
        std::io::copy(&mut reader.by_ref().take(length), &mut std::io::sink())?;
        let body = if is_batch {
            r#"{"status":"buffered","frames_added":1,"buffer_size":1}"#.to_owned()
        } else {
            format!(
                r#"{{"status":"buffered","frame_count":1,"buffer_size":1,"timestamp":"{AT}","source_id":"default"}}"#
            )
        };
        let length = body.len();
        stream.write_all(
            format!("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}")
                .as_bytes(),
        )?;
    }
}
