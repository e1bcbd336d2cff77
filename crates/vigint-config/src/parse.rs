//! From the text of a value to what it means. Each parser gives the value or says what it must be; who
//! asks adds the file, the line and the key.

use std::fmt::Display;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use lettre::message::Mailbox;
use url::Url;
use vigint_core::money::MicroEuros;

pub(super) const KIB: u64 = 1_024;
pub(super) const MIB: u64 = 1_024 * KIB;
pub(super) const GIB: u64 = 1_024 * MIB;
pub(super) const TIB: u64 = 1_024 * GIB;

/// Nothing, or what `parse` makes of it.
pub(super) fn optional<T>(
    parse: impl Fn(&str) -> Result<T, String>,
) -> impl Fn(&str) -> Result<Option<T>, String> {
    move |text| {
        if text.is_empty() {
            Ok(None)
        } else {
            parse(text).map(Some)
        }
    }
}

/// Any text on one line.
pub(super) fn text(text: &str) -> Result<String, String> {
    if text.is_empty() || text.contains(char::is_control) {
        return Err("must be a text on one line".to_owned());
    }
    Ok(text.to_owned())
}

/// A file or folder; relative ones are from the working directory.
pub(super) fn path(path: &str) -> Result<PathBuf, String> {
    text(path).map(PathBuf::from)
}

/// Yes or no.
pub(super) fn flag(text: &str) -> Result<bool, String> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "yes" | "on" | "1" => Ok(true),
        "false" | "no" | "off" | "0" => Ok(false),
        _ => Err("must be true or false".to_owned()),
    }
}

/// One of a few names, in any case.
pub(super) fn one_of<T: Copy>(
    known: &'static [(&'static str, T)],
) -> impl Fn(&str) -> Result<T, String> {
    move |text| {
        known
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(text))
            .map(|(_, value)| *value)
            .ok_or_else(|| {
                let names: Vec<_> = known.iter().map(|(name, _)| *name).collect();
                format!("must be one of {}", names.join(", "))
            })
    }
}

/// A number within a range; whole when `T` is.
pub(super) fn number<T: FromStr + PartialOrd + Display>(
    range: RangeInclusive<T>,
) -> impl Fn(&str) -> Result<T, String> {
    move |text| {
        text.parse()
            .ok()
            .filter(|value| range.contains(value))
            .ok_or_else(|| format!("must be a number from {} to {}", range.start(), range.end()))
    }
}

/// Seconds, fractions allowed.
pub(super) fn seconds(least: f64, most: f64) -> impl Fn(&str) -> Result<Duration, String> {
    duration(least, most, 1.0, "seconds")
}

/// Hours, fractions allowed.
pub(super) fn hours(least: f64, most: f64) -> impl Fn(&str) -> Result<Duration, String> {
    duration(least, most, 3_600.0, "hours")
}

fn duration(
    least: f64,
    most: f64,
    unit_seconds: f64,
    unit: &'static str,
) -> impl Fn(&str) -> Result<Duration, String> {
    move |text| {
        number(least..=most)(text)
            .ok()
            .and_then(|value| Duration::try_from_secs_f64(value * unit_seconds).ok())
            .ok_or_else(|| format!("must be a number of {unit} from {least} to {most}"))
    }
}

/// A number of bytes, alone or with a unit: `8388608`, `8 MiB`, `8MB`.
pub(super) fn bytes<T: TryFrom<u64>>(
    range: RangeInclusive<u64>,
) -> impl Fn(&str) -> Result<T, String> {
    move |text| {
        size(text)
            .filter(|size| range.contains(size))
            .and_then(|size| T::try_from(size).ok())
            .ok_or_else(|| {
                format!(
                    "must be a size from {} to {}, such as 8388608 or 8 MiB",
                    shown(*range.start()),
                    shown(*range.end())
                )
            })
    }
}

fn size(text: &str) -> Option<u64> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (count, unit) = text.split_at_checked(digits)?;
    let unit = match unit.trim().to_ascii_lowercase().as_str() {
        "" | "b" | "bytes" => 1,
        "kib" => KIB,
        "mib" => MIB,
        "gib" => GIB,
        "tib" => TIB,
        "kb" => 1_000,
        "mb" => 1_000_000,
        "gb" => 1_000_000_000,
        "tb" => 1_000_000_000_000,
        _ => return None,
    };
    count.parse::<u64>().ok()?.checked_mul(unit)
}

/// A size in its largest whole unit.
fn shown(size: u64) -> String {
    [(TIB, "TiB"), (GIB, "GiB"), (MIB, "MiB"), (KIB, "KiB")]
        .iter()
        .find(|(unit, _)| size != 0 && size.is_multiple_of(*unit))
        .map_or_else(
            || format!("{size} bytes"),
            |(unit, name)| format!("{} {name}", size / unit),
        )
}

/// An amount from 0 to `most` whole units.
pub(super) fn money(most: i64) -> impl Fn(&str) -> Result<MicroEuros, String> {
    move |text| {
        text.parse()
            .ok()
            .filter(|amount| *amount <= MicroEuros(1_000_000) * most)
            .ok_or_else(|| {
                format!("must be an amount from 0 to {most} with at most 6 decimals, such as 0.02")
            })
    }
}

/// The root of a web address, without a slash at its end.
pub(super) fn web_address(text: &str) -> Result<String, String> {
    let must = "must be an http:// or https:// address without user, password, ? and #";
    let url = Url::parse(text).map_err(|error| format!("{must} ({error})"))?;
    let is_plain = matches!(url.scheme(), "http" | "https")
        && url.has_host()
        && url.username().is_empty()
        && url.password().is_none()
        && url.query().is_none()
        && url.fragment().is_none();
    if is_plain {
        Ok(url.as_str().trim_end_matches('/').to_owned())
    } else {
        Err(must.to_owned())
    }
}

/// A mail server: its name or IP address, the port apart.
pub(super) fn smtp_host(text: &str) -> Result<String, String> {
    url::Host::parse(text)
        .or_else(|_| url::Host::parse(&format!("[{text}]")))
        .map(|_| text.to_owned())
        .map_err(|_| {
            "must be the name or the IP address of a mail server, without a port".to_owned()
        })
}

/// A mail address, alone or after a name.
pub(super) fn mailbox(text: &str) -> Result<Mailbox, String> {
    text.parse().map_err(|_| {
        "must be a mail address, such as alerts@example.com or Vigint <alerts@example.com>"
            .to_owned()
    })
}
