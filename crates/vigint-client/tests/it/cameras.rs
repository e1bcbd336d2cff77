//! Cameras that break in every way they know, read by the real ffmpeg.

use std::time::Duration;

use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use vigint_client::{Event, RunError, SecureVideoAnalyzer, Source};
use vigint_testkit::camera::{Camera, Codec, Films, Login, Scheme, counter};

use crate::program::has_ffmpeg;
use crate::scripted_server::{PATIENCE, Reply, ScriptedServer};

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

/// A source being run, and what is told of it.
struct Watched {
    server: ScriptedServer,
    events: UnboundedReceiver<Event>,
    analyzer: SecureVideoAnalyzer,
    run: JoinHandle<Result<(), RunError>>,
}

impl Watched {
    async fn start(camera: &Camera) -> Self {
        let server = ScriptedServer::start(Reply::of_vigint).await;
        let (sender, events) = unbounded_channel();
        let analyzer = SecureVideoAnalyzer::builder()
            .api_base_url(server.url())
            .api_key("a-key-of-16-chars")
            .on_event(move |event| drop(sender.send(event)))
            .build()
            .unwrap();
        let source: Source = format!("till={}", camera.url()).parse().unwrap();
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
            Event::Error { message, .. } => Some(message.clone()),
            _ => None,
        })
        .await
    }

    async fn has_sent_more(&self, frames: usize) {
        let before = self.server.frame_numbers().len();
        self.server
            .until(|all| all.iter().filter(|r| r.is_frame()).count() >= before + frames)
            .await;
    }

    /// Stops it, and checks that every picture was sent once, in order. Returns the numbers drawn into them.
    async fn end(self) -> Vec<u32> {
        self.analyzer.stop();
        let ended = timeout(PATIENCE, self.run).await;
        ended.expect("it never stops").unwrap().unwrap();
        let frames: Vec<_> = self.server.requests();
        let frames: Vec<_> = frames.iter().filter(|r| r.is_frame()).collect();
        let numbers: Vec<i64> = frames.iter().map(|frame| frame.number()).collect();
        assert!(
            numbers.windows(2).all(|pair| pair[0] < pair[1]),
            "{numbers:?}"
        );
        let times: Vec<_> = frames
            .iter()
            .map(|f| f.query("captured_at").unwrap())
            .collect();
        assert!(times.windows(2).all(|pair| pair[0] < pair[1]), "{times:?}");
        let seen = frames.iter().filter_map(|f| counter::read_jpeg(&f.body));
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
    let mut watched = Watched::start(camera).await;
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

/// The camera is hurt, its loss is told in words with `reason`, it is cured, and its pictures are sent again.
async fn is_back_after(camera: Camera, hurt: impl Fn(&Camera), reason: &str) {
    let mut watched = Watched::start(&camera).await;
    watched.opened().await;
    watched.has_sent_more(5).await;
    hurt(&camera);
    let said = watched.lost().await;
    assert!(said.contains(reason), "{said}");
    assert!(!said.contains("geheim7"), "{said}");
    camera.cure();
    let (_, away) = watched.opened().await;
    assert!(away.is_some());
    watched.has_sent_more(5).await;
    watched.end().await;
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
        watched.opened().await;
        watched.has_sent_more(5).await;
        watched.end().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_camera_that_reboots_is_back_when_it_is_up() {
    if has_ffmpeg().await {
        let reboot = |camera: &Camera| camera.reboot(Duration::from_secs(2));
        is_back_after(rtsp(Codec::H264, Scheme::Basic), reboot, "camera").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_camera_that_freezes_is_opened_anew_after_ten_seconds() {
    if has_ffmpeg().await {
        let camera = Camera::mjpeg(login(Scheme::Basic)).unwrap();
        is_back_after(camera, Camera::freeze, "no picture came for 10 seconds").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_camera_that_sends_garbage_is_opened_anew() {
    if has_ffmpeg().await {
        let camera = rtsp(Codec::H264, Scheme::Basic);
        is_back_after(camera, Camera::garbage, "rtsp://***@").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn jpegs_that_turn_into_garbage_are_opened_anew() {
    if has_ffmpeg().await {
        let camera = Camera::mjpeg(None).unwrap();
        is_back_after(camera, Camera::garbage, "http://").await;
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
            watched.lost().await;
            let (after, _) = watched.opened().await;
            assert_ne!(before, after);
            watched.has_sent_more(5).await;
            watched.end().await;
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
