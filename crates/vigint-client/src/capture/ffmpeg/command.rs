//! What ffmpeg is told to do with a source.
//!
//! A camera's address holds its password, and every user of a machine can read the command lines of all
//! programs (`ps`). So an address goes to ffmpeg on its standard input, as a list of one entry (its `concat`
//! demuxer); only for an ffmpeg too old for that it stands on the command line.

use std::ffi::OsString;
use std::io;
use std::path::Path;
use std::process::Stdio;

use tokio::process::Command;

use super::version::Abilities;
use crate::capture::CaptureError;
use crate::source::{Location, ReadOptions};

/// How long ffmpeg waits for a camera on the network, in microseconds.
const NETWORK_LIMIT: &str = "10000000";
/// What an address may be read through. Without this list ffmpeg lets a list from standard input open nothing.
const PROTOCOLS: &str = "pipe,fd,rtp,srtp,rtsp,rtsps,tcp,udp,tls,http,https,httpproxy,crypto";

/// Two pictures that come at the same time would be the end of ffmpeg: its encoder wants each later than the last one.
const EACH_LATER: &str = "settb=1/1000,setpts='if(isnan(PREV_OUTPTS),PTS,max(PTS,PREV_OUTPTS+1))'";

/// A command, and what it is to be given on its standard input.
pub(super) struct Order {
    pub(super) command: Command,
    pub(super) input: Option<String>,
}

/// ffmpeg without a word more than needed and no keyboard.
pub(in crate::capture) fn ffmpeg() -> Command {
    let mut command = Command::new("ffmpeg");
    command
        .args(["-hide_banner", "-nostdin", "-loglevel", "warning"])
        .stdin(Stdio::null())
        .kill_on_drop(true);
    command
}

/// A film, at a steady rate.
pub(super) fn of_film(film: &Path, fps: f64, options: &ReadOptions) -> Order {
    let mut command = ffmpeg();
    command.arg("-i").arg(FilmPath(film).as_argument());
    let filter = format!("fps=fps={fps},{}", no_wider(options.width));
    write_pictures(&mut command, &filter, options, &[]);
    Order {
        command,
        input: None,
    }
}

/// Whatever goes on by itself: of its pictures at most so many a second, and none twice.
pub(super) fn of_live(location: &Location, options: &ReadOptions, abilities: Abilities) -> Order {
    let mut command = ffmpeg();
    command.args(["-loglevel", "level+info", "-nostats"]);
    let input = add_live_input(&mut command, location, abilities);
    if input.is_some() {
        command.stdin(Stdio::piped());
    }
    // Before any is left out, so that it is known how many the camera sends; and before it is made smaller: of another
    // size than before ffmpeg makes the old one, and it alone can tell.
    let filter = format!(
        "showinfo=checksum=0,{},{EACH_LATER},{}",
        on_the_beat(clock_of(location), options.fps),
        no_wider(options.width)
    );
    write_pictures(&mut command, &filter, options, &as_they_come(abilities));
    Order { command, input }
}

/// No picture is left out or shown twice when they are written, and their times are counted as finely as [`EACH_LATER`]
/// counts them.
fn as_they_come(abilities: Abilities) -> [&'static str; 4] {
    let mode = match abilities {
        Abilities::Modern => "-fps_mode",
        Abilities::Old => "-vsync",
    };
    [mode, "passthrough", "-enc_time_base", "1/1000"]
}

/// By what ffmpeg's filters know when a picture of a camera came, in seconds. It counts the times of JPEGs over HTTP in
/// steps of 40 ms, too coarse to tell a steady camera from one that is too fast: there the clock is asked.
fn clock_of(location: &Location) -> &'static str {
    match location {
        Location::Http(_) => "time(0)",
        _ => "t",
    }
}

/// Lets at most so many pictures a second on, evenly apart. ffmpeg's own `fps` filter would fill a gap with copies of
/// the last one.
///
/// The beat keeps its own time, so that a camera's jitter loses none: the next picture is due a period after the last
/// one was, not after it came, and may come a fifth of a period early. One that is far off, after a gap or when the
/// clock was set, begins the beat anew.
fn on_the_beat(clock: &str, fps: f64) -> String {
    let period = 1.0 / fps.max(0.01);
    let (early, far) = (period / 5.0, period * 2.0);
    // ffmpeg remembers numbers from picture to picture: in 0 when the next is due, in 1 when this one came.
    let is_due = format!("gte(ld(1),ld(0)-{early})+gt(ld(0)-ld(1),{far})");
    let next =
        format!("if(gt(abs(ld(1)-ld(0)),{far}),ld(1)+{period},max(ld(0)+{period},ld(1)+{early}))");
    format!("select='st(1,{clock});if({is_due},1+0*st(0,{next}))'")
}

/// The first picture of whatever it is, and ffmpeg's words on what its video is like.
pub(super) fn of_look(location: &Location, options: &ReadOptions, abilities: Abilities) -> Order {
    let mut command = ffmpeg();
    command.args(["-loglevel", "info", "-nostats"]);
    let input = add_live_input(&mut command, location, abilities);
    if input.is_some() {
        command.stdin(Stdio::piped());
    }
    let filter = no_wider(options.width);
    write_pictures(&mut command, &filter, options, &["-frames:v", "1"]);
    Order { command, input }
}

/// Tells `command` where the pictures come from; gives what must be said on its standard input.
fn add_live_input(
    command: &mut Command,
    location: &Location,
    abilities: Abilities,
) -> Option<String> {
    let network_limit = match (location, abilities) {
        (Location::Rtsp(_), Abilities::Modern) => "timeout",
        (Location::Rtsp(_), Abilities::Old) => "stimeout",
        _ => "rw_timeout",
    };
    let mut options = vec![
        (network_limit, NETWORK_LIMIT),
        ("use_wallclock_as_timestamps", "1"),
    ];
    match location {
        Location::Rtsp(address) => {
            options.push(("rtsp_transport", "tcp"));
            options.push(("fflags", "+genpts+discardcorrupt"));
            add_address(command, address, &options, abilities)
        }
        Location::Http(address) => add_address(command, address, &options, abilities),
        Location::Device(path) => {
            command.args(["-f", "v4l2", "-i"]).arg(path);
            None
        }
        Location::File(path) => {
            command.arg("-i").arg(FilmPath(path).as_argument());
            None
        }
    }
}

fn add_address(
    command: &mut Command,
    address: &str,
    options: &[(&str, &str)],
    abilities: Abilities,
) -> Option<String> {
    match abilities {
        Abilities::Modern => {
            command.args(["-protocol_whitelist", PROTOCOLS]);
            command.args(["-f", "concat", "-safe", "0", "-i", "pipe:0"]);
            Some(list_of_one(address, options))
        }
        Abilities::Old => {
            for (name, value) in options {
                command.arg(format!("-{name}")).arg(value);
            }
            command.args(["-i", address]);
            None
        }
    }
}

/// A list for ffmpeg's `concat` demuxer with this address and how it is to be read.
fn list_of_one(address: &str, options: &[(&str, &str)]) -> String {
    // Within quotes only the quote itself means something, and no line may end.
    let address = address
        .replace('\'', r"'\''")
        .replace('\n', "%0A")
        .replace('\r', "%0D");
    let mut list = format!("ffconcat version 1.0\nfile '{address}'\n");
    for (name, value) in options {
        list.push_str(&format!("option {name} {value}\n"));
    }
    list
}

/// Wider pictures are made smaller, both sides even.
fn no_wider(width: u32) -> String {
    format!("scale='min({width},iw)':-2")
}

fn write_pictures(command: &mut Command, filter: &str, options: &ReadOptions, more: &[&str]) {
    command
        .args(["-map", "0:v:0", "-an", "-sn", "-dn", "-vf", filter])
        .args(more)
        .args(["-pix_fmt", "yuvj420p", "-c:v", "mjpeg", "-q:v"])
        .arg(options.quality.to_string())
        .args(["-f", "mpjpeg", "pipe:1"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
}

pub(in crate::capture) fn spawn_error(error: io::Error) -> CaptureError {
    if error.kind() == io::ErrorKind::NotFound {
        CaptureError::FfmpegMissing
    } else {
        CaptureError::Ffmpeg(error)
    }
}

/// A film's path as ffmpeg takes it: `file:` keeps a name such as `-x` or `a:b` from being taken for an
/// option or an address.
pub(in crate::capture) struct FilmPath<'a>(pub(in crate::capture) &'a Path);

impl FilmPath<'_> {
    pub(in crate::capture) fn as_argument(&self) -> OsString {
        let mut argument = OsString::from("file:");
        argument.push(self.0);
        argument
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::has_ffmpeg::has_ffmpeg;

    fn arguments(order: &Order) -> String {
        let arguments = order.command.as_std().get_args();
        let arguments: Vec<_> = arguments.map(|a| a.to_string_lossy()).collect();
        arguments.join(" ")
    }

    fn of(address: &str, abilities: Abilities) -> Order {
        of_live(
            &address.parse().unwrap(),
            &ReadOptions::default(),
            abilities,
        )
    }

    #[test]
    fn an_address_is_said_on_standard_input_and_stands_in_no_argument() {
        for address in ["rtsp://admin:hunter2@cam/1", "https://admin:hunter2@cam/1"] {
            let order = of(address, Abilities::Modern);
            let arguments = arguments(&order);
            assert!(!arguments.contains("hunter2"), "{arguments}");
            let input = order.input.unwrap();
            assert!(input.contains(&format!("file '{address}'\n")), "{input}");
        }
    }

    #[test]
    fn nothing_in_an_address_ends_its_quotes_or_its_line() {
        let list = list_of_one("rtsp://u:it's\noption x@cam/1", &[("timeout", "5")]);
        assert_eq!(
            list,
            "ffconcat version 1.0\nfile 'rtsp://u:it'\\''s%0Aoption x@cam/1'\noption timeout 5\n"
        );
    }

    #[test]
    fn an_old_ffmpeg_is_told_in_its_own_words() {
        let order = of("rtsp://cam/1", Abilities::Old);
        let arguments = arguments(&order);
        assert!(order.input.is_none());
        assert!(arguments.contains("-stimeout 10000000"), "{arguments}");
        assert!(arguments.contains("-i rtsp://cam/1"), "{arguments}");
        assert!(arguments.contains("-vsync passthrough"), "{arguments}");
    }

    /// Which of pictures that come at these milliseconds, the first at 0, go on where ten a second are asked for: their
    /// own times.
    async fn on_the_beat_of_ten(times: &[i64]) -> Vec<i64> {
        let of_each = times.iter().enumerate();
        let of_each: Vec<String> = of_each.map(|(n, at)| format!("eq(N,{n})*{at}")).collect();
        let source = format!(
            "color=size=32x32:rate=10,trim=end_frame={},settb=1/1000,setpts='{}'",
            times.len(),
            of_each.join("+")
        );
        let beat = on_the_beat("t", 10.0);
        let filter = format!("{beat},showinfo=checksum=0,{EACH_LATER}");
        let mut command = ffmpeg();
        command.args(["-loglevel", "level+info", "-f", "lavfi", "-i", &source]);
        let options = ReadOptions::default();
        write_pictures(
            &mut command,
            &filter,
            &options,
            &as_they_come(Abilities::Modern),
        );
        let ran = command.output().await.unwrap();
        let said = String::from_utf8(ran.stderr).unwrap();
        assert!(ran.status.success(), "{said}");
        let pictures = said.lines().filter(|line| line.contains("pts_time:"));
        pictures
            .map(|line| {
                let (_, pts) = line.split_once("pts:").unwrap();
                pts.split_whitespace().next().unwrap().parse().unwrap()
            })
            .collect()
    }

    /// When pictures come, in milliseconds: one each so many microseconds, the others up to `jitter` of these earlier
    /// or later than the first.
    fn coming(pictures: i64, period: i64, jitter: i64) -> Vec<i64> {
        let off = |n: i64| {
            if n == 0 {
                0
            } else {
                (n * 7919 % 101 - 50) * jitter / 50
            }
        };
        (0..pictures)
            .map(|n| (n * period + off(n)) / 1000)
            .collect()
    }

    #[tokio::test]
    async fn a_camera_at_the_rate_that_is_asked_for_loses_no_picture_to_jitter() {
        if !has_ffmpeg().await {
            return;
        }
        for (period, jitter) in [
            (100_000, 0),
            (100_000, 2_000),
            (100_000, 20_000),
            (100_000, 45_000),
            (101_000, 10_000),
        ] {
            let times = coming(90, period, jitter);
            let seen = on_the_beat_of_ten(&times).await;
            // One at most is lost, until the beat has found its place.
            assert!(
                seen.len() >= 89,
                "{period} µs apart, {jitter} µs of jitter: {seen:?}"
            );
        }
    }

    #[tokio::test]
    async fn a_faster_camera_is_thinned_evenly_to_the_rate_that_is_asked_for() {
        if !has_ffmpeg().await {
            return;
        }
        for (period, steps) in [(33_333, 95..=105), (40_000, 75..=125), (66_667, 60..=140)] {
            let times = coming(90, period, 2_000);
            let seen = on_the_beat_of_ten(&times).await;
            let wanted = usize::try_from(times.last().unwrap() / 100).unwrap();
            assert!(
                seen.len().abs_diff(wanted) <= 1,
                "{period} µs apart: {wanted} were wanted: {seen:?}"
            );
            let is_even = seen
                .windows(2)
                .all(|two| steps.contains(&(two[1] - two[0])));
            assert!(is_even, "{period} µs apart: {seen:?}");
        }
    }

    #[tokio::test]
    async fn after_a_gap_and_when_the_clock_was_set_the_beat_begins_anew() {
        if !has_ffmpeg().await {
            return;
        }
        // Three at once after a gap are one; then the beat goes on.
        let gap = [0, 100, 5000, 5003, 5006, 5100, 5200];
        let seen = on_the_beat_of_ten(&gap).await;
        assert_eq!(seen, [0, 100, 5000, 5100, 5200]);
        // Nor is it the end when two come in the same tenth of a second.
        let late = [0, 170, 190, 300];
        assert_eq!(on_the_beat_of_ten(&late).await, late);
        let set_back = [0, 100, -6000, -5900, -5870, -5800];
        let seen = on_the_beat_of_ten(&set_back).await;
        assert_eq!(seen, [0, 100, -6000, -5900, -5800]);
    }

    #[test]
    fn jpegs_over_http_are_timed_by_the_clock() {
        for (address, clock) in [
            ("https://cam/1", "st(1,time(0))"),
            ("rtsp://cam/1", "st(1,t)"),
        ] {
            let arguments = arguments(&of(address, Abilities::Modern));
            assert!(arguments.contains(clock), "{arguments}");
        }
    }

    #[test]
    fn a_device_is_read_as_one() {
        let arguments = arguments(&of("/dev/video0", Abilities::Modern));
        assert!(arguments.contains("-f v4l2 -i /dev/video0"), "{arguments}");
    }
}
