//! What the earlier Vigint wrote, as this one keeps it: times, money, names. Knows no database.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use vigint_core::client::{ClientDetails, InvalidDetails};
use vigint_core::clock::UtcTime;
use vigint_core::locale::Locale;
use vigint_core::money::MicroEuros;
use vigint_core::text::{clean_line, plain_line};
use vigint_core::wire::CreateClientRequest;

/// 2^53: from there on a float of micro-euros no longer tells one from the next.
const MOST_MICROS: i64 = 9_007_199_254_740_992;

/// What a key is called whose name is empty, or nothing to see.
const UNNAMED_KEY: &str = "imported";

/// What stands where the earlier database held bytes that are no UTF-8.
const UNREADABLE: char = '\u{FFFD}';

/// Why a value of the earlier database cannot be kept. The text goes on from "…: ".
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unfit {
    #[error("its cost is no number")]
    CostIsNoNumber,
    #[error("its cost is {0}, which is no amount of money")]
    CostIsNotFinite(String),
    #[error("its cost of {0} euros is too large to be kept to the micro-euro")]
    CostTooLarge(String),
    #[error("its {column} '{found}' is no time such as 2025-11-22 15:30:01.400000")]
    NoTime { column: &'static str, found: String },
    #[error("it has no {0}")]
    Missing(&'static str),
    #[error("its status code {0} is no number that one can have")]
    StatusCode(i64),
    #[error("its hash is not the SHA-256 of a key: 64 hexadecimal digits")]
    NoHash,
    #[error("its {0} is not readable as UTF-8")]
    Unreadable(&'static str),
    #[error("{0}")]
    Details(#[from] InvalidDetails),
}

/// Whole micro-euros of a float of euros, rounded half away from zero as the float is written: 0.0000005 is 1,
/// and 0.1 + 0.2 is 300,000.
pub(super) fn micros(euros: f64) -> Result<MicroEuros, Unfit> {
    if !euros.is_finite() {
        return Err(Unfit::CostIsNotFinite(euros.to_string()));
    }
    let too_large = || Unfit::CostTooLarge(format!("{euros:e}"));
    // The shortest decimals that mean this float, never with an exponent.
    let written = euros.abs().to_string();
    let (whole, decimals) = written.split_once('.').unwrap_or((&written, ""));
    let kept: String = decimals.chars().chain("000000".chars()).take(6).collect();
    let cut: i64 = format!("{whole}{kept}").parse().map_err(|_| too_large())?;
    if cut >= MOST_MICROS {
        return Err(too_large());
    }
    let rounds_up = decimals.chars().nth(6).is_some_and(|next| next >= '5');
    let micros = cut + i64::from(rounds_up);
    Ok(MicroEuros(if euros < 0.0 { -micros } else { micros }))
}

/// A time as the earlier Vigint wrote it: UTC without saying so, with a fraction or without. One that names its
/// offset is taken by its offset.
pub(super) fn time(column: &'static str, text: &str) -> Result<UtcTime, Unfit> {
    let text = text.trim();
    let with_offset = text.parse::<Timestamp>().ok();
    let at = with_offset.or_else(|| {
        let naive: DateTime = text.parse().ok()?;
        Some(naive.to_zoned(TimeZone::UTC).ok()?.timestamp())
    });
    at.map(UtcTime::from).ok_or_else(|| Unfit::NoTime {
        column,
        found: plain_line(text).chars().take(40).collect(),
    })
}

/// When a row was made and last changed; where neither is known, `now`.
pub(super) fn times(
    created_at: Option<&str>,
    updated_at: Option<&str>,
    now: UtcTime,
) -> Result<(UtcTime, UtcTime), Unfit> {
    let created = created_at
        .map(|text| time("created_at", text))
        .transpose()?;
    let updated = updated_at
        .map(|text| time("updated_at", text))
        .transpose()?;
    let created_at = created.or(updated).unwrap_or(now);
    Ok((created_at, updated.unwrap_or(created_at)))
}

/// A client by the same rules as for a new one.
pub(super) fn client(
    name: Option<&str>,
    email: Option<&str>,
    default_locale: Locale,
) -> Result<ClientDetails, Unfit> {
    let readable = |what: &'static str, text: Option<&str>| {
        let text = text.ok_or(Unfit::Missing(what))?;
        if text.contains(UNREADABLE) {
            return Err(Unfit::Unreadable(what));
        }
        Ok(text.to_owned())
    };
    let asked = CreateClientRequest {
        name: readable("name", name)?,
        email: readable("e-mail address", email)?,
        locale: None,
        time_zone: None,
    };
    Ok(ClientDetails::check(&asked, default_locale)?)
}

/// The hash of a key, as this Vigint looks it up.
pub(super) fn key_hash(text: Option<&str>) -> Result<String, Unfit> {
    let hash = text.unwrap_or_default().trim().to_ascii_lowercase();
    if hash.len() == 64 && hash.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        Ok(hash)
    } else {
        Err(Unfit::NoHash)
    }
}

/// The name of a key, made safe to show: no key is lost for what it is called.
pub(super) fn key_name(text: Option<&str>) -> String {
    let name = clean_line(text.unwrap_or_default());
    if name.is_empty() {
        UNNAMED_KEY.to_owned()
    } else {
        name
    }
}

/// An endpoint without its query: the earlier Vigint took keys in there.
pub(super) fn endpoint(text: Option<&str>) -> String {
    let path = text.unwrap_or_default().split(['?', '#']).next();
    plain_line(path.unwrap_or_default())
}

/// A method as HTTP writes it.
pub(super) fn method(text: Option<&str>) -> String {
    plain_line(text.unwrap_or_default()).to_ascii_uppercase()
}

/// 0 where none was written down.
pub(super) fn status_code(found: Option<i64>) -> Result<i32, Unfit> {
    let code = found.unwrap_or_default();
    i32::try_from(code).map_err(|_| Unfit::StatusCode(code))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn costs_are_rounded_to_the_micro_euro_as_they_are_written() {
        for (euros, expected) in [
            (0.0, 0),
            (-0.0, 0),
            (0.02, 20_000),
            (0.1 + 0.2, 300_000),
            (0.000_000_5, 1),
            (0.000_000_49, 0),
            (0.000_001_499_999_9, 1),
            (1.000_000_5, 1_000_001),
            (0.002_999_999_999_999_999_6, 3_000),
            (0.999_999_9, 1_000_000),
            (1.0 / 3.0, 333_333),
            (2.0 / 3.0, 666_667),
            (-0.000_000_5, -1),
            (-12.345_678, -12_345_678),
            (1_234_567.891_234, 1_234_567_891_234),
            (5e-324, 0),
        ] {
            assert_eq!(micros(euros), Ok(MicroEuros(expected)), "{euros:e}");
        }
    }

    #[test]
    fn what_is_no_amount_of_money_is_refused_and_shown() {
        for (euros, shown) in [
            (f64::NAN, "NaN"),
            (f64::INFINITY, "inf"),
            (f64::NEG_INFINITY, "-inf"),
            (1e300, "1e300"),
            (-1e19, "-1e19"),
            (9_007_199_255.0, "9.007199255e9"),
        ] {
            let refused = micros(euros).unwrap_err().to_string();
            assert!(refused.contains(shown), "{refused}");
        }
        assert_eq!(
            micros(9_007_199_254.0),
            Ok(MicroEuros(9_007_199_254_000_000))
        );
    }

    #[test]
    fn naive_times_are_utc_with_their_milliseconds() {
        for (text, expected) in [
            ("2025-11-22 15:30:01.400123", "2025-11-22T15:30:01.400Z"),
            ("2025-11-22 15:30:01.4", "2025-11-22T15:30:01.400Z"),
            ("2025-11-22 15:30:01", "2025-11-22T15:30:01.000Z"),
            ("2025-11-22T15:30:01.999999", "2025-11-22T15:30:01.999Z"),
            ("2024-02-29 23:59:59.000001", "2024-02-29T23:59:59.000Z"),
            ("2025-11-22 15:30:01+00", "2025-11-22T15:30:01.000Z"),
            ("2025-11-22 17:30:01.5+02:00", "2025-11-22T15:30:01.500Z"),
            ("2025-11-22T15:30:01Z", "2025-11-22T15:30:01.000Z"),
            (" 2025-11-22 ", "2025-11-22T00:00:00.000Z"),
        ] {
            let at = time("timestamp", text).unwrap();
            assert_eq!(at.to_string(), expected, "{text}");
        }
        for text in [
            "",
            "yesterday",
            "2025-02-30 00:00:00",
            "1700000000.5",
            "infinity",
        ] {
            let refused = time("timestamp", text).unwrap_err().to_string();
            assert!(
                refused.contains(&format!("timestamp '{text}'")),
                "{refused}"
            );
        }
    }

    #[test]
    fn a_time_that_was_not_written_down_is_the_other_one_or_now() {
        let now = UtcTime::from_unix_seconds(1_790_000_000);
        let at = |text: &str| time("", text).unwrap();
        let (one, other) = ("2025-01-01 00:00:00", "2025-02-02 00:00:00");
        assert_eq!(times(Some(one), Some(other), now), Ok((at(one), at(other))));
        assert_eq!(times(Some(one), None, now), Ok((at(one), at(one))));
        assert_eq!(times(None, Some(other), now), Ok((at(other), at(other))));
        assert_eq!(times(None, None, now), Ok((now, now)));
        assert!(times(Some("x"), None, now).is_err());
    }

    #[test]
    fn clients_are_held_to_the_rules_for_new_ones() {
        let check = |name, email| client(name, email, Locale::French);
        let acme = check(Some(" Acme "), Some("a@acme.com")).unwrap();
        assert_eq!(
            (acme.name.as_str(), acme.time_zone.as_str()),
            ("Acme", "UTC")
        );
        for (name, email, why) in [
            (None, Some("a@acme.com"), "it has no name"),
            (Some("Acme"), None, "it has no e-mail address"),
            (Some("Ac\u{7}me"), Some("a@acme.com"), "name: "),
            (Some("Acme"), Some("acme"), "email: 'acme'"),
            (
                Some("Acm\u{FFFD}"),
                Some("a@acme.com"),
                "its name is not readable",
            ),
        ] {
            let refused = check(name, email).unwrap_err().to_string();
            assert!(refused.contains(why), "{refused}");
        }
    }

    #[test]
    fn no_key_is_lost_for_its_name_and_none_comes_along_in_a_path() {
        assert_eq!(key_name(Some("  Till\u{1B}[2J 1 ")), "Till[2J 1");
        assert_eq!(key_name(Some("\u{0}")), "imported");
        assert_eq!(key_name(None), "imported");
        assert_eq!(endpoint(Some("/api/video?api_key=S3cret")), "/api/video");
        assert_eq!(endpoint(Some("/a\u{0}b")), "/ab");
        assert_eq!(endpoint(None), "");
    }

    #[test]
    fn hashes_are_lower_case_hex_of_a_sha_256() {
        let hash = "AB".repeat(32);
        assert_eq!(key_hash(Some(&hash)), Ok("ab".repeat(32)));
        for text in [None, Some(""), Some("abc"), Some(&*"xy".repeat(32))] {
            assert_eq!(key_hash(text), Err(Unfit::NoHash));
        }
    }
}
