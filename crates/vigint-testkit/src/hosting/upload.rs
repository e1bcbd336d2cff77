//! One upload, and what is wrong with it.

use std::collections::BTreeMap;

use serde_json::Value;

use super::form::{self, Field};
use crate::http::{HttpRequest, find};

const PATH: &str = "/api/v1/videos/upload";
const METADATA: [&str; 10] = [
    "video_id",
    "upload_timestamp",
    "expiration_time",
    "source",
    "type",
    "incident_type",
    "risk_level",
    "frame_count",
    "analysis",
    "file_hash",
];

/// An upload as it came.
#[derive(Clone, Debug, Default)]
pub struct Upload {
    /// Method, path and query.
    pub target: String,
    /// As they came.
    pub headers: Vec<(String, String)>,
    /// The fields that are text.
    pub fields: BTreeMap<String, String>,
    /// `metadata`; null when it is no JSON.
    pub metadata: Value,
    /// The file.
    pub video: Vec<u8>,
    /// What its part says of it, such as its name.
    pub video_head: String,
    /// The status it is refused with, and why; none when it is right.
    pub refused: Option<(u16, &'static str)>,
}

impl Upload {
    pub(super) fn read(request: HttpRequest, api_key: &str) -> Self {
        let content_type = find(&request.headers, "content-type").unwrap_or_default();
        let form = form::read(content_type, &request.body);
        let is_form = form.is_some();
        let mut fields = form.unwrap_or_default();
        let video = fields.remove("video");
        let has_video = video.is_some();
        let Field { head, body } = video.unwrap_or_default();
        let mut upload = Self {
            target: format!("{} {}", request.method, request.target),
            headers: request.headers,
            fields: (fields.into_iter())
                .map(|(name, field)| (name, String::from_utf8_lossy(&field.body).into_owned()))
                .collect(),
            metadata: Value::Null,
            video: body,
            video_head: head,
            refused: None,
        };
        let metadata = upload.fields.get("metadata");
        upload.metadata = metadata
            .and_then(|text| serde_json::from_str(text).ok())
            .unwrap_or_default();
        upload.refused = upload.fault(api_key, is_form && has_video);
        upload
    }

    /// A header; empty when it is not there.
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        find(&self.headers, name).unwrap_or_default()
    }

    /// What its sender calls the film.
    #[must_use]
    pub fn video_id(&self) -> String {
        self.metadata["video_id"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    }

    /// How long it is to stay.
    #[must_use]
    pub fn expiration_hours(&self) -> Option<f64> {
        self.fields.get("expiration_hours")?.parse().ok()
    }

    fn fault(&self, api_key: &str, has_film: bool) -> Option<(u16, &'static str)> {
        if self.header("authorization") != format!("Bearer {api_key}") {
            return Some((401, "wrong key"));
        }
        if self.target != format!("POST {PATH}") {
            return Some((404, "no such route"));
        }
        if self.header("content-length").is_empty() {
            return Some((411, "no Content-Length"));
        }
        if !has_film {
            return Some((400, "no form with a file `video`"));
        }
        if self.header("x-video-id") != self.video_id() {
            return Some((400, "X-Video-ID is not metadata's video_id"));
        }
        if METADATA.iter().any(|name| self.metadata[name].is_null()) {
            return Some((400, "metadata lacks a field"));
        }
        if self.fields.get("access_type").map(String::as_str) != Some("private") {
            return Some((400, "access_type is not private"));
        }
        if self.expiration_hours().is_none_or(|hours| hours <= 0.0) {
            return Some((400, "no expiration_hours"));
        }
        None
    }
}
