//! One frame on its way to the server.

use bytes::Bytes;
use vigint_core::clock::UtcTime;
use vigint_core::ids::SourceId;

/// A JPEG picture with what the server is told about it.
#[derive(Clone, Debug)]
pub struct Frame {
    /// The whole JPEG; cloning a frame copies no picture.
    pub jpeg: Bytes,
    /// Which camera took it.
    pub source_id: SourceId,
    /// What people call that camera.
    pub source_name: Option<String>,
    /// The sender's own running number, given back by analyses.
    pub number: Option<i64>,
    /// When it was taken; the moment of its arrival at the server when missing.
    pub captured_at: Option<UtcTime>,
}

impl<T: Into<Bytes>> From<T> for Frame {
    /// A picture of the source `default`, taken now.
    fn from(jpeg: T) -> Self {
        Self {
            jpeg: jpeg.into(),
            source_id: SourceId::default_source(),
            source_name: None,
            number: None,
            captured_at: None,
        }
    }
}
