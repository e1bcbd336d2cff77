//! How long each frame is shown, and how many bits it may cost. In ticks of 1/90,000 s, MPEG's own unit.

#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the floats are clamped to the range of the integer first"
)]

use vigint_core::clock::UtcTime;

/// Ticks a second.
pub(super) const TICKS: u64 = 90_000;
/// No frame is shown shorter than this: 60 a second.
const SHORTEST: u64 = TICKS / 60;
/// No frame is shown longer than this: 1 a second.
const LONGEST: u64 = TICKS;

/// Ticks from one frame to the next, clamped to 1/60 s ..= 1 s; times that go back count as no time.
pub(super) fn step(from: UtcTime, to: UtcTime) -> u64 {
    let millis = u64::try_from(to.millis_since(from)).unwrap_or(0);
    millis.saturating_mul(TICKS / 1000).clamp(SHORTEST, LONGEST)
}

/// Frames a second of frames taken at these times; 10 when there is only one.
pub(super) fn frame_rate(times: impl Iterator<Item = UtcTime> + Clone) -> f32 {
    let steps = times
        .clone()
        .skip(1)
        .zip(times)
        .map(|(to, from)| step(from, to));
    let (count, ticks) = steps.fold((0_u16, 0_u64), |(count, sum), step| {
        (count.saturating_add(1), sum + step)
    });
    if count == 0 {
        return 10.0;
    }
    (f32::from(count) * TICKS as f32 / ticks as f32).clamp(1.0, 60.0)
}

/// Bits a second by default: 2.5 Mbit/s at 1280x720 and 25 frames a second. Larger pictures need less a
/// pixel, and fewer frames need more each, because neighbours differ more.
pub(super) fn default_bitrate(width: usize, height: usize, frame_rate: f32) -> u32 {
    let pixels = (width * height) as f32 / (1280.0 * 720.0);
    let bits = 2_500_000.0 * pixels.powf(0.75) * (frame_rate / 25.0).sqrt();
    bits.clamp(150_000.0, 12_000_000.0) as u32
}

/// Frames from one key frame to the next: two seconds of them.
pub(super) fn key_frame_interval(frame_rate: f32) -> u32 {
    (frame_rate * 2.0).round().clamp(1.0, 120.0) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: i64) -> UtcTime {
        UtcTime::from_unix_millis(millis)
    }

    #[test]
    fn steps_lie_between_a_sixtieth_and_a_second() {
        assert_eq!(step(at(0), at(100)), 9_000);
        assert_eq!(step(at(0), at(5)), 1_500);
        assert_eq!(step(at(0), at(60_000)), 90_000);
        assert_eq!(step(at(10), at(0)), 1_500);
        assert_eq!(step(at(i64::MIN), at(i64::MAX)), 90_000);
    }

    #[test]
    fn the_frame_rate_is_that_of_the_times() {
        let rate = |times: &[i64]| frame_rate(times.iter().map(|&millis| at(millis)));
        assert!((rate(&[0, 100, 200, 300]) - 10.0).abs() < 0.01);
        assert!((rate(&[0, 1, 2]) - 60.0).abs() < 0.01);
        assert!((rate(&[0, 9_000]) - 1.0).abs() < 0.01);
        assert!((rate(&[7]) - 10.0).abs() < 0.01);
    }

    #[test]
    fn bits_follow_size_and_rate() {
        assert_eq!(default_bitrate(1280, 720, 25.0), 2_500_000);
        assert!(default_bitrate(1920, 1080, 25.0) > 4_000_000);
        assert!(default_bitrate(1280, 720, 5.0) < 1_500_000);
        assert_eq!(default_bitrate(16, 16, 1.0), 150_000);
    }
}
