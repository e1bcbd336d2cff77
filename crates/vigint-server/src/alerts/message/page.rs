//! What the templates share: the frame around every mail's words, tables of facts, things to do.

use vigint_core::locale::Locale;

/// What stands around the words of a mail (`templates/mail.html` and `mail.txt`).
pub(in crate::alerts) struct Frame {
    pub(in crate::alerts) lang: &'static str,
    /// What stands between a name and its value.
    pub(in crate::alerts) colon: &'static str,
    /// What kind of mail it is, above the heading.
    pub(in crate::alerts) kicker: String,
    pub(in crate::alerts) heading: String,
    /// The small print, a paragraph each.
    pub(in crate::alerts) footer: Vec<String>,
}

impl Frame {
    pub(in crate::alerts) fn new(
        locale: Locale,
        kicker: impl Into<String>,
        heading: String,
        footer: Vec<String>,
    ) -> Self {
        let (lang, colon) = match locale {
            Locale::French => ("fr", "\u{A0}:"),
            Locale::English => ("en", ":"),
        };
        Self {
            lang,
            colon,
            kicker: kicker.into(),
            heading,
            footer,
        }
    }
}

/// A row of a table.
pub(in crate::alerts) struct Fact {
    pub(in crate::alerts) name: &'static str,
    pub(in crate::alerts) value: String,
}

impl Fact {
    pub(in crate::alerts) fn new(name: &'static str, value: impl Into<String>) -> Self {
        let value = value.into();
        Self { name, value }
    }
}

/// Something to do, and the command that does it.
pub(in crate::alerts) struct Step {
    pub(in crate::alerts) say: String,
    pub(in crate::alerts) command: Option<String>,
}

impl Step {
    pub(in crate::alerts) fn new(say: impl Into<String>) -> Self {
        let say = say.into();
        Self { say, command: None }
    }

    pub(in crate::alerts) fn with(say: impl Into<String>, command: String) -> Self {
        Self {
            say: say.into(),
            command: Some(command),
        }
    }
}
