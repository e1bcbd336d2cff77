//! Cameras that break in every way they know, read by the real ffmpeg.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::timeout;
use vigint_client::{Event, RunError, SecureVideoAnalyzer, Source};
use vigint_testkit::camera::{Camera, Codec, Films, Login, Scheme, counter};

use crate::authority::Authority;
use crate::program::has_ffmpeg;
use crate::scripted_server::{PATIENCE, Reply, Request, ScriptedServer, SentFrame};

const PASSWORD: &str = "geheim7&more";

fn login(scheme: Scheme) -> Option<Login> {
    Some(Login {
        scheme,
        user: "viewer".to_owned(),
        password: PASSWORD.to_owned(),
    })
}

fn rtsp(codec: Codec, scheme: Scheme) -> Camera {
    let films = Films::make(codec, 20).unwrap();
    Camera::rtsp(films.into(), login(scheme)).unwrap()
}

/// What speaks TLS in front of a camera and hands on all that is said, as a camera's own server does.
struct Tls {
    port: u16,
    task: JoinHandle<()>,
}

impl Tls {
    async fn before(camera: &Camera) -> Self {
        let acceptor = Authority::new().acceptor("localhost", -1..90);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let behind = host_of(&camera.address()).to_owned();
        let task = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let (acceptor, behind) = (acceptor.clone(), behind.clone());
                connections.spawn(async move {
                    let mut outside = acceptor.accept(stream).await.unwrap();
                    let mut inside = TcpStream::connect(behind).await.unwrap();
                    // How either ends is its own affair.
                    drop(copy_bidirectional(&mut outside, &mut inside).await);
                });
            }
        });
        Self { port, task }
    }

    /// The camera's address, as one that speaks TLS.
    fn url(&self, camera: &Camera) -> String {
        let url = camera.url();
        let (scheme, rest) = url.split_once("://").unwrap();
        let host = host_of(&url);
        let rest = rest.replace(host, &format!("127.0.0.1:{}", self.port));
        format!("{scheme}s://{rest}")
    }
}

impl Drop for Tls {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Host and port of an address.
fn host_of(url: &str) -> &str {
    let (_, rest) = url.split_once("://").unwrap();
    let host = rest.split('/').next().unwrap();
    host.rsplit('@').next().unwrap()
}

/// A source being run, and what is told of it.
struct Watched {
    server: ScriptedServer,
    events: UnboundedReceiver<Event>,
    analyzer: SecureVideoAnalyzer,
    run: JoinHandle<Result<(), RunError>>,
}

impl Watched {
    async fn start(camera: &Camera) -> Self {
        Self::start_at(&camera.url()).await
    }

    async fn start_at(url: &str) -> Self {
        let server = ScriptedServer::start(Reply::of_vigint).await;
        let (sender, events) = unbounded_channel();
        let analyzer = SecureVideoAnalyzer::builder()
            .api_base_url(server.url())
            .api_key("a-key-of-16-chars")
            .on_event(move |event| drop(sender.send(event)))
            .build()
            .unwrap();
        let source: Source = format!("till={url}").parse().unwrap();
        let running = analyzer.clone();
        let run = tokio::spawn(async move { running.run(source).await });
        Self {
            server,
            events,
            analyzer,
            run,
        }
    }

    /// Waits for the event that this picks.
    async fn until<T>(&mut self, what: &str, pick: impl Fn(&Event) -> Option<T>) -> T {
        let search = async {
            loop {
                let event = self.events.recv().await.expect("the run has ended");
                if let Some(found) = pick(&event) {
                    return found;
                }
            }
        };
        let found = timeout(PATIENCE, search).await;
        found.unwrap_or_else(|_| panic!("{what}: never told"))
    }

    /// Waits until its pictures come: their size, and for how long they did not.
    async fn opened(&mut self) -> ((u16, u16), Option<u64>) {
        self.until("opened", |event| match event {
            Event::SourceOpened {
                width,
                height,
                away_seconds,
                ..
            } => Some(((*width, *height), *away_seconds)),
            _ => None,
        })
        .await
    }

    /// Waits until it is told why there are no pictures.
    async fn lost(&mut self) -> String {
        self.until("lost", |event| match event {
            Event::Error { code, message, .. } if code == "source_failed" => Some(message.clone()),
            _ => None,
        })
        .await
    }

    async fn has_sent_more(&self, frames: usize) {
        let before = self.server.frame_numbers().len();
        self.server
            .until(|all| all.iter().flat_map(Request::frames).count() >= before + frames)
            .await;
    }

    /// Its pictures come again, of this size, and so many of them are sent.
    async fn comes_back(mut self, frames: usize) -> (u16, u16) {
        let (size, away) = self.opened().await;
        assert!(away.is_some());
        self.has_sent_more(frames).await;
        self.end().await;
        size
    }

    /// Stops it, and checks that every picture was sent once, in order. Returns the numbers drawn into them.
    async fn end(self) -> Vec<u32> {
        self.analyzer.stop();
        let ended = timeout(PATIENCE, self.run).await;
        ended.expect("it never stops").unwrap().unwrap();
        let frames = self.server.frames();
        let numbers: Vec<i64> = frames.iter().map(SentFrame::number).collect();
        assert!(
            numbers.windows(2).all(|pair| pair[0] < pair[1]),
            "{numbers:?}"
        );
        let times: Vec<_> = frames
            .iter()
            .map(|f| f.said("captured_at").unwrap())
            .collect();
        assert!(times.windows(2).all(|pair| pair[0] < pair[1]), "{times:?}");
        let seen = frames.iter().filter_map(|f| counter::read_jpeg(&f.jpeg));
        seen.collect()
    }
}

/// How often a film began again in what was seen; no picture may be seen after a later one.
fn rounds(seen: &[u32]) -> usize {
    seen.windows(2).filter(|pair| pair[0] >= pair[1]).count()
}

/// Whether somebody on this machine could read the password off a command line.
fn is_on_a_command_line(password: &str) -> bool {
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    let lines = processes.filter_map(|process| std::fs::read(process.path().join("cmdline")).ok());
    lines.into_iter().any(|line| {
        line.windows(password.len())
            .any(|part| part == password.as_bytes())
    })
}

async fn is_read_in_order(camera: &Camera) {
    is_read_in_order_at(&camera.url()).await;
}

async fn is_read_in_order_at(url: &str) {
    let mut watched = Watched::start_at(url).await;
    let (size, away) = watched.opened().await;
    assert_eq!((size.0 > 0, away), (true, None));
    watched.has_sent_more(25).await;
    assert!(!is_on_a_command_line(PASSWORD));
    let seen = watched.end().await;
    assert!(seen.len() >= 25, "{seen:?}");
    assert!(rounds(&seen) <= 1, "{seen:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn h264_over_rtsp_with_digest_is_read_in_order_and_its_password_is_on_no_command_line() {
    if has_ffmpeg().await {
        is_read_in_order(&rtsp(Codec::H264, Scheme::Digest)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn h265_over_rtsp_with_basic_is_read_in_order_and_its_password_is_on_no_command_line() {
    if has_ffmpeg().await {
        is_read_in_order(&rtsp(Codec::H265, Scheme::Basic)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn jpegs_over_http_are_read_in_order_and_the_password_is_on_no_command_line() {
    if has_ffmpeg().await {
        is_read_in_order(&Camera::mjpeg(login(Scheme::Basic)).unwrap()).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn cameras_behind_tls_are_read_in_order_and_the_password_is_on_no_command_line() {
    if has_ffmpeg().await {
        for camera in [
            rtsp(Codec::H264, Scheme::Digest),
            Camera::mjpeg(login(Scheme::Basic)).unwrap(),
        ] {
            let tls = Tls::before(&camera).await;
            is_read_in_order_at(&tls.url(&camera)).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_camera_that_speaks_no_tls_where_it_should_is_told_in_ffmpegs_own_words() {
    if has_ffmpeg().await {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let answering = async {
            let (mut stream, _) = listener.accept().await.unwrap();
            let refusal = b"HTTP/1.1 400 Bad Request\r\n\r\n";
            stream.write_all(refusal).await.unwrap();
            // It hangs up, too, once it has read on.
            let mut said = Vec::new();
            drop(stream.read_to_end(&mut said).await);
        };
        let url = format!("https://viewer:{PASSWORD}@{address}/video");
        let mut watched = Watched::start_at(&url).await;
        let (said, ()) = tokio::join!(watched.lost(), answering);
        assert!(said.contains("ffmpeg gave up: "), "{said}");
        assert!(
            !said.contains("pipe:0") && !said.contains("Impossible"),
            "{said}"
        );
        assert!(!said.contains(PASSWORD), "{said}");
    }
}

/// What is told of a camera that hangs up and closes its port, by how far a try has come.
const ENDS: [&str; 3] = [
    "the camera ended its stream",
    "the camera closed the connection",
    "connection refused",
];
const NO_PICTURES: [&str; 2] = [
    "no picture came for 10 seconds",
    "no picture could be made of what came for 10 seconds",
];
const NO_VIDEO: [&str; 1] = ["this is no video that ffmpeg can read"];

/// The camera is hurt, its loss is told in one of these words, it is cured, and its pictures are sent again.
async fn is_back_after(camera: Camera, hurt: impl Fn(&Camera), reasons: &[&str]) {
    let mut watched = Watched::start(&camera).await;
    watched.opened().await;
    watched.has_sent_more(5).await;
    hurt(&camera);
    let said = watched.lost().await;
    assert!(reasons.iter().any(|reason| said.contains(reason)), "{said}");
    assert!(!said.contains("geheim7"), "{said}");
    camera.cure();
    watched.comes_back(5).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_camera_whose_password_was_changed_is_back_when_it_is_right_again() {
    if has_ffmpeg().await {
        let camera = rtsp(Codec::H264, Scheme::Digest);
        let mut watched = Watched::start(&camera).await;
        watched.opened().await;
        camera.change_password("another");
        let refused = |event: &Event| match event {
            Event::Error { message, .. } => message.contains("refuses the user name").then_some(()),
            _ => None,
        };
        watched.until("refused", refused).await;
        camera.cure();
        watched.comes_back(5).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_camera_that_reboots_is_back_when_it_is_up() {
    if has_ffmpeg().await {
        let reboot = |camera: &Camera| camera.reboot(Duration::from_secs(2));
        is_back_after(rtsp(Codec::H264, Scheme::Basic), reboot, &ENDS).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_camera_that_freezes_is_opened_anew_after_ten_seconds() {
    if has_ffmpeg().await {
        let camera = Camera::mjpeg(login(Scheme::Basic)).unwrap();
        is_back_after(camera, Camera::freeze, &NO_PICTURES[..1]).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_camera_that_sends_garbage_is_opened_anew() {
    if has_ffmpeg().await {
        let camera = rtsp(Codec::H264, Scheme::Basic);
        is_back_after(camera, Camera::garbage, &NO_PICTURES).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn jpegs_that_turn_into_garbage_are_opened_anew() {
    if has_ffmpeg().await {
        let camera = Camera::mjpeg(None).unwrap();
        is_back_after(camera, Camera::garbage, &NO_VIDEO).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_camera_that_comes_to_send_far_more_pictures_is_opened_anew_and_then_believed() {
    if has_ffmpeg().await {
        let camera = rtsp(Codec::H264, Scheme::Basic);
        let mut watched = Watched::start(&camera).await;
        watched.opened().await;
        // Its usual rate is measured over ten seconds, and counts pictures that came while ffmpeg looked what it is: on
        // a busy machine nearly twice as many.
        watched.has_sent_more(150).await;
        camera.flood();
        let said = watched.lost().await;
        assert!(
            said.contains("pictures a second, where it used to send"),
            "{said}"
        );
        watched.comes_back(25).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_camera_that_changes_the_size_of_its_pictures_is_opened_anew() {
    if has_ffmpeg().await {
        for camera in [
            rtsp(Codec::H264, Scheme::Digest),
            Camera::mjpeg(None).unwrap(),
        ] {
            let mut watched = Watched::start(&camera).await;
            let (before, _) = watched.opened().await;
            camera.change_resolution();
            let said = watched.lost().await;
            assert!(
                said.contains("its pictures changed from 640x360 to 480x270"),
                "{said}"
            );
            assert_ne!(before, watched.comes_back(5).await);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_camera_that_cannot_be_opened_is_said_to_be_tried_again_only_when_it_is() {
    if !has_ffmpeg().await {
        return;
    }
    let open = Camera::mjpeg(None).unwrap();
    let dead = Camera::mjpeg(None).unwrap();
    let address = dead.url();
    drop(dead);
    let with = |other: &str| [format!("till={address}"), format!("door={other}")];
    for (sources, goes_on) in [(with(&open.url()), true), (with(&address), false)] {
        let server = ScriptedServer::start(Reply::of_vigint).await;
        let (sender, mut events) = unbounded_channel();
        let analyzer = SecureVideoAnalyzer::builder()
            .api_base_url(server.url())
            .api_key("a-key-of-16-chars")
            .on_event(move |event| drop(sender.send(event)))
            .build()
            .unwrap();
        let sources = sources.iter().map(|source| source.parse().unwrap());
        let (running, sources) = (analyzer.clone(), sources.collect::<Vec<Source>>());
        let run = tokio::spawn(async move { running.run_all(sources).await });
        let of_till = async {
            loop {
                match events.recv().await.expect("the run has ended") {
                    Event::Error {
                        source_id: Some(id),
                        message,
                        ..
                    } if id.as_str() == "till" => return message,
                    _ => {}
                }
            }
        };
        let said = timeout(PATIENCE, of_till).await.expect("it is never told");
        assert!(said.contains(" cannot be opened: "), "{said}");
        assert_eq!(said.ends_with("; trying again"), goes_on, "{said}");
        if goes_on {
            analyzer.stop();
        }
        let ended = timeout(PATIENCE, run).await;
        let ended = ended.expect("it never ends").unwrap();
        assert_eq!(ended.is_ok(), goes_on, "{ended:?}");
    }
}
