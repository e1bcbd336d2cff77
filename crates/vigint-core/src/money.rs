//! Money, in whole millionths of a euro: sums stay exact.

use std::fmt;
use std::iter::Sum;
use std::ops::{Add, Mul};
use std::str::FromStr;

use serde::de::{self, Unexpected, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// An amount in micro-euros (1 € = 1,000,000).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct MicroEuros(pub i64);

impl MicroEuros {
    /// Nothing.
    pub const ZERO: Self = Self(0);
}

/// A text that is no amount of money.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not an amount: write euros with at most 6 decimals, such as 0.02")]
pub struct InvalidAmount(String);

impl FromStr for MicroEuros {
    type Err = InvalidAmount;

    /// Reads euros: `20`, `0.005`. Not negative, at most six decimals.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let invalid = || InvalidAmount(text.to_owned());
        let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
        let all_digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
        let written = !whole.is_empty() && (!text.contains('.') || !decimals.is_empty());
        if !written || decimals.len() > 6 || !all_digits(whole) || !all_digits(decimals) {
            return Err(invalid());
        }
        format!("{whole}{decimals:0<6}")
            .parse()
            .map(Self)
            .map_err(|_| invalid())
    }
}

impl fmt::Display for MicroEuros {
    /// Euros with as many decimals as needed, at least four: `0.0300`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let micros = self.0.unsigned_abs();
        let decimals = format!("{:06}", micros % 1_000_000);
        let shown = decimals.trim_end_matches('0');
        write!(f, "{sign}{}.{shown:0<4}", micros / 1_000_000)
    }
}

impl Serialize for MicroEuros {
    /// A JSON number of euros. Amounts below 9 billion euros keep every micro-euro.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let text = self.to_string();
        serializer.serialize_f64(text.parse().unwrap_or_default())
    }
}

impl<'de> Deserialize<'de> for MicroEuros {
    /// A JSON number of euros, not negative, with at most six decimals.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_f64(Euros)
    }
}

struct Euros;

impl Visitor<'_> for Euros {
    type Value = MicroEuros;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("euros, not negative, with at most 6 decimals")
    }

    // A number is written in the fewest digits that mean it, and never with an exponent.
    fn visit_f64<E: de::Error>(self, euros: f64) -> Result<MicroEuros, E> {
        let refused = || E::invalid_value(Unexpected::Float(euros), &self);
        euros.to_string().parse().map_err(|_| refused())
    }

    fn visit_u64<E: de::Error>(self, euros: u64) -> Result<MicroEuros, E> {
        let refused = || E::invalid_value(Unexpected::Unsigned(euros), &self);
        euros.to_string().parse().map_err(|_| refused())
    }

    fn visit_i64<E: de::Error>(self, euros: i64) -> Result<MicroEuros, E> {
        let refused = || E::invalid_value(Unexpected::Signed(euros), &self);
        euros.to_string().parse().map_err(|_| refused())
    }
}

impl Add for MicroEuros {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl Mul<i64> for MicroEuros {
    type Output = Self;
    fn mul(self, times: i64) -> Self {
        Self(self.0.saturating_mul(times))
    }
}

impl Sum for MicroEuros {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        amounts.fold(Self::ZERO, Add::add)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_and_written_exactly() {
        for (text, micros, shown) in [
            ("0", 0, "0.0000"),
            ("0.005", 5_000, "0.0050"),
            ("20", 20_000_000, "20.0000"),
            ("0.000001", 1, "0.000001"),
            ("1.234567", 1_234_567, "1.234567"),
        ] {
            let amount: MicroEuros = text.parse().unwrap();
            assert_eq!(amount, MicroEuros(micros));
            assert_eq!(amount.to_string(), shown);
        }
        for bad in [
            "",
            ".",
            "1.",
            ".5",
            "-1",
            "1e3",
            "0.0000001",
            "1,5",
            "99999999999999",
        ] {
            assert!(bad.parse::<MicroEuros>().is_err(), "{bad:?}");
        }
        assert_eq!(serde_json::to_string(&MicroEuros(30_000)).unwrap(), "0.03");
    }

    #[test]
    fn a_json_number_is_read_to_the_micro_euro() {
        for (json, micros) in [("20", 20_000_000), ("0.1", 100_000), ("1e-6", 1)] {
            assert_eq!(serde_json::from_str::<MicroEuros>(json).unwrap().0, micros);
        }
        for bad in ["-1", "0.0000001", "\"20\"", "1e300", "null"] {
            assert!(serde_json::from_str::<MicroEuros>(bad).is_err(), "{bad}");
        }
    }
}
