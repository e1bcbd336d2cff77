//! Frames on their way in: `POST /api/video/buffer` and `/batch`.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::clock::UtcTime;

/// One frame as JSON. Only `frame_data` is required.
///
/// Texts are `Cow`, not `&str`: JSON may write `/` as `\/`, which cannot be borrowed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct FrameRequest<'a> {
    /// The JPEG in base64, with or without a data-URI prefix.
    #[serde(borrow)]
    pub frame_data: Cow<'a, str>,
    /// The sender's own running number of this frame, given back by analyses.
    #[serde(default)]
    pub frame_count: Option<i64>,
    /// Which camera; `default` when it is missing.
    #[serde(borrow, default)]
    pub source_id: Option<Cow<'a, str>>,
    /// What people call that camera.
    #[serde(borrow, default)]
    pub source_name: Option<Cow<'a, str>>,
    /// When the picture was taken; its arrival when it is missing.
    #[serde(default)]
    pub captured_at: Option<UtcTime>,
}

/// Several frames at once: all are taken or none.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct BatchRequest<'a> {
    /// At most [`crate::frame::MAX_BATCH_FRAMES`].
    #[serde(borrow)]
    pub frames: Vec<FrameRequest<'a>>,
}

/// What became of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BufferStatus {
    /// It is in the ring.
    Buffered,
    /// It was older than all that the ring keeps, and was dropped.
    Late,
}

/// The answer to one frame.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BufferResponse {
    /// What became of it.
    pub status: BufferStatus,
    /// The sender's number, as sent.
    pub frame_count: i64,
    /// How many frames the ring of this source holds now.
    pub buffer_size: usize,
    /// When it was answered.
    pub timestamp: UtcTime,
    /// Which camera's ring it went to.
    pub source_id: String,
}

/// The answer to a batch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BatchResponse {
    /// What became of it.
    pub status: BufferStatus,
    /// How many of the frames are in their rings.
    pub frames_added: usize,
    /// How many frames the rings of the sources in this batch hold now.
    pub buffer_size: usize,
}
