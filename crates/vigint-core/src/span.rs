//! Spans of time as people write them: from a date or a time, to a date or a time.

use std::time::Duration;

use crate::clock::{UtcTime, WHAT_A_TIME_IS};

const ONE_DAY: Duration = Duration::from_secs(24 * 3600);

/// A text that is neither a time nor a date.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("write {WHAT_A_TIME_IS}, or a date")]
pub struct NoTime;

/// The first moment of a span: a time (RFC 3339), or the midnight (UTC) with which a date begins.
///
/// # Errors
/// When the text is neither.
pub fn begin(text: &str) -> Result<UtcTime, NoTime> {
    text.parse().or_else(|_| midnight(text))
}

/// The first moment after a span: a time (RFC 3339), or the midnight (UTC) with which a date ends.
///
/// # Errors
/// When the text is neither.
pub fn end(text: &str) -> Result<UtcTime, NoTime> {
    text.parse()
        .or_else(|_| midnight(text).map(|begin| begin + ONE_DAY))
}

fn midnight(date: &str) -> Result<UtcTime, NoTime> {
    format!("{date}T00:00:00Z").parse().map_err(|_| NoTime)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_means_all_of_its_day() {
        let at = |text: &str| text.parse::<UtcTime>().unwrap();
        assert_eq!(begin("2026-11-24"), Ok(at("2026-11-24T00:00:00Z")));
        assert_eq!(end("2026-11-24"), Ok(at("2026-11-25T00:00:00Z")));
        let exact = "2026-11-24T10:00:00Z";
        assert_eq!((begin(exact), end(exact)), (Ok(at(exact)), Ok(at(exact))));
        for bad in ["yesterday", "2026-13-01", ""] {
            assert_eq!((begin(bad), end(bad)), (Err(NoTime), Err(NoTime)), "{bad}");
        }
    }
}
