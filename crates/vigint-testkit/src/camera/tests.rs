//! Cameras as ffmpeg sees them.

use std::process::Stdio;

use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;
use tokio::process::{Child, ChildStdout, Command};
use vigint_core::clock::{Clock as _, SystemClock};

use super::*;

/// Far beyond what anything here takes.
const PATIENCE: Duration = Duration::from_secs(60);
/// Long enough that pictures on the way when something changes have come.
const SILENCE: Duration = Duration::from_millis(1500);

/// ffmpeg looking at a camera.
struct Eye {
    child: Child,
    output: ChildStdout,
    buffer: Vec<u8>,
}

impl Eye {
    fn on(url: &str) -> Self {
        let is_rtsp = url.starts_with("rtsp");
        let transport: &[&str] = if is_rtsp {
            &["-rtsp_transport", "tcp"]
        } else {
            &[]
        };
        let mut child = Command::new("ffmpeg")
            .args(["-v", "error", "-nostdin"])
            .args(transport)
            .args(["-use_wallclock_as_timestamps", "1"])
            .args(["-i", url, "-vsync", "passthrough"])
            .args([
                "-pix_fmt",
                "yuvj420p",
                "-c:v",
                "mjpeg",
                "-q:v",
                "4",
                "-f",
                "image2pipe",
                "-",
            ])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let output = child.stdout.take().unwrap();
        Self {
            child,
            output,
            buffer: Vec::new(),
        }
    }

    /// The next JPEG; `None` when there are no more.
    async fn jpeg(&mut self) -> Option<Vec<u8>> {
        loop {
            let end = self
                .buffer
                .windows(2)
                .position(|bytes| bytes == [0xff, 0xd9]);
            if let Some(end) = end {
                return Some(self.buffer.drain(..end + 2).collect());
            }
            let read = timeout(PATIENCE, self.output.read_buf(&mut self.buffer)).await;
            if read.expect("the camera shows nothing").unwrap() == 0 {
                return None;
            }
        }
    }

    /// The numbers of the next pictures.
    async fn numbers(&mut self, count: usize) -> Vec<u32> {
        let mut numbers = Vec::new();
        for _ in 0..count {
            let jpeg = self.jpeg().await.expect("the stream ended");
            numbers.push(counter::read_jpeg(&jpeg).expect("a picture without a number"));
        }
        numbers
    }

    /// What it says when it has ended.
    async fn last_words(mut self) -> String {
        while self.jpeg().await.is_some() {}
        let mut words = String::new();
        let mut errors = self.child.stderr.take().unwrap();
        errors.read_to_string(&mut words).await.unwrap();
        words
    }
}

async fn has_ffmpeg() -> bool {
    let mut version = Command::new("ffmpeg");
    let status = version.arg("-version").stdout(Stdio::null()).status().await;
    let is_here = status.is_ok_and(|status| status.success());
    if !is_here {
        #[allow(clippy::disallowed_methods, reason = "whether a test may be skipped")]
        let is_required =
            std::env::var_os("VIGINT_REQUIRE_FFMPEG").is_some_and(|value| value == "1");
        assert!(
            !is_required,
            "ffmpeg is required and not here: sudo apt-get install -y ffmpeg"
        );
        eprintln!("\n*** SKIPPED: this test needs ffmpeg (sudo apt-get install -y ffmpeg) ***\n");
    }
    is_here
}

fn login(scheme: Scheme) -> Option<Login> {
    Some(Login {
        scheme,
        user: "viewer".to_owned(),
        password: "geheim7".to_owned(),
    })
}

async fn films(codec: Codec) -> Arc<Films> {
    let made = tokio::task::spawn_blocking(move || Films::make(codec, 3));
    made.await.unwrap().unwrap().into()
}

/// Each picture is the one after the one before it, in a film of 30.
fn follow_each_other(numbers: &[u32], round: u32) -> bool {
    numbers
        .windows(2)
        .all(|pair| pair[1] == (pair[0] + 1) % round)
}

#[tokio::test]
async fn ffmpeg_sees_each_picture_of_an_h264_camera_in_order_and_round_again() {
    if !has_ffmpeg().await {
        return;
    }
    let camera = Camera::rtsp(films(Codec::H264).await, login(Scheme::Digest)).unwrap();
    let numbers = Eye::on(&camera.url()).numbers(50).await;
    assert!(follow_each_other(&numbers, 30), "{numbers:?}");
}

#[tokio::test]
async fn ffmpeg_sees_each_picture_of_an_h265_camera_in_order() {
    if !has_ffmpeg().await {
        return;
    }
    let camera = Camera::rtsp(films(Codec::H265).await, login(Scheme::Basic)).unwrap();
    let numbers = Eye::on(&camera.url()).numbers(25).await;
    assert!(follow_each_other(&numbers, 30), "{numbers:?}");
}

#[tokio::test]
async fn ffmpeg_sees_jpegs_over_http_in_order() {
    if !has_ffmpeg().await {
        return;
    }
    let camera = Camera::mjpeg(login(Scheme::Basic)).unwrap();
    let numbers = Eye::on(&camera.url()).numbers(25).await;
    assert!(numbers.is_sorted_by(|a, b| a < b), "{numbers:?}");
}

#[tokio::test]
async fn a_changed_password_cuts_who_looks_and_shuts_out_until_it_is_cured() {
    if !has_ffmpeg().await {
        return;
    }
    for camera in [
        Camera::rtsp(films(Codec::H264).await, login(Scheme::Digest)).unwrap(),
        Camera::mjpeg(login(Scheme::Basic)).unwrap(),
    ] {
        let mut eye = Eye::on(&camera.url());
        eye.numbers(1).await;
        camera.change_password("another1");
        eye.last_words().await;
        let words = Eye::on(&camera.url()).last_words().await;
        assert!(words.contains("401 Unauthorized"), "{words}");
        camera.cure();
        Eye::on(&camera.url()).numbers(1).await;
    }
}

#[tokio::test]
async fn a_camera_that_knows_no_stream_says_404() {
    if !has_ffmpeg().await {
        return;
    }
    for camera in [
        Camera::rtsp(films(Codec::H264).await, None).unwrap(),
        Camera::mjpeg(None).unwrap(),
    ] {
        camera.not_found();
        let words = Eye::on(&camera.url()).last_words().await;
        assert!(words.contains("404 Not Found"), "{words}");
    }
}

#[tokio::test]
async fn a_reboot_cuts_and_refuses_and_ends() {
    let camera = Camera::mjpeg(None).unwrap();
    let mut viewer = look(&camera).await;
    camera.refuse();
    drain(&mut viewer).await;
    assert!(camera.wait_until(PATIENCE, |state| !state.listens).await);
    let refused = TcpStream::connect(camera.address).await.unwrap_err();
    assert_eq!(refused.kind(), io::ErrorKind::ConnectionRefused);
    camera.cure();
    assert!(camera.wait_until(PATIENCE, |state| state.listens).await);
    look(&camera).await;
    camera.reboot(Duration::from_millis(200));
    assert!(
        camera
            .wait_until(PATIENCE, |state| state.listens
                && state.condition == Condition::Well)
            .await
    );
    look(&camera).await;
}

#[tokio::test]
async fn a_frozen_camera_keeps_its_connections_and_says_nothing_until_it_is_cured() {
    let camera = Camera::mjpeg(None).unwrap();
    let mut viewer = look(&camera).await;
    camera.freeze();
    let mut chunk = vec![0; 1 << 16];
    // What was on its way comes; then nothing does.
    while timeout(SILENCE, viewer.read(&mut chunk))
        .await
        .is_ok_and(|read| read.unwrap() > 0)
    {}
    assert_eq!(camera.watch().borrow().viewers, 1, "the connection stays");
    let mut second = TcpStream::connect(camera.address).await.unwrap();
    request::write(&mut second, REQUEST).await.unwrap();
    assert!(
        timeout(SILENCE, second.read(&mut chunk)).await.is_err(),
        "an answer came"
    );
    camera.cure();
    for mut connection in [viewer, second] {
        let read = timeout(PATIENCE, connection.read(&mut chunk)).await;
        assert!(read.unwrap().unwrap() > 0);
    }
}

#[tokio::test]
async fn a_frozen_camera_that_is_cured_by_a_cut_closes_what_hung() {
    let camera = Camera::mjpeg(None).unwrap();
    let mut viewer = look(&camera).await;
    camera.freeze();
    camera.cure_by_cut();
    drain(&mut viewer).await;
    look(&camera).await;
}

#[tokio::test]
async fn who_hangs_up_is_no_viewer_any_more() {
    let camera = Camera::mjpeg(None).unwrap();
    let viewer = look(&camera).await;
    assert_eq!(camera.watch().borrow().viewers, 1);
    drop(viewer);
    assert!(
        camera
            .wait_until(PATIENCE, |state| state.viewers == 0)
            .await
    );
}

#[tokio::test]
async fn a_changed_resolution_is_seen_at_the_next_key_frame() {
    if !has_ffmpeg().await {
        return;
    }
    let camera = Camera::rtsp(films(Codec::H264).await, None).unwrap();
    let mut eye = Eye::on(&camera.url());
    eye.numbers(1).await;
    camera.change_resolution();
    // ffmpeg scales what follows to the size it began with: a new viewer sees the new one.
    eye.numbers(15).await;
    let jpeg = Eye::on(&camera.url()).jpeg().await.unwrap();
    let info = vigint_video::jpeg::inspect(&jpeg, 1 << 20).unwrap();
    assert_eq!((info.width, info.height), (480, 270));
}

#[tokio::test]
async fn a_flood_is_far_more_pictures_and_garbage_is_none() {
    let camera = Camera::mjpeg(None).unwrap();
    let clock = SystemClock::new();
    let mut numbers = camera.shared.numbers.subscribe();
    camera.flood();
    numbers.wait_for(|number| *number > 40).await.unwrap();
    assert!(
        clock.elapsed() < Duration::from_secs(3),
        "40 usual pictures take four seconds"
    );
    camera.garbage();
    let mut viewer = look(&camera).await;
    let mut bytes = vec![0; 1900];
    timeout(PATIENCE, viewer.read_exact(&mut bytes))
        .await
        .unwrap()
        .unwrap();
    assert!(!bytes.windows(3).any(|bytes| bytes == [0xff, 0xd8, 0xff]));
}

#[tokio::test]
async fn numbers_of_a_film_are_told_apart_by_when_they_were_seen() {
    let camera = Camera::mjpeg(None).unwrap();
    let mut numbers = camera.shared.numbers.subscribe();
    numbers.wait_for(|number| *number >= 5).await.unwrap();
    let now = SystemClock::new().now();
    let newest = camera.number_at(now).unwrap();
    assert_eq!(camera.running_number(newest, now), Some(newest));
    assert_eq!(camera.running_number(newest - 2, now), Some(newest - 2));
    assert_eq!(
        camera.running_number(newest + 100, now),
        None,
        "not taken yet"
    );
    let long_ago = now - Duration::from_secs(60);
    assert_eq!(camera.number_at(long_ago), None);
}

#[tokio::test]
async fn a_camera_counts_from_where_it_is_told_and_knows_when_it_took_what() {
    let camera = Camera::mjpeg(None).unwrap();
    camera.count_from(5000);
    let mut numbers = camera.shared.numbers.subscribe();
    numbers.wait_for(|number| *number >= 5003).await.unwrap();
    let now = SystemClock::new().now();
    let newest = camera.number_at(now).unwrap();
    assert!((5003..5100).contains(&newest), "{newest}");
    assert_eq!(camera.running_number(newest, now), Some(newest));
    let (first, second) = (camera.taken_at(5001), camera.taken_at(5002));
    assert!(first.is_some() && first < second && second <= Some(now));
    assert_eq!([5000, 1].map(|number| camera.taken_at(number)), [None; 2]);
}

const REQUEST: &[u8] = b"GET /video HTTP/1.1\r\nHost: camera\r\n\r\n";

/// A viewer who has seen a first byte.
async fn look(camera: &Camera) -> TcpStream {
    let mut stream = TcpStream::connect(camera.address).await.unwrap();
    request::write(&mut stream, REQUEST).await.unwrap();
    let mut first = [0];
    timeout(PATIENCE, stream.read_exact(&mut first))
        .await
        .unwrap()
        .unwrap();
    assert!(camera.wait_until(PATIENCE, |state| state.viewers > 0).await);
    stream
}

/// Reads until the camera has cut the connection.
async fn drain(viewer: &mut TcpStream) {
    let mut chunk = vec![0; 1 << 16];
    loop {
        let read = timeout(PATIENCE, viewer.read(&mut chunk)).await;
        // A connection may be reset as well as closed.
        if read.expect("it is not cut").unwrap_or(0) == 0 {
            return;
        }
    }
}
