//! A line with a delay: what goes in at one end comes out at the other half a round trip later.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use vigint_core::clock::{Clock as _, SystemClock};

/// Starts one to this address, for the one connection that is made to it. Returns where it listens.
pub(super) fn start(to: SocketAddr, round_trip: Duration) -> anyhow::Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    std::thread::spawn(move || -> anyhow::Result<()> {
        let (near, _) = listener.accept()?;
        let far = TcpStream::connect(to)?;
        for stream in [&near, &far] {
            stream.set_nodelay(true)?;
        }
        carry(near.try_clone()?, far.try_clone()?, round_trip / 2);
        carry(far, near, round_trip / 2);
        Ok(())
    });
    Ok(address)
}

/// One direction: reads at once, writes later.
fn carry(mut from: TcpStream, mut into: TcpStream, delay: Duration) {
    let clock = Arc::new(SystemClock::new());
    let readers = Arc::clone(&clock);
    let (taken, due): (Sender<(Duration, Vec<u8>)>, Receiver<_>) = channel();
    std::thread::spawn(move || {
        for (at, bytes) in due {
            while let Some(rest) = at
                .checked_sub(clock.elapsed())
                .filter(|rest| !rest.is_zero())
            {
                std::thread::park_timeout(rest);
            }
            if into.write_all(&bytes).is_err() {
                break;
            }
        }
        let _ = into.shutdown(Shutdown::Both);
    });
    std::thread::spawn(move || {
        let mut buffer = vec![0; 64 * 1024];
        while let Ok(read @ 1..) = from.read(&mut buffer) {
            let bytes = buffer.get(..read).unwrap_or_default().to_vec();
            if taken.send((readers.elapsed() + delay, bytes)).is_err() {
                break;
            }
        }
    });
}
