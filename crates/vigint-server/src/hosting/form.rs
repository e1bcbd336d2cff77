//! What an upload says of its film.

use std::path::PathBuf;
use std::time::Duration;

use reqwest::multipart::{Form, Part};
use serde::Serialize;
use vigint_core::clock::UtcTime;
use vigint_core::ids::{ClipId, SourceId};
use vigint_core::verdict::RiskLevel;

use super::error::UploadError;

/// What kind of video it is.
const KIND: &str = "security_incident";
/// Who may watch it: whoever has the link.
const ACCESS: &str = "private";
/// A film that was made so much later than its incident, or by a hundredth of its time, is asked to go earlier, so that
/// it goes in time.
const LATE: Duration = Duration::from_secs(300);

/// A film to be hosted.
#[derive(Clone, Debug)]
pub struct Film {
    /// Which clip.
    pub clip: ClipId,
    /// Where it lies.
    pub path: PathBuf,
    /// How long it is.
    pub bytes: u64,
    /// The SHA-256 of its bytes, lower-case hex.
    pub sha256: String,
    /// When it goes here.
    pub expires_at: UtcTime,
    /// The camera.
    pub source: SourceId,
    /// What was seen.
    pub incident_type: String,
    /// How grave it is.
    pub risk_level: RiskLevel,
    /// How many pictures were looked at.
    pub frame_count: i64,
    /// What the first look said.
    pub analysis: String,
}

#[derive(Serialize)]
struct Metadata<'a> {
    video_id: ClipId,
    upload_timestamp: UtcTime,
    expiration_time: UtcTime,
    source: &'a SourceId,
    r#type: &'static str,
    incident_type: &'a str,
    risk_level: RiskLevel,
    frame_count: i64,
    analysis: &'a str,
    file_hash: &'a str,
}

impl Film {
    /// How long it may stay there when it is handed over at `now`: `longest`, and not longer than it is kept here but for
    /// a hundredth of that, five minutes at most.
    pub(super) fn stay(&self, longest: Duration, now: UtcTime) -> Duration {
        let left = self.expires_at.since(now);
        // A film is made some seconds after its incident: two settings of 48 hours shall not come to 47.99.
        if longest <= left + LATE.min(longest / 100) {
            longest
        } else {
            left
        }
    }

    /// The form of one upload. The file is opened anew for each.
    ///
    /// # Errors
    /// [`UploadError::Film`] and [`UploadError::OtherFilm`].
    pub(super) async fn form(&self, stay: Duration, now: UtcTime) -> Result<Form, UploadError> {
        let file = tokio::fs::File::open(&self.path)
            .await
            .map_err(UploadError::Film)?;
        let found = file.metadata().await.map_err(UploadError::Film)?.len();
        if found != self.bytes {
            return Err(UploadError::OtherFilm {
                expected: self.bytes,
                found,
            });
        }
        let metadata = Metadata {
            video_id: self.clip,
            upload_timestamp: now,
            expiration_time: now + stay,
            source: &self.source,
            r#type: KIND,
            incident_type: &self.incident_type,
            risk_level: self.risk_level,
            frame_count: self.frame_count,
            analysis: &self.analysis,
            file_hash: &self.sha256,
        };
        // Texts and numbers: nothing in it can fail to be written.
        let metadata = serde_json::to_string(&metadata).unwrap_or_default();
        let video = Part::stream_with_length(file, self.bytes)
            .file_name(format!("{}.mp4", self.clip))
            .mime_str("video/mp4")
            .map_err(|error| UploadError::Unreachable(error.to_string()))?;
        Ok(Form::new()
            .text("metadata", metadata)
            .text("expiration_hours", hours(stay))
            .text("access_type", ACCESS)
            .part("video", video))
    }
}

/// Hours as a number: `48`, or `0.25`.
pub(super) fn hours(span: Duration) -> String {
    let text = format!("{:.4}", span.as_secs_f64() / 3600.0);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}
