//! The languages customers are spoken to in.

use crate::names::named_enum;

named_enum!(
    /// A customer's language.
    Locale {
        /// French, the default.
        French = "fr",
        /// English.
        English = "en",
    }
);
