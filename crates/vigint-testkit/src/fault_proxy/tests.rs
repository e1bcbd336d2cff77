//! The proxy between a client and a server that are both written by hand.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::sync::mpsc;

use super::*;

const PATIENCE: Duration = Duration::from_secs(60);
/// Long enough for what may pass to have passed.
const SILENCE: Duration = Duration::from_millis(500);
const REQUEST: &[u8] =
    b"POST /api/video/buffer?source_id=till&frame_count=1 HTTP/1.1\r\nContent-Length: 4\r\n\r\njpeg";
const TAKEN: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}";
const REFUSED: &[u8] = b"HTTP/1.1 503 Busy\r\nContent-Length: 2\r\n\r\n{}";

struct Stage {
    proxy: FaultProxy,
    client: TcpStream,
    server: TcpStream,
    seen: mpsc::UnboundedReceiver<PassedFrame>,
    not_followed: mpsc::UnboundedReceiver<String>,
}

async fn stage() -> Stage {
    let (tell, seen) = mpsc::unbounded_channel();
    let (complain, not_followed) = mpsc::unbounded_channel();
    let observer: Observer = Arc::new(move |passed| match passed {
        Passed::Frame(frame) => tell.send(frame).unwrap(),
        Passed::NotFollowed(why) => complain.send(why).unwrap(),
        Passed::Said(_) => {}
    });
    let proxy = FaultProxy::start(observer).unwrap();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    proxy.forward_to(listener.local_addr().unwrap());
    let client = TcpStream::connect(proxy.address).await.unwrap();
    let (server, _) = timeout(PATIENCE, listener.accept()).await.unwrap().unwrap();
    Stage {
        proxy,
        client,
        server,
        seen,
        not_followed,
    }
}

async fn send(from: &mut TcpStream, to: &mut TcpStream, bytes: &[u8]) {
    from.write_all(bytes).await.unwrap();
    receive(to, bytes).await;
}

async fn receive(to: &mut TcpStream, bytes: &[u8]) {
    let mut received = vec![0; bytes.len()];
    timeout(PATIENCE, to.read_exact(&mut received))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(received, bytes);
}

#[tokio::test]
async fn a_frame_is_told_once_it_is_acknowledged_and_not_when_it_is_refused() {
    let mut at = stage().await;
    send(&mut at.client, &mut at.server, REQUEST).await;
    send(&mut at.server, &mut at.client, REFUSED).await;
    assert!(at.seen.try_recv().is_err(), "a refused frame was told");
    send(&mut at.client, &mut at.server, REQUEST).await;
    assert!(
        at.seen.try_recv().is_err(),
        "told before it is acknowledged"
    );
    send(&mut at.server, &mut at.client, TAKEN).await;
    let frame = at.seen.try_recv().unwrap();
    assert_eq!(
        (frame.source_id.as_str(), frame.jpeg.as_slice()),
        ("till", &b"jpeg"[..])
    );
}

#[tokio::test]
async fn nothing_passes_a_stalled_line_until_it_is_cured() {
    let mut at = stage().await;
    at.proxy.stall();
    at.client.write_all(REQUEST).await.unwrap();
    let mut byte = [0];
    let passed = timeout(SILENCE, at.server.peek(&mut byte)).await;
    assert!(passed.is_err(), "a byte passed");
    at.proxy.cure();
    receive(&mut at.server, REQUEST).await;
}

#[tokio::test]
async fn a_slow_line_lets_pass_what_it_says_and_is_quick_once_it_is_cured() {
    let mut at = stage().await;
    at.proxy.slow(1 << 10);
    at.client.write_all(&vec![b'x'; 64 << 10]).await.unwrap();
    let mut received = vec![0; 64 << 10];
    let all = timeout(SILENCE, at.server.read_exact(&mut received)).await;
    assert!(all.is_err(), "a minute's worth passed at once");
    at.proxy.cure();
    let mut rest = 0;
    while rest == 0 {
        rest = timeout(PATIENCE, at.server.read(&mut received))
            .await
            .unwrap()
            .unwrap();
    }
}

#[tokio::test]
async fn what_cannot_be_followed_is_told_and_cut() {
    let mut at = stage().await;
    let chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    at.server.write_all(chunked).await.unwrap();
    let why = timeout(PATIENCE, at.not_followed.recv()).await.unwrap();
    assert!(why.unwrap().contains("chunks"));
    let read = timeout(PATIENCE, at.client.read(&mut [0])).await.unwrap();
    assert_eq!(read.unwrap_or(0), 0);
}

#[tokio::test]
async fn a_cut_closes_the_connection_on_both_sides() {
    let mut at = stage().await;
    at.proxy.cut().await;
    for side in [&mut at.client, &mut at.server] {
        let read = timeout(PATIENCE, side.read(&mut [0])).await.unwrap();
        assert_eq!(read.unwrap_or(0), 0);
    }
}
