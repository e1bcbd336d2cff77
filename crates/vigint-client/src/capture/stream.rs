//! What ffmpeg says of the video inside a source: `Stream #0:0: Video: h264 (Main), yuv420p, 1280x720, 25 fps, …`.
//!
//! Its own words rather than ffprobe's, which is not everywhere where ffmpeg is.

/// The video as the camera or film has it, before it is made smaller.
#[derive(Clone, Debug, PartialEq)]
pub struct NativeStream {
    /// ffmpeg's name for it, such as `h264`, `hevc` or `mjpeg`.
    pub codec: String,
    /// In pixels.
    pub width: u32,
    /// In pixels.
    pub height: u32,
    /// Pictures a second, when the stream says so.
    pub fps: Option<f64>,
}

impl NativeStream {
    /// The first video of the input in what ffmpeg said. Of its output it says the same further down.
    pub(super) fn find(lines: &[String]) -> Option<Self> {
        lines
            .iter()
            .take_while(|line| !line.starts_with("Stream mapping") && !line.starts_with("Output #"))
            .find_map(|line| Self::parse(line))
    }

    fn parse(line: &str) -> Option<Self> {
        let line = line.trim_start().strip_prefix("Stream #0:")?;
        let (_, video) = line.split_once(": Video: ")?;
        let codec: String = video
            .chars()
            .take_while(|c| c.is_ascii_alphanumeric() || *c == '_')
            .collect();
        let parts = outer_parts(video);
        let (width, height) = parts.iter().find_map(|part| size(part))?;
        let fps = parts
            .iter()
            .find_map(|part| part.trim().strip_suffix(" fps")?.parse().ok());
        Some(Self {
            codec,
            width,
            height,
            fps: fps.filter(|fps: &f64| fps.is_finite() && *fps > 0.0),
        })
    }
}

/// What stands between the commas that are in no brackets.
fn outer_parts(text: &str) -> Vec<&str> {
    let mut depth = 0_u32;
    text.split(|c| {
        match c {
            '(' | '[' => depth = depth.saturating_add(1),
            ')' | ']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        c == ',' && depth == 0
    })
    .collect()
}

/// `1280x720`, whatever follows it.
fn size(part: &str) -> Option<(u32, u32)> {
    let word = part.split_whitespace().next()?;
    let (width, height) = word.split_once('x')?;
    Some((width.parse().ok()?, height.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Option<(String, u32, u32, Option<f64>)> {
        let found = NativeStream::parse(line)?;
        Some((found.codec, found.width, found.height, found.fps))
    }

    #[test]
    fn lines_of_real_films_and_cameras_are_understood() {
        for (line, codec, width, height, fps) in [
            (
                "Stream #0:0[0x1](eng): Video: h264 (High) (avc1 / 0x31637661), yuv420p(progressive), 640x360 [SAR 1:1 DAR 16:9], 98 kb/s, 29.83 fps, 29.83 tbr, 11456 tbn (default)",
                "h264",
                640,
                360,
                Some(29.83),
            ),
            (
                "  Stream #0:0: Video: h264 (Main), yuv420p(progressive), 1920x1080, 25 fps, 25 tbr, 90k tbn",
                "h264",
                1920,
                1080,
                Some(25.0),
            ),
            (
                "Stream #0:0[0x1](und): Video: hevc (Main) (hev1 / 0x31766568), yuv420p(tv, progressive), 1280x720 [SAR 1:1 DAR 16:9], 91 kb/s, 25 fps, 25 tbr, 12800 tbn (default)",
                "hevc",
                1280,
                720,
                Some(25.0),
            ),
            (
                "Stream #0:0: Video: mjpeg (Baseline) (MJPG / 0x47504A4D), yuvj420p(pc, bt470bg/unknown/unknown), 1280x720 [SAR 1:1 DAR 16:9], 3413 kb/s, 25 fps, 25 tbr, 25 tbn",
                "mjpeg",
                1280,
                720,
                Some(25.0),
            ),
            // RTSP without a rate, and a device.
            (
                "Stream #0:0: Video: hevc (Main), yuvj420p(pc, bt709), 2560x1440, 90k tbr, 90k tbn",
                "hevc",
                2560,
                1440,
                None,
            ),
            (
                "Stream #0:0: Video: rawvideo (YUY2 / 0x32595559), yuyv422, 640x480, 147456 kb/s, 30 fps, 30 tbr, 1000k tbn",
                "rawvideo",
                640,
                480,
                Some(30.0),
            ),
        ] {
            assert_eq!(
                parse(line),
                Some((codec.to_owned(), width, height, fps)),
                "{line}"
            );
        }
    }

    #[test]
    fn sound_and_streams_without_a_size_are_no_video() {
        for line in [
            "Stream #0:1: Audio: aac (LC), 48000 Hz, stereo, fltp, 128 kb/s",
            "Stream #0:0: Video: h264, none, 90k tbr, 90k tbn",
            "Stream #0:0 -> #0:0 (h264 (native) -> mjpeg (native))",
            "",
        ] {
            assert_eq!(parse(line), None, "{line}");
        }
    }

    #[test]
    fn the_input_counts_and_not_the_output() {
        let lines = |texts: &[&str]| texts.iter().map(|t| (*t).to_owned()).collect::<Vec<_>>();
        let output = "Stream #0:0: Video: mjpeg, yuvj420p, 320x180, q=2-31, 10 fps";
        let input = "Stream #0:1: Video: h264 (Main), yuv420p, 1280x720, 25 fps";
        let sound = "Stream #0:0: Audio: aac";
        let said = lines(&[
            "Input #0",
            sound,
            input,
            "Stream mapping:",
            "Output #0",
            output,
        ]);
        assert_eq!(
            NativeStream::find(&said).map(|found| found.width),
            Some(1280)
        );
        let said = lines(&["Input #0", sound, "Stream mapping:", "Output #0", output]);
        assert_eq!(NativeStream::find(&said), None);
    }
}
