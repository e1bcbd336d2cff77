//! `[Billing]`: what customers pay.

use vigint_core::money::MicroEuros;

use super::definition::section;
use super::parse::money;

section! {
    /// What customers pay: each price 0 to 1000, with at most six decimals.
    Billing in "Billing" {
        /// The currency of every amount here, three capital letters.
        currency: String = "EUR" => currency;
        /// One frame taken in.
        price_frame: MicroEuros = "0" => money(1_000);
        /// One first look.
        price_screen: MicroEuros = "0.01" => money(1_000);
        /// One second look.
        price_confirm: MicroEuros = "0.02" => money(1_000);
        /// One alert.
        price_alert: MicroEuros = "0.005" => money(1_000);
    }
}

/// An ISO 4217 code.
fn currency(text: &str) -> Result<String, String> {
    if text.len() == 3 && text.bytes().all(|b| b.is_ascii_uppercase()) {
        Ok(text.to_owned())
    } else {
        Err("must be three capital letters, such as EUR".to_owned())
    }
}
