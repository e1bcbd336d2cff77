//! A camera that speaks RTSP (RFC 2326), with its packets in the same connection and nowhere else. It shows a film
//! again and again, to each viewer what is on at this time, from the next key frame on.

use std::io;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokio::net::TcpStream;

use super::film::{Codec, FRAMES_PER_SECOND, Film, KEY_EVERY};
use super::garbage::Garbage;
use super::picture::PictureSize;
use super::request::{Request, RequestReader, answer, write};
use super::rtp::{CLOCK_RATE, PAYLOAD_TYPE, Packetizer};
use super::state::{Condition, Shared, Viewer};

/// Where its stream is.
pub(crate) const PATH: &str = "/stream";

const SESSION: &str = "20261130;timeout=60";
const METHODS: &str = "OPTIONS, DESCRIBE, SETUP, PLAY, GET_PARAMETER, TEARDOWN";

/// The same film in both sizes that a camera may have.
#[derive(Clone, Debug)]
pub struct Films {
    usual: Film,
    other: Film,
}

impl Films {
    /// Draws and codes both, so many seconds long. Blocks until ffmpeg is done: a second for each minute, six for H.265.
    ///
    /// # Errors
    /// As [`Film::make`].
    pub fn make(codec: Codec, seconds: u32) -> io::Result<Self> {
        Ok(Self {
            usual: Film::make(codec, PictureSize::USUAL, seconds)?,
            other: Film::make(codec, PictureSize::OTHER, seconds)?,
        })
    }

    fn of(&self, size: PictureSize) -> &Film {
        if size == PictureSize::USUAL {
            &self.usual
        } else {
            &self.other
        }
    }

    /// The film in its usual size as H.264's or H.265's byte stream.
    #[must_use]
    pub fn byte_stream(&self) -> Vec<u8> {
        let nals = self.usual.units.iter().flat_map(|unit| &unit.nals);
        nals.flat_map(|nal| [&[0, 0, 0, 1], nal.as_slice()].concat())
            .collect()
    }

    pub(crate) fn pictures(&self) -> u32 {
        u32::try_from(self.usual.units.len()).unwrap_or(u32::MAX)
    }
}

/// Serves one connection to its end.
pub(crate) async fn serve(shared: &Shared, films: &Films, mut stream: TcpStream) -> io::Result<()> {
    let (mut incoming, mut outgoing) = stream.split();
    let mut reader = RequestReader::default();
    let mut channel = None;
    let mut show = None;
    let mut numbers = shared.numbers.subscribe();
    loop {
        tokio::select! {
            request = reader.next(&mut incoming) => {
                let Some(request) = request? else {
                    return Ok(());
                };
                shared.thawed().await;
                let (status, headers, body) = respond(shared, films, &request, &mut channel);
                let sequence = request.header("cseq").unwrap_or("0");
                let mut all = vec![("CSeq", sequence)];
                all.extend(headers.iter().map(|(name, value)| (*name, value.as_str())));
                write(&mut outgoing, &answer(&format!("RTSP/1.0 {status}"), &all, &body)).await?;
                match (request.method.as_str(), channel) {
                    ("PLAY", Some(channel)) if status == OK => {
                        show = Some(Show::new(shared, films, channel));
                    }
                    ("TEARDOWN", _) => return Ok(()),
                    _ => {}
                }
            }
            changed = numbers.changed() => {
                if changed.is_err() {
                    return Ok(());
                }
                let newest = *numbers.borrow_and_update();
                if let Some(show) = &mut show {
                    write(&mut outgoing, &show.until(newest)).await?;
                }
            }
        }
    }
}

const OK: &str = "200 OK";

type Response = (&'static str, Vec<(&'static str, String)>, String);

fn respond(
    shared: &Shared,
    films: &Films,
    request: &Request,
    channel: &mut Option<u8>,
) -> Response {
    if request.method == "OPTIONS" {
        return (OK, vec![("Public", METHODS.to_owned())], String::new());
    }
    if let Err(challenge) = shared.admits(request) {
        let headers = vec![("WWW-Authenticate", challenge)];
        return ("401 Unauthorized", headers, String::new());
    }
    let state = shared.now();
    let session = || vec![("Session", SESSION.to_owned())];
    match request.method.as_str() {
        "DESCRIBE" => {
            let is_there = request.target.trim_end_matches('/').ends_with(PATH);
            if !is_there || state.condition == Condition::NotFound {
                return ("404 Not Found", Vec::new(), String::new());
            }
            let body = description(films.of(state.size));
            let headers = vec![
                (
                    "Content-Base",
                    format!("{}/", request.target.trim_end_matches('/')),
                ),
                ("Content-Type", "application/sdp".to_owned()),
                ("Content-Length", body.len().to_string()),
            ];
            (OK, headers, body)
        }
        "SETUP" => {
            let transport = request.header("transport").unwrap_or_default();
            let Some(first) = interleaved(transport) else {
                return ("461 Unsupported Transport", Vec::new(), String::new());
            };
            *channel = Some(first);
            let second = first.saturating_add(1);
            let mut headers = session();
            headers.push((
                "Transport",
                format!("RTP/AVP/TCP;unicast;interleaved={first}-{second}"),
            ));
            (OK, headers, String::new())
        }
        "PLAY" if channel.is_none() => (
            "455 Method Not Valid in This State",
            Vec::new(),
            String::new(),
        ),
        "PLAY" | "GET_PARAMETER" | "TEARDOWN" => (OK, session(), String::new()),
        _ => ("501 Not Implemented", Vec::new(), String::new()),
    }
}

/// The channel of the packets, where they are to come in this connection.
fn interleaved(transport: &str) -> Option<u8> {
    if !transport.starts_with("RTP/AVP/TCP") {
        return None;
    }
    let channels = transport
        .split(';')
        .find_map(|part| part.strip_prefix("interleaved="));
    channels.unwrap_or("0-1").split('-').next()?.parse().ok()
}

/// The stream's description (RFC 8866).
fn description(film: &Film) -> String {
    let sets = film.parameter_sets();
    let coded: Vec<String> = sets.iter().map(|set| STANDARD.encode(set)).collect();
    let (name, parameters) = match film.codec {
        Codec::H264 => {
            let profile: String = sets[0][1..4]
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .collect();
            let sets = coded.join(",");
            let text = format!(
                "packetization-mode=1;profile-level-id={profile};sprop-parameter-sets={sets}"
            );
            ("H264", text)
        }
        Codec::H265 => {
            let (video, sequence, picture) = (&coded[0], &coded[1], &coded[2]);
            let text = format!("sprop-vps={video};sprop-sps={sequence};sprop-pps={picture}");
            ("H265", text)
        }
    };
    format!(
        "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=Camera of a test\r\nc=IN IP4 0.0.0.0\r\nt=0 0\r\na=control:*\r\n\
         m=video 0 RTP/AVP {PAYLOAD_TYPE}\r\na=rtpmap:{PAYLOAD_TYPE} {name}/{CLOCK_RATE}\r\n\
         a=fmtp:{PAYLOAD_TYPE} {parameters}\r\na=framerate:{FRAMES_PER_SECOND}\r\na=control:track1\r\n"
    )
}

/// What one viewer is shown.
struct Show<'a> {
    shared: &'a Shared,
    films: &'a Films,
    packetizer: Packetizer,
    garbage: Garbage,
    size: PictureSize,
    /// The next picture; none: the next key frame.
    next: Option<u32>,
    _viewer: Viewer<'a>,
}

impl<'a> Show<'a> {
    fn new(shared: &'a Shared, films: &'a Films, channel: u8) -> Self {
        let size = shared.now().size;
        Self {
            shared,
            films,
            packetizer: Packetizer::new(films.of(size).codec, channel),
            garbage: Garbage::new(),
            size,
            next: None,
            _viewer: Viewer::new(shared),
        }
    }

    /// The packets of all pictures that are due.
    fn until(&mut self, newest: u32) -> Vec<u8> {
        let state = self.shared.now();
        match state.condition {
            Condition::Frozen => {
                self.next = None;
                return Vec::new();
            }
            Condition::Garbage => {
                self.next = None;
                return self.garbage.bytes();
            }
            _ => {}
        }
        if state.size != self.size {
            self.size = state.size;
            self.next = None;
        }
        let first = self
            .next
            .unwrap_or_else(|| newest.next_multiple_of(KEY_EVERY));
        let units = &self.films.of(self.size).units;
        let mut packets = Vec::new();
        for number in first..=newest {
            let unit = &units[usize::try_from(number).unwrap_or(0) % units.len()];
            let timestamp = number.wrapping_mul(CLOCK_RATE / FRAMES_PER_SECOND);
            packets.extend(self.packetizer.packets(unit, timestamp));
            self.shared.note_shown();
        }
        self.next = Some(first.max(newest + 1));
        packets
    }
}
