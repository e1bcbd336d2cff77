//! Values as people write them: durations, moments, budgets.

use std::time::Duration;

use vigint_core::clock::UtcTime;
use vigint_core::ids::{AlertId, ClientId, KeyId};
use vigint_core::money::MicroEuros;
use vigint_core::span;

/// `<n>s`, `<n>m`, `<n>h` or `<n>d`.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || {
        format!("'{text}' is no duration: write a number and its unit, such as 90s, 30m, 24h or 7d")
    };
    let unit = text.chars().next_back().ok_or_else(wrong)?;
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3600,
        'd' => 24 * 3600,
        _ => return Err(wrong()),
    };
    let digits = text.strip_suffix(unit).unwrap_or_default();
    let is_number = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    let count: u64 = digits
        .parse()
        .ok()
        .filter(|_| is_number)
        .ok_or_else(wrong)?;
    let all = count.checked_mul(seconds);
    all.map(Duration::from_secs)
        .ok_or_else(|| format!("'{text}' is too long"))
}

/// A client's number.
pub(super) fn client(text: &str) -> Result<ClientId, String> {
    text.parse()
        .map_err(|_| "write the client's number, as `vigint-admin list` shows it".to_owned())
}

/// A key's number.
pub(super) fn key(text: &str) -> Result<KeyId, String> {
    text.parse().map_err(|_| {
        "write the key's number, as `vigint-admin list` shows it beside the key's first letters"
            .to_owned()
    })
}

/// A mail's number.
pub(super) fn alert(text: &str) -> Result<AlertId, String> {
    text.parse()
        .map_err(|_| "write the mail's id, as `vigint-admin alerts` shows it".to_owned())
}

/// A key's life.
pub(super) fn life(text: &str) -> Result<Duration, String> {
    let life = duration(text)?;
    if life.is_zero() {
        return Err("a key that ends at once is of no use: write 1s or more".to_owned());
    }
    Ok(life)
}

/// The first moment of a span.
pub(super) fn from(text: &str) -> Result<UtcTime, String> {
    span::begin(text).map_err(|error| error.to_string())
}

/// The first moment after a span.
pub(super) fn to(text: &str) -> Result<UtcTime, String> {
    span::end(text).map_err(|error| error.to_string())
}

/// Euros.
pub(super) fn euros(text: &str) -> Result<MicroEuros, String> {
    text.parse()
        .map_err(|error: vigint_core::money::InvalidAmount| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_a_unit() {
        for (text, seconds) in [
            ("0s", 0),
            ("90s", 90),
            ("30m", 1800),
            ("24h", 86_400),
            ("7d", 604_800),
        ] {
            assert_eq!(duration(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        for bad in [
            "",
            "s",
            "24",
            "1.5h",
            "-1h",
            "+1h",
            "1w",
            "1 h",
            "1é",
            "99999999999999999d",
        ] {
            assert!(duration(bad).is_err(), "{bad:?}");
        }
        assert!(life("0s").is_err() && life("1s").is_ok());
    }
}
