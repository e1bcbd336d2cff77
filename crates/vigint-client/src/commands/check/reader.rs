//! ffmpeg, which reads the cameras: whether it is there, how old it is and what it can read.

use serde_json::json;
use vigint_client::{FfmpegInspection, inspect_ffmpeg};

use super::findings::{Findings, Mark};
use crate::exit::Exit;

const CHECK: &str = "ffmpeg";
/// Debian's own package can do all of it.
const CURE: &str = "install a whole one, on Debian and Ubuntu with: sudo apt-get install -y ffmpeg";
pub(super) async fn check(findings: &mut Findings<'_>) {
    match inspect_ffmpeg().await {
        Ok(found) => tell(&found, findings),
        Err(error) => findings.bad(CHECK, &error.to_string(), Exit::Source),
    }
}

fn tell(found: &FfmpegInspection, findings: &mut Findings<'_>) {
    let version = &found.version;
    if !found.lacks.is_empty() {
        let lacks = found.lacks.join(" and ");
        let said =
            format!("version {version} lacks {lacks}, without which no source is read: {CURE}");
        findings.bad(CHECK, &said, Exit::Source);
        return;
    }
    let details = json!({
        "version": version,
        "cannot_read": found.cannot_read,
    });
    if found.cannot_read.is_empty() {
        let said = format!(
            "ffmpeg version {version}, reads H.264, H.265 and MJPEG over rtsp(s) and http(s)"
        );
        findings.tell(CHECK, Mark::Ok, &said, details);
    } else {
        let kinds = found.cannot_read.join(", ");
        let said = format!(
            "ffmpeg version {version} cannot read {kinds}: where a camera needs it, {CURE}"
        );
        findings.tell(CHECK, Mark::Warn, &said, details);
    }
    if !found.hides_addresses {
        let said = format!(
            "ffmpeg {version} is older than 5.1: while a camera is read, its password stands in the list of \
             processes, for every user of this machine; upgrade ffmpeg"
        );
        findings.warn(CHECK, &said);
    }
}
