//! What a frame may be, before anybody decodes it.

/// The bounds a server keeps on frames. Sizes in bytes, pictures in pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameLimits {
    /// The most bytes one JPEG may have.
    pub max_bytes: usize,
    /// The most pixels (width × height) one picture may have.
    pub max_pixels: u64,
}

impl Default for FrameLimits {
    /// 8 MiB, and 4096 × 2160 pixels.
    fn default() -> Self {
        Self {
            max_bytes: 8 * 1024 * 1024,
            max_pixels: 8_847_360,
        }
    }
}

/// The most frames one batch may carry.
pub const MAX_BATCH_FRAMES: usize = 100;

/// The most bytes the body of one batch may have.
pub const MAX_BATCH_BYTES: usize = 32 * 1024 * 1024;

/// The header of a raw picture in a batch that says what the query says of a single one, in the same form.
pub const FRAME_HEADER: &str = "Vigint-Frame";

/// The text of `frame_data` without the `data:image/jpeg;base64,` that browsers put before it. The scheme of a
/// URL may be written in any case (RFC 3986, section 3.1).
#[must_use]
pub fn strip_data_uri(frame_data: &str) -> &str {
    let is_data_uri = frame_data
        .get(..5)
        .is_some_and(|scheme| scheme.eq_ignore_ascii_case("data:"));
    if !is_data_uri {
        return frame_data;
    }
    frame_data
        .split_once(',')
        .map_or(frame_data, |(_, data)| data)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_data_uri_prefix_is_taken_off() {
        assert_eq!(strip_data_uri("data:image/jpeg;base64,/9j/"), "/9j/");
        assert_eq!(strip_data_uri("DATA:image/JPEG;base64,/9j/"), "/9j/");
        assert_eq!(strip_data_uri("/9j/"), "/9j/");
        assert_eq!(strip_data_uri("dat"), "dat");
        assert_eq!(strip_data_uri("data:no comma"), "data:no comma");
    }
}
