//! `[Clips]`: the movies of incidents.

use std::path::PathBuf;
use std::time::Duration;

use super::definition::section;
use super::parse::{MIB, TIB, bytes, hours, number, optional, path};

section! {
    /// The movies of incidents.
    Clips in "Clips" {
        /// Where they are kept.
        directory: PathBuf = "vigint-data/clips" => path;
        /// Hours after the incident for which a clip is kept and its link opens, 0.0001 to 87600.
        retention_hours: Duration = "48" => hours(0.0001, 87_600.0);
        /// Thousands of bits a second, 50 to 50000. Default: by the picture's size.
        bitrate_kbps: Option<u32> = "" => optional(number(50..=50_000));
        /// The most clips of one client on disk, 1 MiB to 1024 TiB; the oldest go first.
        max_bytes_per_client: u64 = "20 GiB" => bytes(MIB..=1_024 * TIB);
    }
}
