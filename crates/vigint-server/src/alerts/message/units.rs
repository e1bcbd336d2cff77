//! Times, lengths of time and sizes as their reader says them.

use std::time::Duration;

use jiff::Zoned;
use jiff::civil::Weekday;
use jiff::tz::TimeZone;
use vigint_core::clock::UtcTime;
use vigint_core::locale::Locale;

/// Keeps a figure and its unit on one line.
const NO_BREAK: char = '\u{A0}';

/// A time in figures, for tables and lists, with its zone; UTC when the zone is not known.
pub(in crate::alerts) fn local_time(at: UtcTime, locale: Locale, time_zone: &str) -> String {
    let format = match locale {
        Locale::French => "%d/%m/%Y %H:%M:%S %Z",
        Locale::English => "%Y-%m-%d %H:%M:%S %Z",
    };
    on_the_wall(at, time_zone).strftime(format).to_string()
}

/// A time in words, to the second: `Sunday 22 November 2026 at 16:40:03 (CET)`.
pub(in crate::alerts) fn day_and_second(at: UtcTime, locale: Locale, time_zone: &str) -> String {
    in_a_sentence(&on_the_wall(at, time_zone), locale, "%H:%M:%S")
}

/// A time in words, to the minute: `Sunday 22 November 2026 at 16:40 (CET)`.
pub(crate) fn day_and_minute(at: UtcTime, locale: Locale, time_zone: &str) -> String {
    in_a_sentence(&on_the_wall(at, time_zone), locale, "%H:%M")
}

/// The time of a day that is said elsewhere: `16:40`.
pub(in crate::alerts) fn time_of_day(at: UtcTime, time_zone: &str) -> String {
    on_the_wall(at, time_zone).strftime("%H:%M").to_string()
}

fn on_the_wall(at: UtcTime, time_zone: &str) -> Zoned {
    let zone = TimeZone::get(time_zone).unwrap_or(TimeZone::UTC);
    at.timestamp().to_zoned(zone)
}

fn in_a_sentence(at: &Zoned, locale: Locale, of_day: &str) -> String {
    let (weekday, month) = (weekday(at.weekday(), locale), month(at.month(), locale));
    let (day, year, time) = (at.day(), at.year(), at.strftime(of_day));
    let zone = at.strftime("%Z").to_string();
    // Some zones have no letters, only an offset.
    let zone = if zone.starts_with(['+', '-']) {
        format!("UTC{zone}")
    } else {
        zone
    };
    match locale {
        Locale::French => {
            let st = if day == 1 { "er" } else { "" };
            format!("{weekday} {day}{st} {month} {year} à {time} ({zone})")
        }
        Locale::English => format!("{weekday} {day} {month} {year} at {time} ({zone})"),
    }
}

const fn weekday(day: Weekday, locale: Locale) -> &'static str {
    let (french, english) = match day {
        Weekday::Monday => ("lundi", "Monday"),
        Weekday::Tuesday => ("mardi", "Tuesday"),
        Weekday::Wednesday => ("mercredi", "Wednesday"),
        Weekday::Thursday => ("jeudi", "Thursday"),
        Weekday::Friday => ("vendredi", "Friday"),
        Weekday::Saturday => ("samedi", "Saturday"),
        Weekday::Sunday => ("dimanche", "Sunday"),
    };
    match locale {
        Locale::French => french,
        Locale::English => english,
    }
}

const fn month(month: i8, locale: Locale) -> &'static str {
    let (french, english) = match month {
        1 => ("janvier", "January"),
        2 => ("février", "February"),
        3 => ("mars", "March"),
        4 => ("avril", "April"),
        5 => ("mai", "May"),
        6 => ("juin", "June"),
        7 => ("juillet", "July"),
        8 => ("août", "August"),
        9 => ("septembre", "September"),
        10 => ("octobre", "October"),
        11 => ("novembre", "November"),
        _ => ("décembre", "December"),
    };
    match locale {
        Locale::French => french,
        Locale::English => english,
    }
}

/// A length of time in its two greatest units, to the nearest second: `2 hours 14 minutes`, `12 seconds`.
pub(in crate::alerts) fn in_words(length: Duration, locale: Locale) -> String {
    let seconds = length.as_millis().saturating_add(500) / 1000;
    let (days, hours) = (seconds / 86_400, seconds / 3600 % 24);
    let (minutes, rest) = (seconds / 60 % 60, seconds % 60);
    let french = locale == Locale::French;
    let [day, hour, minute, second] = match locale {
        Locale::French => ["jour", "heure", "minute", "seconde"],
        Locale::English => ["day", "hour", "minute", "second"],
    };
    let count = |count: u128, unit: &str| {
        let is_one = count == 1 || french && count == 0;
        let plural = if is_one { "" } else { "s" };
        format!("{count}{NO_BREAK}{unit}{plural}")
    };
    let (greater, lesser) = if days > 0 {
        (count(days, day), (hours > 0).then(|| count(hours, hour)))
    } else if hours > 0 {
        let lesser = (minutes > 0).then(|| count(minutes, minute));
        (count(hours, hour), lesser)
    } else if minutes > 0 {
        let lesser = (rest > 0).then(|| count(rest, second));
        (count(minutes, minute), lesser)
    } else {
        (count(rest, second), None)
    };
    match lesser {
        None => greater,
        Some(lesser) => format!("{greater} {lesser}"),
    }
}

/// A size as file managers show it, in powers of 1000: `1.4 MB`, `350 kB`; `1,4 Mo` and `350 ko` in French.
pub(in crate::alerts) fn size(bytes: u64, locale: Locale) -> String {
    let (point, byte) = match locale {
        Locale::French => (',', 'o'),
        Locale::English => ('.', 'B'),
    };
    // In tenths of a megabyte, so that 999,950 bytes are 1.0 MB and not 1000 kB.
    let tenths = bytes.saturating_add(50_000) / 100_000;
    if bytes < 1000 {
        format!("{bytes}{NO_BREAK}{byte}")
    } else if tenths < 10 {
        let thousands = bytes.saturating_add(500) / 1000;
        format!("{thousands}{NO_BREAK}k{byte}")
    } else {
        let (whole, tenth) = (tenths / 10, tenths % 10);
        format!("{whole}{point}{tenth}{NO_BREAK}M{byte}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(seconds: u64, locale: Locale) -> String {
        in_words(Duration::from_secs(seconds), locale).replace(NO_BREAK, " ")
    }

    #[test]
    fn lengths_of_time_are_said_in_their_two_greatest_units() {
        for (length, english, french) in [
            (0, "0 seconds", "0 seconde"),
            (1, "1 second", "1 seconde"),
            (59, "59 seconds", "59 secondes"),
            (60, "1 minute", "1 minute"),
            (200, "3 minutes 20 seconds", "3 minutes 20 secondes"),
            (3600, "1 hour", "1 heure"),
            (8070, "2 hours 14 minutes", "2 heures 14 minutes"),
            (86_400 + 59, "1 day", "1 jour"),
            (266_400, "3 days 2 hours", "3 jours 2 heures"),
        ] {
            assert_eq!(seconds(length, Locale::English), english);
            assert_eq!(seconds(length, Locale::French), french);
        }
        let nearly_12 = Duration::from_millis(11_960);
        assert_eq!(in_words(nearly_12, Locale::English), "12\u{A0}seconds");
    }

    #[test]
    fn sizes_are_said_as_file_managers_say_them() {
        for (bytes, english, french) in [
            (999, "999 B", "999 o"),
            (1000, "1 kB", "1 ko"),
            (349_600, "350 kB", "350 ko"),
            (999_960, "1.0 MB", "1,0 Mo"),
            (1_440_000, "1.4 MB", "1,4 Mo"),
            (12_345_678, "12.3 MB", "12,3 Mo"),
            (u64::MAX, "18446744073709.5 MB", "18446744073709,5 Mo"),
        ] {
            assert_eq!(size(bytes, Locale::English).replace(NO_BREAK, " "), english);
            assert_eq!(size(bytes, Locale::French).replace(NO_BREAK, " "), french);
        }
    }

    #[test]
    fn times_are_said_on_the_readers_wall() {
        let at: UtcTime = "2026-12-31T23:40:03.250Z".parse().unwrap();
        for (zone, french, english) in [
            (
                "Europe/Paris",
                "vendredi 1er janvier 2027 à 00:40:03 (CET)",
                "Friday 1 January 2027 at 00:40:03 (CET)",
            ),
            (
                "America/Sao_Paulo",
                "jeudi 31 décembre 2026 à 20:40:03 (UTC-03)",
                "Thursday 31 December 2026 at 20:40:03 (UTC-03)",
            ),
            (
                "Nowhere/Atall",
                "jeudi 31 décembre 2026 à 23:40:03 (UTC)",
                "Thursday 31 December 2026 at 23:40:03 (UTC)",
            ),
        ] {
            assert_eq!(day_and_second(at, Locale::French, zone), french);
            assert_eq!(day_and_second(at, Locale::English, zone), english);
        }
        let minute = day_and_minute(at, Locale::English, "Europe/Paris");
        assert_eq!(minute, "Friday 1 January 2027 at 00:40 (CET)");
        assert_eq!(time_of_day(at, "Europe/Paris"), "00:40");
    }
}
