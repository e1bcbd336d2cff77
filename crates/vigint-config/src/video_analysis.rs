//! `[VideoAnalysis]`: how much video is kept in memory, what a frame may be, and when motion counts.

use std::time::Duration;

use vigint_core::frame::FrameLimits;

use super::definition::section;
use super::parse::{GIB, KIB, MIB, TIB, bytes, number, seconds};

section! {
    /// How much video is kept in memory, what a frame may be, and when motion counts.
    VideoAnalysis in "VideoAnalysis" {
        /// Seconds the first look sees at least, 0.5 to 60; not more than long_buffer_duration.
        short_buffer_duration: Duration = "3" => seconds(0.5, 60.0);
        /// Seconds kept of each source, 1 to 120: what the second look and the clip show.
        long_buffer_duration: Duration = "10" => seconds(1.0, 120.0);
        /// Frames a second kept of one source, 1 to 60; more are thinned evenly.
        analysis_fps: u32 = "10" => number(1..=60);
        /// The most bytes of one JPEG, 1 KiB to 24 MiB.
        max_frame_bytes: usize = "8 MiB" => bytes(KIB..=24 * MIB);
        /// The most pixels (width x height) of one picture, 4096 to 100000000.
        max_frame_pixels: u64 = "8847360" => number(4_096..=100_000_000);
        /// The most cameras of one client, 1 to 1024.
        max_sources_per_client: usize = "64" => number(1..=1_024);
        /// The most frames of one client in memory, 64 KiB to 1 TiB.
        max_bytes_per_client: usize = "512 MiB" => bytes(64 * KIB..=TIB);
        /// The most frames of all clients in memory, 64 KiB to 16 TiB.
        /// Default: a quarter of the memory the server may use, a container's limit included.
        max_bytes_total: usize = "" => bytes(64 * KIB..=16 * TIB);
        /// The most bytes of requests being received at one time, 64 KiB to 64 GiB; one client
        /// may have a quarter of it. Not less than max_frame_bytes.
        max_inflight_bytes: usize = "256 MiB" => bytes(64 * KIB..=64 * GIB);
        /// A camera must have sent for so many seconds before its silence is told, 1 to 604800.
        silent_min_seconds: Duration = "600" => seconds(1.0, 604_800.0);
        /// A camera that sends nothing for so many seconds is silent, 1 to 604800.
        silent_after_seconds: Duration = "300" => seconds(1.0, 604_800.0);
        /// A camera that sends the same picture for so many seconds is frozen, 1 to 604800; it
        /// takes at least 5 to tell.
        frozen_after_seconds: Duration = "60" => seconds(1.0, 604_800.0);
        /// Motion analyzer: the first look says incident when at least this share of its window
        /// was in motion, 0.01 to 1.
        motion_screen_share: f64 = "0.3" => number(0.01..=1.0);
        /// Motion analyzer: the second look agrees when at least this share of the whole snapshot
        /// was in motion, 0.01 to 1. Less than the first: the snapshot is longer than the window.
        motion_confirm_share: f64 = "0.1" => number(0.01..=1.0);
    }
}

impl VideoAnalysis {
    /// What a frame may be.
    #[must_use]
    pub fn frame_limits(&self) -> FrameLimits {
        FrameLimits {
            max_bytes: self.max_frame_bytes,
            max_pixels: self.max_frame_pixels,
        }
    }

    /// The part of `max_inflight_bytes` one client may have: a quarter, but always room for one largest
    /// frame in base64 (4/3, and as much again of JSON as a name may need).
    #[must_use]
    pub fn inflight_bytes_per_client(&self) -> usize {
        let one_frame = self.max_frame_bytes.saturating_mul(3) / 2;
        (self.max_inflight_bytes / 4)
            .max(one_frame)
            .min(self.max_inflight_bytes)
    }
}
