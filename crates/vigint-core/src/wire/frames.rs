//! Frames on their way in: `POST /api/video/buffer` and `/batch`.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Error, IgnoredAny, SeqAccess, Unexpected, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use super::Object;
use crate::clock::UtcTime;
use crate::frame::MAX_BATCH_FRAMES;

/// One frame as JSON. Only `frame_data` is required.
///
/// Texts are `Cow`, not `&str`: JSON may write `/` as `\/`, which cannot be borrowed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct FrameRequest<'a> {
    /// The JPEG in base64, with or without a data-URI prefix.
    #[serde(borrow)]
    pub frame_data: Cow<'a, str>,
    /// The sender's own running number of this frame, given back by analyses; 1 when it is missing.
    #[serde(default, deserialize_with = "whole_number")]
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
    /// At most [`MAX_BATCH_FRAMES`]. Of more, one more is read: enough to see that there are too many.
    #[serde(borrow, deserialize_with = "frames_of_a_batch")]
    pub frames: Vec<Object<FrameRequest<'a>>>,
}

/// Frames take far more room in memory than `{"frame_data":""}` takes in a body, so those that no batch may have
/// are only skipped.
fn frames_of_a_batch<'de: 'a, 'a, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Vec<Object<FrameRequest<'a>>>, D::Error> {
    struct Frames;

    impl<'de> Visitor<'de> for Frames {
        type Value = Vec<Object<FrameRequest<'de>>>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a list")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
            let mut frames = Vec::new();
            while frames.len() <= MAX_BATCH_FRAMES {
                match list.next_element()? {
                    Some(frame) => frames.push(frame),
                    None => return Ok(frames),
                }
            }
            while list.next_element::<IgnoredAny>()?.is_some() {}
            Ok(frames)
        }
    }

    deserializer.deserialize_seq(Frames)
}

/// A whole number, also when it is written `7.0`, as languages write it that know one kind of number only.
fn whole_number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
    struct Number;

    impl<'de> Visitor<'de> for Number {
        type Value = Option<i64>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a whole number")
        }

        fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
            Ok(None)
        }

        fn visit_i64<E: Error>(self, number: i64) -> Result<Self::Value, E> {
            Ok(Some(number))
        }

        fn visit_u64<E: Error>(self, number: u64) -> Result<Self::Value, E> {
            i64::try_from(number)
                .map(Some)
                .map_err(|_| E::invalid_value(Unexpected::Unsigned(number), &self))
        }

        fn visit_f64<E: Error>(self, number: f64) -> Result<Self::Value, E> {
            // Above this not every whole number has its own floating-point number.
            let is_exact = number.fract() == 0.0 && number.abs() <= MOST_EXACT;
            is_exact
                .then(|| format!("{number:.0}").parse().ok())
                .flatten()
                .map(Some)
                .ok_or_else(|| E::invalid_value(Unexpected::Float(number), &self))
        }
    }

    deserializer.deserialize_any(Number)
}

/// 2^53.
const MOST_EXACT: f64 = 9_007_199_254_740_992.0;

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

#[cfg(test)]
mod tests {
    use super::*;

    fn count(json: &str) -> Result<Option<i64>, serde_json::Error> {
        let frame = format!(r#"{{"frame_data":"","frame_count":{json}}}"#);
        serde_json::from_str::<FrameRequest<'_>>(&frame).map(|frame| frame.frame_count)
    }

    #[test]
    fn of_a_batch_no_more_frames_are_read_than_show_that_there_are_too_many() {
        for (sent, read) in [(0, 0), (1, 1), (100, 100), (101, 101), (5000, 101)] {
            let frames = vec![r#"{"frame_data":""}"#; sent].join(",");
            let batch = format!(r#"{{"frames":[{frames}],"unknown":1}}"#);
            let batch: BatchRequest<'_> = serde_json::from_str(&batch).unwrap();
            assert_eq!(batch.frames.len(), read, "{sent}");
        }
        let broken = format!(r#"{{"frames":[{}"#, r#"{"frame_data":""},"#.repeat(200));
        assert!(serde_json::from_str::<BatchRequest<'_>>(&broken).is_err());
    }

    #[test]
    fn a_frame_count_is_a_whole_number_however_it_is_written() {
        for (json, number) in [
            ("7", Some(7)),
            ("7.0", Some(7)),
            ("-3", Some(-3)),
            ("null", None),
        ] {
            assert_eq!(count(json).unwrap(), number, "{json}");
        }
        for bad in [
            "7.5",
            "1e300",
            "18446744073709551615",
            "\"7\"",
            "true",
            "[7]",
        ] {
            let error = count(bad).unwrap_err().to_string();
            assert!(error.contains("expected a whole number"), "{bad}: {error}");
        }
    }
}
