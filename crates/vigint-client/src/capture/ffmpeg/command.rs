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
    // The first picture of each period. ffmpeg's own `fps` filter would fill a gap with copies of the last one.
    let fps = options.fps;
    let first_of_each =
        format!("select='isnan(prev_selected_t)+gt(floor(t*{fps}),floor(prev_selected_t*{fps}))'");
    // Of another size than before ffmpeg makes the old one, and it alone can tell.
    let filter = format!(
        "{first_of_each},showinfo=checksum=0,{}",
        no_wider(options.width)
    );
    let as_they_come = match abilities {
        Abilities::Modern => ["-fps_mode", "passthrough"],
        Abilities::Old => ["-vsync", "passthrough"],
    };
    write_pictures(&mut command, &filter, options, &as_they_come);
    Order { command, input }
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

    #[test]
    fn a_device_is_read_as_one() {
        let arguments = arguments(&of("/dev/video0", Abilities::Modern));
        assert!(arguments.contains("-f v4l2 -i /dev/video0"), "{arguments}");
    }
}
