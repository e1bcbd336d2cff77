//! One connection through the proxy: bytes go both ways as the state of the line allows, and are looked at on the way.

use std::collections::VecDeque;
use std::io;
use std::sync::{Mutex, PoisonError};

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::Observer;
use super::Passed;
use super::frames::{PassedFrame, frames_in, said_in};
use super::line::Line;
use super::message::{Message, Messages};

/// Bytes taken at once; few, so that a slow line is slow evenly.
const CHUNK: usize = 8 << 10;

/// Forwards both ways until either side ends.
pub(super) async fn forward(
    line: &Line,
    observer: &Observer,
    mut client: TcpStream,
    mut server: TcpStream,
) -> io::Result<()> {
    let (mut from_client, mut to_client) = client.split();
    let (mut from_server, mut to_server) = server.split();
    let asked = Mutex::new(VecDeque::new());
    let mut requests = Messages::default();
    let mut answers = Messages::default();
    let up = pass(line, &mut from_client, &mut to_server, |bytes| {
        for request in requests.take(bytes)? {
            observer(Passed::Said(said_in(&request)));
            lock(&asked).push_back(frames_in(request));
        }
        Ok(())
    });
    let down = pass(line, &mut from_server, &mut to_client, |bytes| {
        for answer in answers.take(bytes)? {
            observer(Passed::Said(said_in(&answer)));
            if !is_final(&answer) {
                continue;
            }
            let frames: Vec<PassedFrame> = lock(&asked).pop_front().unwrap_or_default();
            if answer.word(1) == "200" {
                frames.into_iter().map(Passed::Frame).for_each(&**observer);
            }
        }
        Ok(())
    });
    tokio::select! {
        ended = up => ended,
        ended = down => ended,
    }
}

async fn pass(
    line: &Line,
    from: &mut (impl AsyncRead + Unpin),
    to: &mut (impl AsyncWrite + Unpin),
    mut look: impl FnMut(&[u8]) -> io::Result<()>,
) -> io::Result<()> {
    let mut chunk = vec![0; CHUNK];
    loop {
        let read = from.read(&mut chunk).await?;
        if read == 0 {
            return Ok(());
        }
        line.clear(read).await;
        // Before it arrives: what its reader does next is then seen after it.
        look(&chunk[..read])?;
        to.write_all(&chunk[..read]).await?;
    }
}

/// Answers such as `100 Continue` are followed by another.
fn is_final(answer: &Message) -> bool {
    !answer.word(1).starts_with('1')
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
