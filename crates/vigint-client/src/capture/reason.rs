//! Why ffmpeg gave up, in words a customer can act on.

/// What comes is nothing that can be watched.
pub(super) const NO_VIDEO: &str = "this is no video that ffmpeg can read";

/// What ffmpeg says somewhere in its last lines, and what it means. The first that fits counts.
const MEANINGS: [(&str, &str); 16] = [
    (
        "401 Unauthorized",
        "the camera refuses the user name or password (401)",
    ),
    (
        "403 Forbidden",
        "the camera forbids this user to watch (403)",
    ),
    (
        "404 Not Found",
        "the camera answers, but has no stream at this path (404)",
    ),
    (
        "Connection refused",
        "connection refused: nothing listens at this address and port",
    ),
    (
        "Connection timed out",
        "connection timed out: is the camera on, and is the address right?",
    ),
    (
        "No route to host",
        "no route to this address: is the camera on and in the same network?",
    ),
    ("Network is unreachable", "the network is unreachable"),
    (
        "Failed to resolve hostname",
        "the camera's name cannot be resolved to an address",
    ),
    (
        "Name or service not known",
        "the camera's name cannot be resolved to an address",
    ),
    (
        "Connection reset by peer",
        "the camera closed the connection",
    ),
    ("Invalid data found when processing input", NO_VIDEO),
    (
        "Invalid argument",
        "ffmpeg cannot read this address: in a user name or password write # as %23, / as %2F, @ as %40",
    ),
    ("matches no streams", "there is no video in it"),
    ("Permission denied", "permission denied"),
    (
        "No such file or directory",
        "there is no such file or device",
    ),
    (
        "Device or resource busy",
        "another program is using the device",
    ),
];

/// What ffmpeg says of a stream that arrives and makes no sense.
const DAMAGE: [&str; 7] = [
    "error while decoding",
    "Error while decoding",
    "Invalid NAL unit",
    "no frame!",
    "non-existing PPS",
    "decode_slice_header error",
    "overread",
];

/// The reason in `lines` (ffmpeg's last, the newest at the end) when it is one that we know.
pub(super) fn known_reason(lines: &[String]) -> Option<&'static str> {
    let said = |phrase: &str| lines.iter().any(|line| line.contains(phrase));
    let known = MEANINGS.iter().find(|(phrase, _)| said(phrase));
    known.map(|(_, meaning)| *meaning)
}

/// The reason in `lines`, else the newest line that says something of its own.
pub(super) fn reason(lines: &[String]) -> String {
    if let Some(meaning) = known_reason(lines) {
        return meaning.to_owned();
    }
    // swscaler says this about every JPEG made of an ordinary camera's picture.
    let is_noise = |line: &&String| line.contains("deprecated pixel format");
    let said = || lines.iter().rev().filter(|line| !is_noise(line));
    let said = said().find(|line| !is_of_the_list(line)).or(said().next());
    match said {
        Some(line) => format!("ffmpeg gave up: {}", without_speaker(line)),
        None => "ffmpeg gave up and did not say why".to_owned(),
    }
}

/// Whether this is what ffmpeg says in the end of the list in which it is told a camera's address, whatever was wrong.
fn is_of_the_list(line: &str) -> bool {
    let said = without_speaker(line);
    said.starts_with("pipe:0:") || said.starts_with("Impossible to open")
}

/// Whether `lines` speak of a stream that makes no sense.
pub(super) fn is_damage(lines: &[String]) -> bool {
    let is_damage = |line: &String| DAMAGE.iter().any(|phrase| line.contains(phrase));
    lines.iter().rev().take(10).any(is_damage)
}

/// A line without the part of ffmpeg that says it: `[rtsp @ 0x55d0] ` differs from try to try.
fn without_speaker(line: &str) -> &str {
    let mut rest = line;
    while let Some((_, said)) = rest
        .strip_prefix('[')
        .and_then(|named| named.split_once("] "))
    {
        rest = said;
    }
    rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ffmpegs_words_become_a_reason() {
        let lines = |texts: &[&str]| texts.iter().map(|t| (*t).to_owned()).collect::<Vec<_>>();
        let refused = lines(&[
            "[rtsp @ 0x55] method DESCRIBE failed: 401 Unauthorized",
            "rtsp://***@127.0.0.1:8554/cam1: Server returned 401 Unauthorized (authorization failed)",
        ]);
        assert_eq!(
            reason(&refused),
            "the camera refuses the user name or password (401)"
        );
        let odd = lines(&[
            "[rtsp @ 0x1] [tcp @ 0x2] something odd",
            "[swscaler @ 0x1] deprecated pixel format used",
        ]);
        assert_eq!(reason(&odd), "ffmpeg gave up: something odd");
        assert_eq!(known_reason(&odd), None);
        assert_eq!(reason(&[]), "ffmpeg gave up and did not say why");
    }

    #[test]
    fn what_ffmpeg_says_of_its_list_hides_no_reason() {
        let lines = |texts: &[&str]| texts.iter().map(|t| (*t).to_owned()).collect::<Vec<_>>();
        let told = "[tls @ 0x1] An unexpected TLS packet was received.";
        let list = [
            "[concat @ 0x2] Impossible to open 'https://***@cam/1'",
            "pipe:0: Input/output error",
        ];
        let said = reason(&lines(&[told, list[0], list[1]]));
        assert_eq!(
            said,
            "ffmpeg gave up: An unexpected TLS packet was received."
        );
        let said = reason(&lines(&list));
        assert_eq!(said, "ffmpeg gave up: pipe:0: Input/output error");
    }

    #[test]
    fn a_damaged_stream_is_known_by_what_the_decoder_says() {
        let of = |line: &str| is_damage(&[line.to_owned()]);
        assert!(of(
            "[h264 @ 0x1] error while decoding MB 3 4, bytestream -7"
        ));
        assert!(of("[h264 @ 0x1] non-existing PPS 0 referenced"));
        assert!(!of("[swscaler @ 0x1] deprecated pixel format used"));
    }
}
