//! How long to wait before a mail that was not handed over is tried again.

use std::time::Duration;

use vigint_core::random::Random;

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;

/// After the first try, the second, and so on, in seconds: two days altogether. After the last of them it is given up.
const WAITS: [u64; 9] = [
    5,
    30,
    2 * MINUTE,
    10 * MINUTE,
    30 * MINUTE,
    2 * HOUR,
    6 * HOUR,
    12 * HOUR,
    24 * HOUR,
];

/// How long to wait after so many tries, the first being 1; none when there is no other. A tenth more or less, so that
/// mails that failed together do not all come again together.
#[must_use]
pub fn wait_after(tries: i32, random: &dyn Random) -> Option<Duration> {
    let nth = usize::try_from(tries).ok()?.checked_sub(1)?;
    let wait = Duration::from_secs(*WAITS.get(nth)?);
    let mut byte = [0];
    random.fill(&mut byte);
    let share = f64::from(byte[0]) / f64::from(u8::MAX);
    Some(wait.mul_f64(0.9 + 0.2 * share))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Always(u8);

    impl Random for Always {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(self.0);
        }
    }

    #[test]
    fn ten_tries_are_made_in_two_days() {
        let waits = |byte| -> Vec<u64> {
            (1..)
                .map_while(|tries| wait_after(tries, &Always(byte)))
                .map(|wait| wait.as_secs())
                .collect()
        };
        let shortest = [4, 27, 108, 540, 1620, 6480, 19_440, 38_880, 77_760];
        let longest = [5, 33, 132, 660, 1980, 7920, 23_760, 47_520, 95_040];
        assert_eq!(waits(0), shortest);
        assert_eq!(waits(255), longest);
        assert_eq!(wait_after(0, &Always(0)), None);
        assert_eq!(wait_after(-1, &Always(0)), None);
    }
}
